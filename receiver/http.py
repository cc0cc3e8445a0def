"""The few HTTP pieces that the hot path needs, without request and response objects."""

import json
from collections.abc import Mapping
from typing import Any, Final

from starlette.types import Message, Receive, Scope, Send

# Bytes of unfinished bodies over _FREE each that one process keeps.
_ROOM: Final = 64 * 1024 * 1024
_FREE: Final = 16 * 1024


class BodyTooLarge(Exception):
    """The body is over the limit, by its own word or while it was read."""


class ClientGone(Exception):
    """The client closed the connection before its request was whole."""


class NoRoom(Exception):
    """Too many large bodies are being read at once; this one should come again."""


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """Return the request's headers, lower-case names, the last of repeated ones."""
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

    async def read(self, receive: Receive, headers: Mapping[bytes, bytes]) -> bytes:
        """Return the whole body.

        Raises BodyTooLarge without reading on, NoRoom, and ClientGone if it never gets whole.
        """
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and (len(declared) > 18 or int(declared) > self.limit):  # noqa: PLR2004 - beyond any length
            raise BodyTooLarge
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            body: bytes = message.get("body", b"")
            if len(body) > self.limit:
                raise BodyTooLarge
            return body
        return await self._read_on(message, receive)

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


async def answer(send: Send, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
    """Send a JSON answer."""
    await answer_bytes(send, status, json.dumps(body).encode(), headers)


async def answer_bytes(send: Send, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
    """Send an answer whose JSON body is ready."""
    raw = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    raw += [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
