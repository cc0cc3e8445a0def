"""How many webhooks are worked on at once; the others wait in line for a moment, or are refused.

The event loop handles all requests that have arrived before it turns to anything else. Verifying thousands of them
between two steps of an append would make every answer late by seconds. Those in line cost nothing until it is their
turn.
"""

import asyncio
from typing import Final, Self

from receiver.refusals import Unavailable

_AT_ONCE: Final = 64
_IN_LINE: Final = 8192
# Seconds. A sender comes again after a refusal, and gives up on an answer that is late.
_LONGEST_WAIT: Final = 2.0
# Bytes. Events of Seam are smaller, and thousands of larger bodies in line would fill the memory.
_LARGE: Final = 16 * 1024


class Admission:
    """`async with admission.of(body):` waits for its turn, in the order of arrival. For one event loop."""

    def __init__(
        self, *, at_once: int = _AT_ONCE, in_line: int = _IN_LINE, longest_wait: float = _LONGEST_WAIT
    ) -> None:
        """`longest_wait`: in seconds."""
        self._turns = asyncio.Semaphore(at_once)
        self._room_in_line = in_line
        self._longest_wait = longest_wait

    def of(self, body: bytes) -> Self:
        """Return what to enter with this body. Raises Unavailable for a large one that would have to wait."""
        if len(body) > _LARGE and self._turns.locked():
            raise Unavailable
        return self

    def check_room(self) -> None:
        """Raise Unavailable if a request would have to wait now and finds no place in line: it need not be read."""
        if self._turns.locked() and self._room_in_line <= 0:
            raise Unavailable

    async def __aenter__(self) -> None:
        """Wait for a turn. Raises Unavailable where the line is too long, or the wait is."""
        self.check_room()
        if not self._turns.locked():
            await self._turns.acquire()
            return
        self._room_in_line -= 1
        try:
            async with asyncio.timeout(self._longest_wait):
                await self._turns.acquire()
        except TimeoutError:
            raise Unavailable from None
        finally:
            self._room_in_line += 1

    async def __aexit__(self, *_: object) -> None:
        """Give the turn to the next in line."""
        self._turns.release()
