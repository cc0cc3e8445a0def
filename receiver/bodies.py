"""Reads request bodies: up to a limit each, and all unfinished ones together up to a limit."""

import asyncio
from collections.abc import Mapping
from typing import Final

from starlette.types import Message, Receive

from receiver.refusals import BodyTooLarge, ClientGone, NoRoom

# How many bytes of unfinished bodies one process keeps, beside _UNCOUNTED of each.
_ROOM: Final = 64 * 1024 * 1024
_UNCOUNTED: Final = 16 * 1024
_MOST_DIGITS: Final = 18
# A refused body is read on for so many bytes, each part within so many seconds.
_MOST_DRAINED: Final = 8 * 1024 * 1024
_DRAINED_WITHIN: Final = 2.0

Headers = Mapping[bytes, bytes]
"""Raw headers under their names in lower case; of repeated ones the last."""


class BodyReader:
    """Reads bodies up to `limit` bytes each; the unfinished bodies of all connections share `room` bytes.

    A body is read before its signature can be checked, so strangers can make this process keep bytes. The first
    _UNCOUNTED bytes of each body don't count. So a stranger who fills the room keeps out large bodies only, and Seam's
    events are small.
    """

    def __init__(self, limit: int, *, room: int = _ROOM) -> None:
        self._limit = limit
        self._room = room

    async def read(self, receive: Receive, headers: Headers) -> bytes:
        """Return the whole body. Raises BodyTooLarge (without reading on), NoRoom, and ClientGone."""
        declared = headers.get(b"content-length", b"").lstrip(b"0")
        if declared.isdigit() and (len(declared) > _MOST_DIGITS or int(declared) > self._limit):
            raise BodyTooLarge(self._limit)
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            body: bytes = message.get("body", b"")
            if len(body) > self._limit:
                raise BodyTooLarge(self._limit, is_whole=True)
            return body
        return await self._read_parts(message, receive)

    async def drain(self, receive: Receive, headers: Headers) -> None:
        """Read on after BodyTooLarge, and keep nothing: clients that send before they read then get their answer.

        Ends where the body does, at _MOST_DRAINED bytes, or when nothing comes for _DRAINED_WITHIN.
        """
        declared = headers.get(b"content-length", b"0")
        if len(declared.lstrip(b"0")) > len(str(_MOST_DRAINED)):
            return
        drained = 0
        while drained < _MOST_DRAINED:
            try:
                async with asyncio.timeout(_DRAINED_WITHIN):
                    message = await receive()
            except TimeoutError:
                return
            drained += len(message.get("body", b""))
            if message["type"] == "http.disconnect" or not message.get("more_body", False):
                return

    async def _read_parts(self, message: Message, receive: Receive) -> bytes:
        body = bytearray()
        taken = 0
        try:
            while True:
                if message["type"] == "http.disconnect":
                    raise ClientGone
                body += message.get("body", b"")
                if len(body) > self._limit:
                    raise BodyTooLarge(self._limit, is_whole=not message.get("more_body", False))
                if not message.get("more_body", False):
                    return bytes(body)
                more = max(0, len(body) - _UNCOUNTED) - taken
                if more > self._room:
                    raise NoRoom
                self._room -= more
                taken += more
                message = await receive()
        finally:
            self._room += taken
