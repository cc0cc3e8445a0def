"""`POST /bookings`: a booking system that can't reach the stream hands over one booking message by HTTP."""

import hmac
from collections.abc import Container

from starlette.types import Receive, Scope, Send

from receiver.http import BodyReader, BodyTooLarge, ClientGone, Headers, NoRoom, answer, headers_of
from receiver.inbox import Inbox, Unavailable
from receiver.rejections import Rejections
from receiver.webhook import RETRY_AFTER
from shared.domain.booking_messages import parse_booking_message
from shared.domain.bookings import InvalidMessage, Problem, unknown_unit


class BookingEndpoint:
    """The endpoint; without tokens it isn't there (404)."""

    def __init__(
        self,
        *,
        tokens: tuple[str, ...],
        inbox: Inbox,
        bodies: BodyReader,
        rejections: Rejections,
        units: Container[str] | None = None,
    ) -> None:
        """Refuse units that are not among `units`; None: `web` doesn't know them, and the worker will."""
        self._tokens = tuple(token.encode() for token in tokens)
        self._inbox = inbox
        self._bodies = bodies
        self._rejections = rejections
        self._units = units

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        headers = headers_of(scope)
        if not self._tokens:
            await answer(send, 404, {"error": "not_found"})
        elif scope["method"] != "POST":
            await answer(send, 405, {"error": "method_not_allowed"}, {"allow": "POST"})
        elif not self._is_allowed(headers.get(b"authorization", b"")):
            await self._rejections.answer(scope, send, "unauthorized", {"www-authenticate": "Bearer"})
        else:
            await self._take(headers, receive, send)

    async def _take(self, headers: Headers, receive: Receive, send: Send) -> None:
        try:
            body = await self._bodies.read(receive, headers)
            text = _text(body)
            message = parse_booking_message(text)
            self._check_unit(message.unit)
            mark = f"{message.source}\x1f{message.message_id}"
            is_new = await self._inbox.append(mark, text)
        except ClientGone:
            return
        except BodyTooLarge:
            await answer(send, 413, {"error": "body_too_large", "limit_bytes": self._bodies.limit})
        except InvalidMessage as invalid:
            problems = [{"field": each.field, "wrong": each.wrong, "right": each.right} for each in invalid.problems]
            await answer(send, 400, {"error": "invalid_booking", "problems": problems})
        except (Unavailable, NoRoom):
            await answer(send, 503, {"error": "unavailable"}, RETRY_AFTER)
        else:
            status = "accepted" if is_new else "duplicate"
            await answer(send, 202, {"status": status, "booking_id": message.booking_id})

    def _check_unit(self, unit: str | None) -> None:
        if self._units is not None and unit is not None and unit not in self._units:
            raise InvalidMessage((unknown_unit(unit),))

    def _is_allowed(self, authorization: bytes) -> bool:
        scheme, _, token = authorization.partition(b" ")
        # Every token is compared, each in constant time: how long it takes tells nothing.
        matches = [hmac.compare_digest(token.strip(), known) for known in self._tokens]
        return scheme.lower() == b"bearer" and any(matches)


def _text(body: bytes) -> str:
    """Return the body as text, without the byte order mark that some systems put first. Raises InvalidMessage."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidMessage((Problem("message", "is not UTF-8", "send one JSON object in UTF-8"),)) from None
