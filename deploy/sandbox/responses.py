"""What goes back over the connection: a proper answer, or one of the ways not to give one."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import Any, cast

from starlette.types import Receive, Scope, Send

from deploy.sandbox.encoding import JsonObject, to_json_bytes
from deploy.sandbox.errors import ApiError
from deploy.sandbox.faults import Fault, Kind

# The key under which the server's protocol puts "close this connection" into the ASGI scope.
ABORT_EXTENSION = "sandbox.abort"
DEFAULT_HOLD_SECONDS = 60.0
_HTML_502 = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class Ending(Enum):
    """How an answer ends."""

    WHOLE = "whole"
    TRUNCATED = "truncated"
    DISCONNECT = "disconnect"


@dataclass(frozen=True, slots=True)
class RawResponse:
    """An answer; `hold_seconds` passes before its ending."""

    status: int
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    ending: Ending = Ending.WHOLE
    hold_seconds: float = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, or don't."""
        if self.hold_seconds:
            await _hold(receive, self.hold_seconds)
        if self.ending is Ending.DISCONNECT:
            await hang_up(scope, receive)
            return
        lines = {
            "content-type": self.content_type,
            "content-length": str(len(self.body)),
            **self.headers,
        }
        raw = [(name.encode("latin-1"), text.encode("latin-1")) for name, text in lines.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": raw})
        if self.ending is Ending.TRUNCATED:
            half = self.body[: len(self.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            await hang_up(scope, receive, gently=True)
            return
        await send({"type": "http.response.body", "body": self.body})


def json_response(value: JsonObject, status: int = HTTPStatus.OK) -> RawResponse:
    """Return an answer with a JSON body."""
    return RawResponse(status, to_json_bytes(value))


def error_response(error: ApiError) -> RawResponse:
    """Return the answer to a refused API call."""
    headers = {} if error.retry_after is None else {"retry-after": _number(error.retry_after)}
    return RawResponse(error.status, to_json_bytes(error.body()), headers=headers)


def disconnect(hold_seconds: float = 0.0) -> RawResponse:
    """Return no answer: the connection is closed, after a while if asked for."""
    return RawResponse(0, ending=Ending.DISCONNECT, hold_seconds=hold_seconds)


def faulty_response(fault: Fault, honest: RawResponse | None) -> RawResponse:  # noqa: PLR0911 -- one a kind
    """Return what a caller gets to see under a fault.

    `honest` is the true answer, where the call had an effect.
    """
    spec = fault.spec
    match spec.kind:
        case Kind.TIMEOUT_BEFORE | Kind.TIMEOUT_AFTER:
            return disconnect(DEFAULT_HOLD_SECONDS if spec.seconds is None else spec.seconds)
        case Kind.DISCONNECT_BEFORE | Kind.DISCONNECT_AFTER:
            return disconnect()
        case Kind.GARBAGE:
            return RawResponse(spec.status or HTTPStatus.OK, b"\x00\xffnot json {")
        case Kind.HTML_502:
            return RawResponse(spec.status or HTTPStatus.BAD_GATEWAY, _HTML_502, "text/html")
        case Kind.TRUNCATED:
            body = honest.body if honest is not None else to_json_bytes({"ok": True})
            return RawResponse(HTTPStatus.OK, body, ending=Ending.TRUNCATED)
        case Kind.SLOW | Kind.STALE_LIST if honest is not None:
            return honest
        case _:
            return error_response(_error(fault))


_ERRORS = {
    Kind.REFUSE: (HTTPStatus.BAD_REQUEST, "invalid_input", "The provider refused the request."),
    Kind.UNKNOWN_ENDPOINT: (HTTPStatus.NOT_FOUND, "not_found", "No such endpoint."),
    Kind.RATE_LIMIT: (HTTPStatus.TOO_MANY_REQUESTS, "rate_limit_exceeded", "Rate limit exceeded."),
}
_SERVER_ERROR = (HTTPStatus.INTERNAL_SERVER_ERROR, "internal_server_error", "Something went wrong.")


def _error(fault: Fault) -> ApiError:
    spec = fault.spec
    status, error_type, message = _ERRORS.get(spec.kind, _SERVER_ERROR)
    error_type = spec.error_type or error_type
    return ApiError(
        spec.status or status,
        error_type,
        spec.message or message,
        problems={} if error_type == "invalid_input" else None,
        retry_after=spec.retry_after,
    )


async def _hold(receive: Receive, seconds: float) -> None:
    """Wait, but no longer than the caller does."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return


async def hang_up(scope: Scope, receive: Receive, *, gently: bool = False) -> None:
    """Close the connection; gently lets what was written out first.

    Raises:
        ConnectionAbortedError: the server doesn't offer that.

    """
    extensions = cast("dict[str, Any]", scope.get("extensions") or {})
    abort = cast("Callable[[bool], None] | None", extensions.get(ABORT_EXTENSION))
    if abort is None:
        raise ConnectionAbortedError("this server can't close a connection without an answer")
    abort(gently)
    while (await receive())["type"] != "http.disconnect":
        pass


def _number(seconds: float) -> str:
    return str(int(seconds)) if seconds == int(seconds) else str(seconds)
