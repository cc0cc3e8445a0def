"""Quarantine: entries of a stream that come back again and again are tried alone, and set aside in the end.

An entry is idle for too long where its task or Celery's message was lost, where all work is late, or where the entry
kills its worker. It is dispatched again: the first time together with others, then alone. If it comes back often, it is
a suspect: suspects go one by one, so that an entry that kills its worker takes no other with it. After MOST_DELIVERIES
it is parked, for a person to look at.

`worker.handlers.quarantine_door` does this for items of the due-set.
"""

from collections import deque
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

import structlog
from redis import Redis

from shared.replicas import begin_step, check_replicas
from shared.streams import CONSUMER, GROUP, acknowledge

# A task that was lost with its worker comes again; one that fails this often never succeeds.
MOST_DELIVERIES: Final = 5
# Where all work is late, thousands come back. Alone, each would be as much work as a hundred together, and all would be
# later still.
_ALONE_AFTER: Final = 2
# Entries that ran beside one that killed its worker come back as often as that one. From this count on they come one by
# one.
_SUSPECT_AFTER: Final = 3

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class EntryQuarantine:
    """Dispatches entries of one stream again that came back, and parks those that come back too often."""

    def __init__(
        self,
        *,
        redis: Redis,
        stream: str,
        count: int,
        reclaim_after: timedelta,
        send: Callable[[list[str]], None],
        park: Callable[[str, Mapping[str, str]], None],
    ) -> None:
        """Take over entries that have been idle for `reclaim_after`, `count` at a time."""
        self._redis = redis
        self._stream = stream
        self._count = count
        self._reclaim_after_ms = int(reclaim_after.total_seconds() * 1000)
        self._send = send
        self._park = park
        self._suspects: deque[tuple[int, str]] = deque()
        self._tried: str | None = None

    def reclaim(self) -> int:
        """Dispatch again what has been idle for too long; return how many entries that were.

        What comes back for the first time goes together, else each entry goes alone. Suspects are tried one after the
        other by `try_suspect`. Those that came back least often go first: then the others are done before the culprit
        is tried again. While replicas are missing nothing can be stored for good, which is no fault of the entries:
        then raises NotOnReplicas, and counts none.
        """
        check_replicas(self._redis)
        found = self._claim_idle()
        if not found:
            return 0
        log.warning("entries.reclaimed", stream=self._stream, count=len(found))
        late = [entry_id for entry_id, times in found.items() if times < _ALONE_AFTER]
        for start in range(0, len(late), self._count):
            self._dispatch(late[start : start + self._count], 1)
        for entry_id, times in found.items():
            if _ALONE_AFTER <= times < _SUSPECT_AFTER:
                self._dispatch([entry_id], times)
        suspects = sorted((times, entry_id) for entry_id, times in found.items() if times >= _SUSPECT_AFTER)
        self._suspects = deque(suspects)
        return len(found)

    def try_suspect(self) -> None:
        """Dispatch the next suspect, once the one before is done."""
        if self._suspects and not (self._tried and self._is_pending(self._tried)):
            times, self._tried = self._suspects.popleft()
            self._dispatch([self._tried], times)

    def _claim_idle(self) -> dict[str, int]:
        """Take over idle entries; return how often each was handed over so far. Taking over isn't counted as that."""
        found: dict[str, int] = {}
        start = "-"
        while True:
            idle: Any = self._redis.xpending_range(
                self._stream, GROUP, start, "+", self._count, idle=self._reclaim_after_ms
            )
            if not idle:
                return found
            times = {each["message_id"]: int(each["times_delivered"]) for each in idle}
            # Another worker may be doing the same: each gets what is still idle when it asks.
            ours: Any = self._redis.xclaim(
                self._stream, GROUP, CONSUMER, self._reclaim_after_ms, list(times), justid=True
            )
            found |= {entry_id: times[entry_id] for entry_id in ours}
            start = f"({idle[-1]['message_id']}"

    def _is_pending(self, entry_id: str) -> bool:
        return bool(self._redis.xpending_range(self._stream, GROUP, entry_id, entry_id, 1))

    def _dispatch(self, entry_ids: list[str], before: int) -> None:
        """Hand entries over again, or park them; `before`: how often they were handed over so far."""
        step = begin_step(self._redis)
        # Counted before they are sent: a task may kill this process.
        claimed: Any = self._redis.xclaim(self._stream, GROUP, CONSUMER, 0, [*entry_ids])
        # Redis before 7 names an entry that was deleted as None.
        found = {entry_id: fields for entry_id, fields in claimed if entry_id is not None}
        if gone := [entry_id for entry_id in entry_ids if entry_id not in found]:
            acknowledge(self._redis, self._stream, gone, step=step)
        if before >= MOST_DELIVERIES:
            for entry_id, fields in found.items():
                self._park(entry_id, fields or {})
                acknowledge(self._redis, self._stream, [entry_id], step=step)
        elif found:
            try:
                self._send([*found])
            except Exception:
                # No worker got it: while the broker is away, an entry must not look like one that kills its worker.
                self._redis.xclaim(self._stream, GROUP, CONSUMER, 0, [*found], retrycount=before, justid=True)
                raise
