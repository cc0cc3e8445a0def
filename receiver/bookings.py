"""`POST /bookings`: a booking system that can't reach the stream hands over one booking message by HTTP."""

from collections.abc import Container

from starlette.responses import Response
from starlette.types import Receive

from receiver.bodies import BodyReader, Headers
from receiver.inbox import Inbox
from receiver.refusals import BodyTooLarge, json_response
from receiver.refused_bookings import RefusedBookings
from receiver.tokens import BearerTokens
from shared import metrics
from shared.booking_stream import seen_mark
from shared.domain.messages.message import (
    BookingMessage,
    InvalidMessage,
    MessageType,
    Problem,
    stay_of,
    unknown_unit,
)
from shared.domain.messages.parse import parse_booking_message
from shared.message_redaction import without_secrets


class Bookings:
    """Handles booking messages that show one of `tokens`."""

    def __init__(
        self,
        *,
        tokens: BearerTokens,
        inbox: Inbox,
        bodies: BodyReader,
        units: Container[str] | None,
        refused: RefusedBookings,
    ) -> None:
        """Refuse units that are not among `units`; None: `web` doesn't know the units, and the worker checks them.

        What is refused is noted in `refused`.
        """
        self._tokens = tokens
        self._inbox = inbox
        self._bodies = bodies
        self._units = units
        self._refused = refused

    async def handle(self, headers: Headers, receive: Receive) -> Response:
        """Answer once the message is on disk. Raises InvalidToken before the body is read, InvalidMessage, and more.

        The rest are the refusals of `BodyReader`, and Unavailable.
        """
        self._tokens.check(headers)
        text = ""
        try:
            text = without_secrets(_text(await self._bodies.read(receive, headers)))
            message = self._usable(text)
        except InvalidMessage as invalid:
            await self._refused.note(text, invalid.problems)
            raise
        except BodyTooLarge as too_large:
            await self._refused.note("", [Problem("message", f"is over {too_large.limit} bytes", "send less")])
            if not too_large.is_whole:
                await self._bodies.drain(receive, headers)
            raise
        name, mark = seen_mark(message)
        is_new = await self._inbox.append(name, text, mark=mark)
        status = "accepted" if is_new else "duplicate"
        metrics.BOOKINGS_ACCEPTED.add(status)
        return json_response(202, {"status": status, "booking_id": message.booking_id})

    def _usable(self, text: str) -> BookingMessage:
        """Return the message. Raises InvalidMessage."""
        message = parse_booking_message(text)
        if self._units is not None and message.unit is not None and message.unit not in self._units:
            raise InvalidMessage((unknown_unit(message.unit),))
        if message.unit is None and message.type is not MessageType.CANCELLED:
            # A date alone has no time of day then; better said now than found out among the parked messages.
            stay_of(message, None)
        return message


def _text(body: bytes) -> str:
    """Return the body as text, without the byte order mark that some systems put first. Raises InvalidMessage."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidMessage((Problem("message", "is not UTF-8", "send one JSON object in UTF-8"),)) from None
