"""What is written in one turn of the event loop leaves in one piece, in order, and nothing is lost at a close."""

import asyncio
from collections.abc import Callable
from typing import Any

from receiver.joined_writes import JoinedWrites
from tests.receiver.web import Web, event_of


class Wire(asyncio.Transport):
    """Stands in for a connection: notes what is done to it."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[Any] = []
        self.is_closed = False

    def write(self, data: Any) -> None:
        """Note the bytes."""
        self.done.append(data)

    def close(self) -> None:
        """Note it."""
        self.is_closed = True
        self.done.append("close")

    def abort(self) -> None:
        """Note it."""
        self.is_closed = True
        self.done.append("abort")

    def is_closing(self) -> bool:
        """Say whether it was closed."""
        return self.is_closed


def done_by(use: Callable[[JoinedWrites, Wire], None]) -> list[Any]:
    """Return what comes to the wire when a connection is used so within one turn."""

    async def talk() -> list[Any]:
        wire = Wire()
        use(JoinedWrites(wire, asyncio.get_running_loop()), wire)
        wire.done.append("turn")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return wire.done

    return asyncio.run(talk())


def test_a_head_and_its_body_leave_together() -> None:
    """At the end of the turn."""

    def use(joined: JoinedWrites, _: Wire) -> None:
        joined.write(b"head")
        joined.write(b"body")

    assert done_by(use) == ["turn", b"headbody"]


def test_a_close_sends_what_was_written_before() -> None:
    """Also an answer after which the connection is closed arrives; nothing is written after the close."""

    def use(joined: JoinedWrites, _: Wire) -> None:
        joined.write(b"a")
        joined.close()

    assert done_by(use) == [b"a", "close", "turn"]


def test_an_abort_drops_what_was_written() -> None:
    """As it does without this."""

    def use(joined: JoinedWrites, _: Wire) -> None:
        joined.write(b"a")
        joined.abort()

    assert done_by(use) == ["abort", "turn"]


def test_nothing_is_written_to_a_connection_that_was_lost_meanwhile() -> None:
    """The server's loop raises if something is."""

    def use(joined: JoinedWrites, wire: Wire) -> None:
        joined.write(b"a")
        wire.close()

    assert done_by(use) == ["close", "turn"]


def test_much_is_not_kept() -> None:
    """So that the connection can say that it has enough; what comes later stays behind it."""
    much = bytes(100_000)

    def use(joined: JoinedWrites, _: Wire) -> None:
        joined.write(much)
        joined.write(b"more")

    assert done_by(use) == [much, "turn", b"more"]


def test_answers_arrive_whole(web: Web) -> None:
    """Through the real server."""
    answers = web.webhooks([event_of() for _ in range(40)])
    assert {answer.json()["status"] for answer in answers} == {"accepted"}
