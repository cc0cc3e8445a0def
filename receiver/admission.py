"""Limits how many webhooks are verified and appended at once. Others wait in line for a moment, or are refused.

The event loop handles all requests that have arrived before it does anything else. Verifying thousands of them between
two steps of an append would delay every answer by seconds. A request in line costs nothing until its turn. The messages
that wait for their append are bounded by `receiver.inbox`.
"""

import asyncio
from typing import Final, Self

from receiver.refusals import Unavailable

_AT_ONCE: Final = 64
_IN_LINE: Final = 8192
# Seconds. A sender tries again after a refusal, but gives up on a late answer.
_LONGEST_WAIT: Final = 2.0
# Bytes. Seam's events are smaller. Thousands of larger bodies in line would fill the memory.
_LARGE: Final = 16 * 1024


class Admission:
    """`async with admission.of(body):` waits for a turn, in the order of arrival. For one event loop."""

    def __init__(
        self, *, at_once: int = _AT_ONCE, in_line: int = _IN_LINE, longest_wait: float = _LONGEST_WAIT
    ) -> None:
        """`longest_wait`: in seconds."""
        self._turns = asyncio.Semaphore(at_once)
        self._room_in_line = in_line
        self._longest_wait = longest_wait

    def of(self, body: bytes) -> Self:
        """Return the context manager for this body. Raises Unavailable if the body is large and would have to wait."""
        if len(body) > _LARGE and self._turns.locked():
            raise Unavailable
        return self

    def check_room(self) -> None:
        """Raise Unavailable if a request would have to wait and the line is full: then its body needn't be read."""
        if self._room_in_line <= 0 and self._turns.locked():
            raise Unavailable

    async def __aenter__(self) -> None:
        """Wait for a turn. Raises Unavailable if the line is full, or after `longest_wait` seconds."""
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
        """Pass the turn to the next request in line."""
        self._turns.release()
