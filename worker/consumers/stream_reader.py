"""Reads one stream and hands over its entries, to become tasks. `worker.consumers.dispatcher` is made of these.

An entry stays pending until the task that handles it has recorded its outcome and acknowledged it. If the task or
Celery's message is lost, the entry is idle for too long, and is claimed and dispatched again. So a task may run twice.
Such entries are dispatched apart from new ones, and later one by one, so that an entry that kills its worker takes no
other with it. After a few times it is parked. The number of entries under way is bounded: a backlog waits in its
stream, not in the broker.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, cast

import structlog
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError, ResponseError

from shared.replicas import wait_for_replicas
from shared.streams import CONSUMER, GROUP, acknowledge, ensure_group

_BLOCK: Final = timedelta(seconds=1)
_PAUSE_WHEN_FULL: Final = 0.05
_LONGEST_PAUSE_AFTER_ERROR: Final = 2.0
# A task that was lost with its worker comes again; one that fails this often never succeeds.
MOST_DELIVERIES: Final = 5
# Entries that ran beside one that killed its worker come back as often as that one. From this count on they come one by
# one.
_SUSPECT_AFTER: Final = 3

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class StreamReader:
    """Reads one stream through our consumer group and hands entry ids to `send`."""

    def __init__(
        self,
        *,
        redis: Redis,
        stream: str,
        count: int,
        most_under_way: int,
        reclaim_after: timedelta,
        gather_for: timedelta = timedelta(),
        send: Callable[[list[str]], None],
        park: Callable[[str, Mapping[str, str]], None],
    ) -> None:
        self._redis = redis
        self._stream = stream
        self._count = count
        self._most_under_way = most_under_way
        self._reclaim_after_ms = int(reclaim_after.total_seconds() * 1000)
        self._gather_for = gather_for.total_seconds()
        self._send = send
        self._park = park
        self._reclaim_pause = reclaim_after.total_seconds() / 2
        self._suspects: deque[tuple[int, str]] = deque()
        self._tried: str | None = None
        self._unsent: list[str] = []

    def run(self, stopping: threading.Event) -> None:
        """Read until told to stop; a server that is away is waited for, however long."""
        pause = 0.1
        reclaimed_at = time.monotonic()
        while not stopping.is_set():
            try:
                if time.monotonic() - reclaimed_at >= self._reclaim_pause:
                    self.reclaim()
                    reclaimed_at = time.monotonic()
                self._send_unsent()
                self.try_suspect()
                if self._is_full():
                    stopping.wait(_PAUSE_WHEN_FULL)
                elif self._read() < self._count and self._gather_for:
                    stopping.wait(self._gather_for)
                pause = 0.1
            except ResponseError as error:
                # The group is gone when the server came back empty, or isn't there yet on the very first start.
                self._mend(error, stopping, pause)
            except (RedisError, OSError, OperationalError) as error:
                log.warning("dispatch.failed", stream=self._stream, error=type(error).__name__)
                stopping.wait(pause)
                pause = min(_LONGEST_PAUSE_AFTER_ERROR, pause * 2)
            except Exception:
                # Any error: if the reader ended, its stream would stay unread, and nobody would notice.
                log.exception("dispatch.crashed", stream=self._stream)
                stopping.wait(_LONGEST_PAUSE_AFTER_ERROR)

    def reclaim(self) -> int:
        """Dispatch again what has been idle for too long, each entry alone; return how many entries that were.

        An entry that came back often may have killed its worker, or may have run beside one that did. Such entries are
        tried one after the other, the least suspect first, so that the others are done before the culprit is tried
        again. While replicas are missing nothing can be stored for good, which is no fault of the entries: then raises
        NotOnReplicas, and counts none.
        """
        wait_for_replicas(self._redis)
        found = self._claim_idle()
        if not found:
            return 0
        log.warning("entries.reclaimed", stream=self._stream, count=len(found))
        for entry_id, times in found.items():
            if times < _SUSPECT_AFTER:
                self._dispatch_again(entry_id, times)
        suspects = sorted((times, entry_id) for entry_id, times in found.items() if times >= _SUSPECT_AFTER)
        self._suspects = deque(suspects)
        return len(found)

    def try_suspect(self) -> None:
        """Dispatch the next suspect, once the one before is done."""
        if self._suspects and not (self._tried and self._is_pending(self._tried)):
            times, self._tried = self._suspects.popleft()
            self._dispatch_again(self._tried, times)

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

    def _dispatch_again(self, entry_id: str, before: int) -> None:
        # Counted before it is sent: its task may kill this process.
        found = cast(Any, self._redis.xclaim(self._stream, GROUP, CONSUMER, 0, [entry_id]))
        if not found:
            acknowledge(self._redis, self._stream, [entry_id])
        elif before >= MOST_DELIVERIES:
            self._park(entry_id, found[0][1] or {})
            acknowledge(self._redis, self._stream, [entry_id])
        else:
            try:
                self._send([entry_id])
            except Exception:
                # No worker got it: while the broker is away, an entry must not look like one that kills its worker.
                self._redis.xclaim(self._stream, GROUP, CONSUMER, 0, [entry_id], retrycount=before, justid=True)
                raise

    def _read(self) -> int:
        """Dispatch what is there, or comes within a second; return how many entries that were."""
        block = int(_BLOCK.total_seconds() * 1000)
        found = cast(
            Any,
            self._redis.xreadgroup(GROUP, CONSUMER, {self._stream: ">"}, count=self._count, block=block),
        )
        count = 0
        for _, entries in _pairs(found):
            self._unsent += [entry_id for entry_id, _ in entries]
            count += len(entries)
        self._send_unsent()
        return count

    def _send_unsent(self) -> None:
        """Hand over what was read; while the broker is away it stays here, and goes first when it is back."""
        if self._unsent:
            self._send(self._unsent)
            self._unsent = []

    def _is_full(self) -> bool:
        return int(cast(Any, self._redis.xpending(self._stream, GROUP))["pending"]) >= self._most_under_way

    def _mend(self, error: ResponseError, stopping: threading.Event, pause: float) -> None:
        if "NOGROUP" not in str(error):
            log.warning("dispatch.failed", stream=self._stream, error=str(error))
        try:
            ensure_group(self._redis, self._stream)
        except (RedisError, OSError):
            stopping.wait(pause)


def _pairs(found: Any) -> list[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """Return what XREADGROUP found; redis-py gives a mapping or a list of pairs, by protocol version."""
    if not found:
        return []
    if isinstance(found, dict):
        return [
            (stream, entries[0] if entries and isinstance(entries[0], list) else entries)
            for stream, entries in found.items()
        ]
    return list(found)
