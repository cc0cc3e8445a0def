"""Group commit: what arrives together is written together, and everybody gets an answer of their own."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from redis import Redis

import receiver.inbox
from receiver.inbox import Inbox, Unavailable
from shared.clock import system_clock
from shared.redis_client import connect_async
from tests.receiver.web import Web, event_of
from tests.support.server import DataServer


async def append(inbox: Inbox, message_id: str) -> bool:
    """Append a message, as a coroutine that a task can run."""
    return await inbox.append(message_id, "m")


def test_many_at_once_are_all_answered_and_kept(web: Web, redis_client: Redis) -> None:
    """Each event is in the stream exactly once, and far fewer writes than events were needed."""
    redis_client.config_resetstat()
    answers = web.webhooks([event_of() for _ in range(300)])

    assert Counter(answer.json()["status"] for answer in answers) == {"accepted": 300}
    assert redis_client.xlen("seam-events") == 300
    stats: Any = redis_client.info("commandstats")
    writes = sum(stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("evalsha", "eval"))
    assert 1 <= writes < 150


def test_repeats_within_one_group(web: Web, redis_client: Redis) -> None:
    """Of one event that arrives many times at once, one is accepted."""
    events = [event_of() for _ in range(20)]
    answers = web.webhooks(events * 5)

    assert Counter(answer.json()["status"] for answer in answers) == {"accepted": 20, "duplicate": 80}
    assert redis_client.xlen("seam-events") == 20


def test_past_its_bound_the_answer_is_busy_at_once(data_server: DataServer) -> None:
    """A writer that doesn't come along makes nobody wait in an endless queue."""

    async def overfill() -> int:
        async with connect_async(data_server.url) as redis:
            inbox = Inbox(redis, stream="s", field="f", clock=system_clock)
            waiting: list[asyncio.Task[bool]] = []
            with suppress(Unavailable):
                while len(waiting) < 100_000:
                    task = asyncio.create_task(append(inbox, str(len(waiting))))
                    await asyncio.sleep(0)
                    if task.done():
                        task.result()
                    waiting.append(task)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            return len(waiting)

    assert 0 < asyncio.run(overfill()) < 100_000


class Calls:
    """Stands in for the connection: keeps calls until the test answers them."""

    is_open = True

    def __init__(self, *_: object) -> None:
        self.made: list[tuple[int, Callable[[str], object]]] = []

    def call(self, keys: Sequence[str], _: object, then: Callable[[str], object]) -> None:
        """Keep a call."""
        self.made.append((len(keys) - 1, then))

    @property
    def sizes(self) -> list[int]:
        """How many messages each call had, so far."""
        return [size for size, _ in self.made]

    def answer(self, number: int) -> None:
        """Answer one of them: all were new."""
        size, then = self.made[number]
        then("1" * size)


def test_one_group_follows_another_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes together goes together; more goes behind it when it is worth a call; past two all waits."""
    monkeypatch.setattr(receiver.inbox, "ScriptConnection", Calls)

    async def talk() -> None:
        inbox = Inbox(connect_async("redis://127.0.0.1:9/0"), stream="s", field="f", clock=system_clock)
        calls: Any = inbox._script
        answers: list[asyncio.Future[bool]] = []

        def hand_over(amount: int) -> list[int]:
            answers.extend(inbox.append(str(len(answers)), "m") for _ in range(amount))
            return list(calls.sizes)

        async def all_is_read() -> list[int]:
            await asyncio.sleep(0)
            return list(calls.sizes)

        assert (hand_over(3), await all_is_read()) == ([], [3])
        assert (hand_over(13), await all_is_read()) == ([3], [3])
        assert hand_over(1) == [3, 14]
        assert (hand_over(600), await all_is_read()) == ([3, 14], [3, 14])
        calls.answer(0)
        assert calls.sizes == [3, 14, 512]
        assert [answer.done() for answer in answers[:4]] == [True, True, True, False]
        calls.answer(1)
        assert calls.sizes == [3, 14, 512, 88]
        hand_over(5)
        calls.answer(2)
        assert calls.sizes == [3, 14, 512, 88]
        calls.answer(3)
        assert calls.sizes == [3, 14, 512, 88, 5]
        calls.answer(4)
        assert all([await answer for answer in answers])

    asyncio.run(talk())


@pytest.mark.parametrize(("longest_wait", "let_in"), [(60.0, 4096), (-1.0, 1024)], ids=["quick", "slow"])
def test_how_many_wait_depends_on_how_long_they_do(
    monkeypatch: pytest.MonkeyPatch, longest_wait: float, let_in: int
) -> None:
    """Many may wait for a data server that is quick, few for one that is slow: no answer comes late."""
    monkeypatch.setattr(receiver.inbox, "_LONGEST_WAIT", longest_wait)

    async def fill() -> int:
        inbox = Inbox(connect_async("redis://127.0.0.1:9/0"), stream="s", field="f", clock=system_clock)
        with suppress(Unavailable):
            for number in range(10_000):
                inbox.hand_over(str(number), "m", lambda _: None)
        return number

    assert asyncio.run(fill()) == let_in


def test_a_writer_that_is_stopped_leaves_nobody_waiting(data_server: DataServer) -> None:
    """Whoever waits while the process ends is told to come again."""

    async def stop() -> None:
        async with connect_async(data_server.url) as redis:
            inbox = Inbox(redis, stream="s", field="f", clock=system_clock)
            await redis.client_pause(400, all=True)
            writer = asyncio.create_task(inbox.run())
            waiting = asyncio.create_task(append(inbox, "1"))
            await asyncio.sleep(0.05)
            writer.cancel()
            with pytest.raises(Unavailable):
                await asyncio.wait_for(waiting, 5)

    asyncio.run(stop())


def test_a_caller_that_gives_up_spoils_nothing(web: Web, data_server: DataServer, redis_client: Redis) -> None:
    """The others of its group are answered all the same."""
    del web

    async def give_up() -> bool:
        async with connect_async(data_server.url) as redis:
            inbox = Inbox(redis, stream="s", field="f", clock=system_clock)
            first = asyncio.create_task(append(inbox, "1"))
            second = asyncio.create_task(append(inbox, "2"))
            await asyncio.sleep(0)
            first.cancel()
            writer = asyncio.create_task(inbox.run())
            is_new = await asyncio.wait_for(second, 5)
            writer.cancel()
            await asyncio.gather(writer, first, return_exceptions=True)
            return is_new

    assert asyncio.run(give_up()) is True
    assert redis_client.xlen("s") in (1, 2)
