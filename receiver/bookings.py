"""`POST /bookings`: a booking system that can't write to the stream sends one booking message by HTTP.

`shared.booking_stream` decides whether a message is a repeat of an earlier one.
"""

from collections.abc import Collection
from typing import Final

from starlette.responses import Response
from starlette.types import Receive

from receiver.bodies import BodyReader, Headers
from receiver.inbox import Inbox
from receiver.refusals import BodyTooLarge, json_response
from receiver.refused_bookings import RefusedBookings
from receiver.tokens import BearerTokens
from shared import metrics
from shared.booking_message_redaction import without_secrets
from shared.booking_stream import seen_mark
from shared.clock import Clock
from shared.domain.messages.beginning import whole_part
from shared.domain.messages.far_ahead import check_not_far_ahead
from shared.domain.messages.hints import hints_of
from shared.domain.messages.message import (
    BookingMessage,
    InvalidMessage,
    MessageType,
    Problem,
    stay_of,
    unknown_unit,
)
from shared.domain.messages.outer_type import check_outer_type, outer_type
from shared.domain.messages.parse import parse_booking_message
from shared.domain.quoting import quoted
from shared.domain.stay.clock_changes import clock_change_notes

_GZIP: Final = b"\x1f\x8b"


class Bookings:
    """Handles booking messages. A request needs one of `tokens`."""

    def __init__(
        self,
        *,
        tokens: BearerTokens,
        inbox: Inbox,
        bodies: BodyReader,
        units: Collection[str] | None,
        refused: RefusedBookings,
        status_words: Collection[str],
        clock: Clock,
    ) -> None:
        """Refuse units that aren't in `units`. None: `web` doesn't know the units, and the worker checks them.

        What is refused is noted in `refused`. `status_words` say that a booking stands, by `status_key`.
        """
        self._tokens = tokens
        self._inbox = inbox
        self._bodies = bodies
        self._units = units
        self._refused = refused
        self._status_words = status_words
        self._clock = clock

    async def handle(self, headers: Headers, receive: Receive) -> Response:
        """Answer 202 once the message is stored durably. Idempotent: a repeat is answered as a duplicate.

        Raises InvalidToken before the body is read; InvalidMessage, the refusals of `BodyReader`, and Unavailable.
        """
        self._tokens.check(headers)
        text = ""
        try:
            text = without_secrets(_text(await self._bodies.read(receive, headers), headers))
            message = self._usable(text, headers)
        except InvalidMessage as invalid:
            await self._refused.note(text, invalid.problems)
            raise
        except BodyTooLarge as too_large:
            beginning, is_over = await self._bodies.beginning(too_large, receive)
            text = whole_part(beginning)
            await self._refused.note(text, _too_large(text, too_large.limit, headers))
            if not is_over:
                await self._bodies.drain(receive, headers)
            raise
        name, mark = seen_mark(message)
        is_new = await self._inbox.append(name, text, mark=mark)
        status = "accepted" if is_new else "duplicate"
        metrics.BOOKINGS_ACCEPTED.add(status)
        notes = clock_change_notes(message.check_in, message.check_out)
        answer = {"status": status, "booking_id": message.booking_id} | ({"notes": notes} if notes else {})
        return json_response(202, answer)

    def _usable(self, text: str, headers: Headers) -> BookingMessage:
        """Return the message. Raises InvalidMessage."""
        message = parse_booking_message(text, self._status_words)
        check_outer_type(_outside(headers), message, self._status_words)
        if self._units is not None and message.unit is not None and message.unit not in self._units:
            raise InvalidMessage((unknown_unit(message.unit, self._units),))
        if message.type is not MessageType.CANCELLED:
            check_not_far_ahead(message.check_in, self._clock())
        if message.unit is None and message.type is not MessageType.CANCELLED:
            # Without a unit there is no default time of day for a date. The sender is told that now: nothing is parked.
            stay_of(message, None)
        return message


def _outside(headers: Headers) -> dict[str, str]:
    """Return what stands beside the message in its headers."""
    return {name.decode("latin-1"): _header(value) for name, value in headers.items()}


def _header(value: bytes) -> str:
    """Return a header's value; systems send UTF-8 there, though nothing allows it."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _too_large(text: str, limit: int, headers: Headers) -> list[Problem]:
    """Return what is wrong with a message of which only the beginning was read, `text`."""
    unnamed = "" if hints_of(text).booking_id else ", and its beginning names no booking: it may be of any"
    problems = [Problem("message", f"is over {limit} bytes{unnamed}", "send the fields of the booking alone")]
    found = outer_type(_outside(headers))
    return [*problems, found.problem()] if found is not None and found.cancels else problems


def _text(body: bytes, headers: Headers) -> str:
    """Return the body as text, without the byte order mark that some systems put first. Raises InvalidMessage."""
    coding = headers.get(b"content-encoding", b"identity").strip().lower()
    if coding not in (b"", b"identity") or body.startswith(_GZIP):
        how = "gzip" if body.startswith(_GZIP) else quoted(coding.decode("latin-1"))
        raise InvalidMessage((Problem("message", f"is compressed ({how})", "send it as plain JSON in UTF-8"),))
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidMessage((Problem("message", "is not UTF-8", "send one JSON object in UTF-8"),)) from None
