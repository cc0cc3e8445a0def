"""What is due when: one heap and one waiting task, however many codes and deliveries there are.

An entry is only a reminder. It isn't taken back when plans change: who is reminded looks at the
present state and does nothing if nothing is due. That is also why nothing here is persisted.
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

Reminder: TypeAlias = Callable[[], None]

# A wall clock that is set back must not leave the task asleep for the difference.
_LONGEST_SLEEP_SECONDS = 1.0
# After so many reminders in a row the event loop serves others first.
_RUN_LENGTH = 32

_log = logging.getLogger(__name__)


class Agenda:
    """Calls each reminder once, not before it is due, and within one transaction of the store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Start with nothing due."""
        self._store = store
        self._clock = clock
        self._heap: list[tuple[datetime, int, Reminder]] = []
        self._order = count()
        self._changed = asyncio.Event()

    def add(self, due_at: datetime, remind: Reminder) -> None:
        """Remind at or after an instant; at once if it has passed."""
        heapq.heappush(self._heap, (due_at, next(self._order), remind))
        if self._heap[0][2] is remind:
            self._changed.set()

    async def run(self) -> None:
        """Remind for ever."""
        in_a_row = 0
        while True:
            if self._heap and self._heap[0][0] <= self._clock():
                self._remind()
                in_a_row += 1
                if in_a_row % _RUN_LENGTH == 0:
                    await asyncio.sleep(0)
            else:
                await self._sleep()

    def _remind(self) -> None:
        _, _, remind = heapq.heappop(self._heap)
        try:
            with self._store.batch():
                remind()
        except Exception:  # noqa: BLE001 -- one bad reminder must not end time
            _log.exception("reminder failed")

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
