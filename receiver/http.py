"""The few HTTP pieces that the hot path needs, without request and response objects."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from starlette.types import Message, Receive, Scope, Send

# Bytes of unfinished bodies over _FREE each that one process keeps.
_ROOM: Final = 64 * 1024 * 1024
_FREE: Final = 16 * 1024

Headers = Mapping[bytes, bytes]
"""Raw headers under their names in lower case; of repeated ones the last."""


class BodyTooLarge(Exception):
    """The body is over the limit, by its own word or while it was read."""


class ClientGone(Exception):
    """The client closed the connection before its request was whole."""


class NoRoom(Exception):
    """Too many large bodies are being read at once; this one should come again."""


def headers_of(scope: Scope) -> Headers:
    """Return the request's headers."""
    return dict(scope["headers"])


class BodyReader:
    """Reads bodies up to a limit each; the unfinished ones of all connections share a room.

    A body is read before its signature can be checked, so strangers can make us keep bytes. What a connection keeps
    under `_FREE` is bounded by the number of connections; what is over it counts for the room. A stranger who fills it
    holds up large bodies alone, and an event of Seam is far from being one.
    """

    def __init__(self, limit: int, *, room: int = _ROOM) -> None:
        self.limit = limit
        self._room = room

    async def read(self, receive: Receive, headers: Headers) -> bytes:
        """Return the whole body.

        Raises BodyTooLarge without reading on, NoRoom, and ClientGone if it never gets whole.
        """
        self._check(headers)
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            body: bytes = message.get("body", b"")
            if len(body) > self.limit:
                raise BodyTooLarge
            return body
        return await self._read_on(message, receive)

    def _check(self, headers: Headers) -> None:
        declared = headers.get(b"content-length", b"").lstrip(b"0")
        if declared.isdigit() and (len(declared) > 18 or int(declared) > self.limit):  # noqa: PLR2004 - beyond any length
            raise BodyTooLarge

    async def _read_on(self, message: Message, receive: Receive) -> bytes:
        body = bytearray()
        taken = 0
        try:
            while True:
                if message["type"] == "http.disconnect":
                    raise ClientGone
                body += message.get("body", b"")
                if len(body) > self.limit:
                    raise BodyTooLarge
                if not message.get("more_body", False):
                    return bytes(body)
                more = max(0, len(body) - _FREE) - taken
                if more > self._room:
                    raise NoRoom
                self._room -= more
                taken += more
                message = await receive()
        finally:
            self._room += taken


class Prepared:
    """An answer that is always the same: as ASGI sends it, and whole as HTTP/1.1 does."""

    def __init__(self, status: int, content: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.body = json.dumps(content, separators=(",", ":")).encode()
        self.headers = _raw(self.body, headers)
        self.wire = self._wire(self.headers)
        """For a connection that stays."""
        self.last_wire = self._wire([*self.headers, (b"connection", b"close")])
        """For one that is closed after it."""

    def _wire(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        lines = [b"HTTP/1.1 %d %s" % (self.status, HTTPStatus(self.status).phrase.encode())]
        lines += [name + b": " + value for name, value in headers]
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body


async def answer_prepared(send: Send, prepared: Prepared) -> None:
    """Send an answer that is ready, as messages."""
    await send({"type": "http.response.start", "status": prepared.status, "headers": prepared.headers})
    await send({"type": "http.response.body", "body": prepared.body})


async def answer(send: Send, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
    """Send a JSON answer."""
    await answer_prepared(send, Prepared(status, body, headers))


def _raw(body: bytes, headers: Mapping[str, str] | None) -> list[tuple[bytes, bytes]]:
    raw = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    return raw + [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
