"""Reads request bodies, with a limit for each body, and a limit for all unfinished bodies together."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from starlette.types import Message, Receive

from receiver.refusals import BodyTooLarge, ClientGone, NoRoom

# How many bytes of unfinished bodies one process keeps. The first _UNCOUNTED bytes of each don't count.
_ROOM: Final = 64 * 1024 * 1024
_UNCOUNTED: Final = 16 * 1024
_MOST_DIGITS: Final = 18
# So many bytes of a body that is too large are kept, to find out which booking it is about.
_BEGINNING: Final = 64 * 1024
# The rest of a refused body is read up to so many bytes, if each part comes within so many seconds.
_MOST_DRAINED: Final = 8 * 1024 * 1024
_DRAINED_WITHIN: Final = 2.0

Headers = Mapping[bytes, bytes]
"""Raw headers by their names in lower case. Of a repeated header the last one counts."""


class BodyReader:
    """Reads bodies up to `limit` bytes each; the unfinished bodies of all connections share `room` bytes.

    A body is read before its signature can be checked, so a stranger can make this process keep bytes. The first
    _UNCOUNTED bytes of each body don't count. So a stranger who uses up the room keeps out only large bodies, and
    Seam's events are small.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._room = _ROOM

    async def read(self, receive: Receive, headers: Headers) -> bytes:
        """Return the complete body. Raises BodyTooLarge (the rest is left unread), NoRoom, and ClientGone."""
        declared = headers.get(b"content-length", b"").lstrip(b"0")
        if declared.isdigit() and (len(declared) > _MOST_DIGITS or int(declared) > self._limit):
            raise BodyTooLarge(self._limit)
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            body: bytes = message.get("body", b"")
            if len(body) > self._limit:
                raise BodyTooLarge(self._limit, beginning=body[:_BEGINNING], is_whole=True)
            return body
        return await self._read_parts(message, receive)

    async def beginning(self, too_large: BodyTooLarge, receive: Receive) -> tuple[bytes, bool]:
        """Return the first bytes of a refused body, and whether its end was reached.

        A body that was refused by its declared length is read now: call this only for senders with a valid token. It
        reads at most about _BEGINNING bytes, for at most _DRAINED_WITHIN seconds.
        """
        if too_large.beginning or too_large.is_whole:
            return too_large.beginning, too_large.is_whole
        beginning = bytearray()
        is_over = False
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAINED_WITHIN):
                while len(beginning) < _BEGINNING and not is_over:
                    message = await receive()
                    beginning += message.get("body", b"")
                    is_over = message["type"] == "http.disconnect" or not message.get("more_body", False)
        return bytes(beginning[:_BEGINNING]), is_over

    async def drain(self, receive: Receive, headers: Headers) -> None:
        """Read and drop the rest after BodyTooLarge. A client that reads no answer before it has sent all then gets it.

        It ends at the end of the body, after _MOST_DRAINED bytes, or when nothing comes for _DRAINED_WITHIN seconds.
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
                    is_whole = not message.get("more_body", False)
                    raise BodyTooLarge(self._limit, beginning=bytes(body[:_BEGINNING]), is_whole=is_whole)
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
