"""Why a request is refused, and the HTTP answer to each refusal: one table for all endpoints."""

import json
from collections.abc import Mapping
from typing import Any, Final, Literal, assert_never, get_args

from starlette.responses import Response

from shared.domain.messages.message import InvalidMessage

# Seconds after which a sender should send again (the header Retry-After of a 503).
_RETRY_AFTER: Final = "5"


class ClientGone(Exception):
    """The client closed the connection before its request was complete. No answer is sent."""


class BodyTooLarge(Exception):
    """The body is over the limit: by its declared length, or while it was read.

    `beginning`: its first bytes, as far as they were read. `is_whole`: nothing more comes.
    """

    def __init__(self, limit: int, *, beginning: bytes = b"", is_whole: bool = False) -> None:
        super().__init__(limit)
        self.limit = limit
        self.beginning = beginning
        self.is_whole = is_whole


class NoRoom(Exception):
    """Too many large bodies are being read at once. The client should send this one again."""


class Unavailable(Exception):
    """The message can't be stored, or the request can't be answered, just now. The client should send it again."""


SignatureFault = Literal["missing_headers", "malformed_headers", "too_old", "too_new", "wrong_signature", "slack"]
"""Why a signature is invalid; `slack` is any fault of a request to `/slack/actions`."""


class InvalidSignature(Exception):
    """The signature doesn't prove that the request is from Seam or Slack.

    `reason` is for logs and counts. The answer is the same for every reason, so that a forger learns nothing.
    """

    def __init__(self, reason: SignatureFault) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidToken(Exception):
    """The request has no valid bearer token."""

    reason: Final = "invalid_token"


class TooManyAuthFailures(Exception):
    """The client has failed too often this minute. `retry_after`: seconds until the minute ends."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class UnreadableForm(Exception):
    """Slack signed a body that isn't one of its forms."""


AuthFailure = InvalidSignature | InvalidToken
Refusal = AuthFailure | TooManyAuthFailures | BodyTooLarge | NoRoom | Unavailable | InvalidMessage | UnreadableForm
REFUSALS: Final[tuple[type[Refusal], ...]] = get_args(Refusal)


def response_to(refusal: Refusal) -> Response:
    """Return the answer to a refused request."""
    headers: Mapping[str, str] | None = None
    content: dict[str, Any]
    match refusal:
        case InvalidSignature():
            status, content = 401, {"error": "invalid_signature"}
        case InvalidToken():
            status, content, headers = 401, {"error": "unauthorized"}, {"www-authenticate": "Bearer"}
        case TooManyAuthFailures(retry_after=seconds):
            status, content, headers = 429, {"error": "too_many_rejections"}, {"retry-after": str(seconds)}
        case BodyTooLarge(limit=limit):
            status, content = 413, {"error": "body_too_large", "limit_bytes": limit}
        case NoRoom() | Unavailable():
            status, content, headers = 503, {"error": "unavailable"}, {"retry-after": _RETRY_AFTER}
        case InvalidMessage(problems=problems):
            listed = [{"field": each.field, "wrong": each.wrong, "right": each.right} for each in problems]
            status, content = 400, {"error": "invalid_booking", "problems": listed}
        case UnreadableForm():
            status, content = 400, {"error": "unreadable"}
        case _:
            assert_never(refusal)
    return json_response(status, content, headers)


def json_response(status: int, content: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer in JSON. It is in ASCII, so that half a surrogate pair in a text does no harm."""
    return Response(json.dumps(content, separators=(",", ":")), status, headers, media_type="application/json")
