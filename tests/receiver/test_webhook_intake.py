"""Webhooks of one turn are taken in together, and each has an outcome of its own."""

import asyncio
import json
from typing import Any

import pytest

from receiver.inbox import Inbox
from receiver.refusals import InvalidSignature, Unavailable
from receiver.webhook_intake import Delivery, WebhookIntake
from receiver.webhook_parsing import NotAnEvent, NotHandled
from receiver.webhook_signature import WebhookSecrets
from tests.receiver.web import OTHER_SECRET, SECRET, event_of, signed


class FullAfter:
    """Stands in for the inbox: takes so many messages, all of them new, then it is full."""

    def __init__(self, room: int) -> None:
        self.taken: list[str] = []
        self._room = room

    def append(self, message_id: str, _: bytes, *, appended: asyncio.Future[bool]) -> asyncio.Future[bool]:
        """Take a message. Raises Unavailable."""
        if len(self.taken) >= self._room:
            raise Unavailable
        self.taken.append(message_id)
        appended.set_result(True)
        return appended


def sent(event: Any, *, secret: str = SECRET) -> tuple[dict[bytes, bytes], bytes]:
    """Return a signed webhook."""
    body = json.dumps(event).encode()
    headers: Any = dict(signed(body, secret=secret))
    return {_bytes(name).lower(): _bytes(value) for name, value in headers.items()}, body


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def taken_in(inbox: FullAfter, *webhooks: tuple[dict[bytes, bytes], bytes]) -> list[Any]:
    """Take in all in one turn; return their outcomes in that order."""

    async def talk() -> list[Any]:
        intake = WebhookIntake(WebhookSecrets([SECRET]), inbox)  # type: ignore[arg-type]
        deliveries = [intake.take(headers, body) for headers, body in webhooks]
        return await asyncio.gather(*(each.is_new for each in deliveries), return_exceptions=True)

    return asyncio.run(talk())


def test_each_of_a_turn_has_its_own_outcome() -> None:
    """A forged one, one that is no event and one that nobody wants spoil nothing for those before and after them."""
    first, last = event_of(), event_of()
    inbox = FullAfter(10)
    outcomes = taken_in(
        inbox,
        sent(first),
        sent(event_of(), secret=OTHER_SECRET),
        sent(["no event"]),
        sent(event_of() | {"event_type": "device.tampered"}),
        sent(last),
    )
    kinds = [each if isinstance(each, bool) else type(each) for each in outcomes]
    assert kinds == [True, InvalidSignature, NotAnEvent, NotHandled, True]
    assert inbox.taken == [first["event_id"], last["event_id"]]


def test_what_finds_no_room_is_refused() -> None:
    """Those that came before are kept."""
    kinds = [type(each) for each in taken_in(FullAfter(2), *(sent(event_of()) for _ in range(4)))]
    assert kinds == [bool, bool, Unavailable, Unavailable]


@pytest.mark.parametrize("is_genuine", [True, False])
def test_a_sender_that_gave_up_spoils_nothing(*, is_genuine: bool) -> None:
    """The others of its turn are taken in."""

    class Kept(FullAfter):
        def append(self, message_id: str, _: bytes, *, appended: asyncio.Future[bool]) -> asyncio.Future[bool]:
            self.taken.append(message_id)
            if not appended.done():
                appended.set_result(True)
            return appended

    async def talk() -> bool:
        intake = WebhookIntake(WebhookSecrets([SECRET]), Kept(9))  # type: ignore[arg-type]
        gone: Delivery = intake.take(*sent(event_of(), secret=SECRET if is_genuine else OTHER_SECRET))
        other = intake.take(*sent(event_of()))
        gone.is_new.cancel()
        return await other.is_new

    assert asyncio.run(talk())


def test_the_real_inbox_fills_the_future_that_it_is_given() -> None:
    """The one that the endpoint awaits: no other stands between."""

    async def talk() -> bool:
        given: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        inbox = Inbox(None, stream="s", field="f", clock=None)  # type: ignore[arg-type]
        return inbox.append("1", b"m", appended=given) is given

    assert asyncio.run(talk())
