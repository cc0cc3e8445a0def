"""How many webhooks are worked on at once, who waits in line, and who is refused."""

import asyncio
from collections.abc import Callable

import pytest

from receiver.admission import Admission
from receiver.refusals import Unavailable

SMALL = b"{}"
LARGE = b"x" * 100_000


class Crowd:
    """Requests that hold their turn until they are told to go."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._go: dict[int, asyncio.Event] = {}
        self.at_work: list[int] = []

    async def come(self, number: int, body: bytes = SMALL) -> None:
        """Enter, and stay until `leave`. Raises Unavailable."""
        self._go[number] = asyncio.Event()
        async with self._admission.of(body):
            self.at_work.append(number)
            await self._go[number].wait()

    def leave(self, number: int) -> None:
        """Let one go."""
        self._go[number].set()


async def until(condition: Callable[[], bool]) -> None:
    """Let the others run until it is so."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what it waits for happens in the same loop
            await asyncio.sleep(0)


def test_turns_are_given_in_the_order_of_arrival() -> None:
    """Two at once; the third comes in when one leaves, before the fourth."""

    async def talk() -> None:
        crowd = Crowd(Admission(at_once=2, in_line=10, longest_wait=5))
        tasks = [asyncio.create_task(crowd.come(number)) for number in range(4)]
        await until(lambda: crowd.at_work == [0, 1])
        crowd.leave(1)
        await until(lambda: crowd.at_work == [0, 1, 2])
        crowd.leave(0)
        await until(lambda: crowd.at_work == [0, 1, 2, 3])
        crowd.leave(2)
        crowd.leave(3)
        await asyncio.gather(*tasks)

    asyncio.run(talk())


def test_a_full_line_refuses_at_once() -> None:
    """And takes the next one as soon as there is room."""

    async def talk() -> None:
        crowd = Crowd(Admission(at_once=1, in_line=1, longest_wait=5))
        first, second = asyncio.create_task(crowd.come(0)), asyncio.create_task(crowd.come(1))
        await until(lambda: crowd.at_work == [0])
        with pytest.raises(Unavailable):
            await crowd.come(2)
        crowd.leave(0)
        await until(lambda: crowd.at_work == [0, 1])
        third = asyncio.create_task(crowd.come(3))
        crowd.leave(1)
        await until(lambda: crowd.at_work == [0, 1, 3])
        crowd.leave(3)
        await asyncio.gather(first, second, third)

    asyncio.run(talk())


def test_nobody_waits_for_long() -> None:
    """A turn that doesn't come in time is a refusal, and gives the place in line back."""

    async def talk() -> None:
        crowd = Crowd(Admission(at_once=1, in_line=1, longest_wait=0.01))
        first = asyncio.create_task(crowd.come(0))
        await until(lambda: crowd.at_work == [0])
        for _ in range(3):
            with pytest.raises(Unavailable):
                await crowd.come(1)
        crowd.leave(0)
        await first
        last = asyncio.create_task(crowd.come(2))
        await until(lambda: crowd.at_work == [0, 2])
        crowd.leave(2)
        await last

    asyncio.run(talk())


def test_a_sender_that_gives_up_leaves_the_line() -> None:
    """Its place and its turn are free again."""

    async def talk() -> None:
        crowd = Crowd(Admission(at_once=1, in_line=1, longest_wait=5))
        first, second = asyncio.create_task(crowd.come(0)), asyncio.create_task(crowd.come(1))
        await until(lambda: crowd.at_work == [0])
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        third = asyncio.create_task(crowd.come(2))
        crowd.leave(0)
        await until(lambda: crowd.at_work == [0, 2])
        crowd.leave(2)
        await asyncio.gather(first, third)

    asyncio.run(talk())


def test_large_bodies_do_not_wait() -> None:
    """Thousands of them in line would fill the memory; while there are turns they are taken as others are."""

    async def talk() -> None:
        crowd = Crowd(Admission(at_once=1, in_line=10, longest_wait=5))
        first = asyncio.create_task(crowd.come(0, LARGE))
        await until(lambda: crowd.at_work == [0])
        with pytest.raises(Unavailable):
            await crowd.come(1, LARGE)
        crowd.leave(0)
        await first

    asyncio.run(talk())
