"""`POST /webhooks/seam`: verify, take the PINs out, append durably, answer. Nothing else, and nothing before.

A plain ASGI endpoint: Starlette routes to it, the request and response objects that cost more than the signature are
left out. The order of the checks is the contract's table: size, signature, readable, ours, new.
"""

import asyncio
import json
from typing import Any, Final

import structlog
from pydantic_core import from_json
from starlette.types import Receive, Scope, Send

from receiver.http import (
    BodyReader,
    BodyTooLarge,
    ClientGone,
    NoRoom,
    Prepared,
    answer_prepared,
    answered_at_once,
    headers_of,
)
from receiver.inbox import Inbox, Sidelines, Unavailable, as_ascii
from receiver.rejections import Rejections
from receiver.verification import InvalidSignature, Verifier
from shared.clock import Clock
from shared.contracts import EVENT_FIELD, LONGEST_ID, is_id
from shared.parked import Parked
from shared.redaction import mask_digits, redact_event

_OURS: Final = "access_code."
_MOST_PARKED_TEXT: Final = 20_000
# Seconds that a line of the log waits for more events, and of how many it tells.
_A_MOMENT: Final = 0.05
_LONGEST_LINE: Final = 100
RETRY_AFTER: Final = {"retry-after": "5"}
_ACCEPTED: Final = Prepared(202, {"status": "accepted"})
_DUPLICATE: Final = Prepared(202, {"status": "duplicate"})
_IGNORED: Final = Prepared(202, {"status": "ignored"})
_PARKED: Final = Prepared(202, {"status": "parked"})
_NOT_ALLOWED: Final = Prepared(405, {"error": "method_not_allowed"}, {"allow": "POST"})
_UNAVAILABLE: Final = Prepared(503, {"error": "unavailable"}, RETRY_AFTER)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class NotAnEvent(ValueError):
    """A genuine delivery that isn't a JSON object with `event_id` and `event_type`."""


class _GroupedLines:
    """One log line for all events of a moment: a line each cost more than accepting them."""

    def __init__(self) -> None:
        self._events: list[tuple[str, str, str, bool]] = []
        self._timer: asyncio.TimerHandle

    def tell(self, event_id: str, event_type: str, delivery_id: str, *, is_new: bool) -> None:
        """Keep an event for the next line."""
        self._events.append((event_id, event_type, delivery_id, is_new))
        if len(self._events) == 1:
            self._timer = asyncio.get_running_loop().call_later(_A_MOMENT, self._write)
        elif len(self._events) >= _LONGEST_LINE:
            self._timer.cancel()
            self._write()

    def _write(self) -> None:
        """Write the line: its lists are in the same order."""
        events, self._events = self._events, []
        event_ids, event_types, delivery_ids, news = zip(*events, strict=True)
        log.info(
            "webhooks.accepted",
            count=len(events),
            repeated=news.count(False),
            event_types=sorted(set(event_types)),
            event_ids=event_ids,
            delivery_ids=delivery_ids,
        )


class SeamWebhook:
    """The endpoint. Every answer is one of the contract's table, in every weather."""

    def __init__(
        self,
        *,
        verifier: Verifier,
        inbox: Inbox,
        sidelines: Sidelines,
        clock: Clock,
        bodies: BodyReader,
        rejections: Rejections,
        stream: str,
    ) -> None:
        self._verifier = verifier
        self._inbox = inbox
        self._sidelines = sidelines
        self._clock = clock
        self._bodies = bodies
        self._rejections = rejections
        self._stream = stream
        self._told = _GroupedLines()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            prepared = await self._take(scope, receive)
        except ClientGone:
            return
        except InvalidSignature:
            await self._rejections.answer(scope, send, "invalid_signature")
            return
        except BodyTooLarge:
            prepared = Prepared(413, {"error": "body_too_large", "limit_bytes": self._bodies.limit})
        except (Unavailable, NoRoom):
            prepared = _UNAVAILABLE
        if not answered_at_once(scope, prepared):
            await answer_prepared(send, prepared)

    async def _take(self, scope: Scope, receive: Receive) -> Prepared:
        if scope["method"] != "POST":
            return _NOT_ALLOWED
        # Past capacity the refusal must cost next to nothing, or refusing is what there is no time for.
        self._inbox.check_room()
        headers = headers_of(scope)
        body = self._bodies.at_hand(scope, headers)
        if body is None:
            body = await self._bodies.read(receive, headers)
        delivery_id = self._verifier.verify(body, headers)
        try:
            event = parse_event(body)
        except NotAnEvent as reason:
            await self._park(delivery_id, body, str(reason))
            return _PARKED
        event_id, event_type = event["event_id"], event["event_type"]
        if not event_type.startswith(_OURS):
            await self._sidelines.count_ignored(event_type)
            return _IGNORED
        is_new = await self._inbox.append(event_id, as_ascii(event))
        self._told.tell(event_id, event_type, delivery_id, is_new=is_new)
        return _ACCEPTED if is_new else _DUPLICATE

    async def _park(self, delivery_id: str, body: bytes, reason: str) -> None:
        log.warning("webhook.parked", delivery_id=delivery_id, reason_text=reason)
        parked = Parked(
            stream=self._stream,
            field=EVENT_FIELD,
            source_id=delivery_id,
            message=readable_text(body),
            problems=(reason,),
            parked_at=self._clock().isoformat(),
        )
        await self._sidelines.park(parked)


def parse_event(body: bytes) -> dict[str, Any]:
    """Return the event without its PINs. Raises NotAnEvent, whatever the body holds."""
    try:
        event = _loaded(body)
        if not isinstance(event, dict):
            raise NotAnEvent("the body is not a JSON object")
        for name in ("event_id", "event_type"):
            if not is_id(event.get(name)):
                raise NotAnEvent(f"{name} is not a text of 1 to {LONGEST_ID} printable characters")
        return redact_event(event)
    except (RecursionError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise NotAnEvent("the body is not JSON that can be read") from error
    except ValueError as error:
        if isinstance(error, NotAnEvent):
            raise
        # A number of more digits than Python reads.
        raise NotAnEvent("the body holds a number that can't be read") from error


def _loaded(body: bytes) -> Any:
    try:
        # Twice as fast as the library's own, which decides what that can't read: lone surrogates, byte order marks.
        return from_json(body)
    except ValueError:
        return json.loads(body)


def readable_text(body: bytes) -> str:
    """Return a body that can't be parsed as masked text: for a person's eyes, with no PIN in it."""
    return mask_digits(body[:_MOST_PARKED_TEXT].decode("utf-8", errors="backslashreplace"))
