"""Calls functions at their due times: one heap and one waiting task, however many there are.

A call isn't taken back when plans change: the function that is called looks at the present state, and does nothing if
nothing is due. That is also why no call is persisted: at the start each part schedules its own again.
"""

import asyncio
import heapq
import logging
from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import TypeAlias

from deploy.sandbox.clock import Clock
from deploy.sandbox.store import Store

Callback: TypeAlias = Callable[[], None]

# A wall clock that is set back must not leave the task asleep for the difference.
_LONGEST_SLEEP_SECONDS = 1.0
# After so many calls in a row the event loop serves others first.
_RUN_LENGTH = 32

_log = logging.getLogger(__name__)


class Scheduler:
    """Calls each function once, not before it is due, and within one transaction of the store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Start with nothing due."""
        self._store = store
        self._clock = clock
        self._heap: list[tuple[datetime, int, Callback]] = []
        self._order = count()
        self._changed = asyncio.Event()

    def call_at(self, due_at: datetime, callback: Callback) -> None:
        """Call a function at or after an instant; at once if that has passed."""
        heapq.heappush(self._heap, (due_at, next(self._order), callback))
        if self._heap[0][2] is callback:
            self._changed.set()

    async def run(self) -> None:
        """Call what is due, for ever."""
        in_a_row = 0
        while True:
            if self._heap and self._heap[0][0] <= self._clock():
                self._call_next()
                in_a_row += 1
                if in_a_row % _RUN_LENGTH == 0:
                    await asyncio.sleep(0)
            else:
                await self._sleep()

    def _call_next(self) -> None:
        _, _, callback = heapq.heappop(self._heap)
        try:
            with self._store.batch():
                callback()
        except Exception:  # noqa: BLE001 -- one failing call must not end the others
            _log.exception("scheduled call failed")

    async def _sleep(self) -> None:
        self._changed.clear()
        seconds = _LONGEST_SLEEP_SECONDS
        if self._heap:
            seconds = min(seconds, (self._heap[0][0] - self._clock()).total_seconds())
        try:
            async with asyncio.timeout(max(seconds, 0.001)):
                await self._changed.wait()
        except TimeoutError:
            return
