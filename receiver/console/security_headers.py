"""The headers that every answer of the console carries: nothing but our own files is loaded, nothing is kept."""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_ALWAYS: Final = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


_STATIC: Final = "/static/"


def headers_of(path: str) -> dict[str, str]:
    """Return the headers of the answer to a request of this path.

    Nothing is kept: pages hold guests' bookings. Our own files say nothing of anybody: browsers keep them, and ask each
    time whether they are still the same.
    """
    return {**_ALWAYS, "cache-control": "no-cache" if path.startswith(_STATIC) else "no-store"}


class SecurityHeaders:
    """ASGI middleware that adds them. An answer that says itself how it is cached keeps that."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or the lifespan."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in headers_of(scope.get("path", "")).items():
                    if name != "cache-control" or name not in headers:
                        headers[name] = value
            await send(message)

        await self._app(scope, receive, send_with_headers)
