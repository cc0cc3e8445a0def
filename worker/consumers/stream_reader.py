"""Reads one stream and hands over its entries, to become tasks. `worker.consumers.dispatcher` is made of these.

An entry stays pending until the task that handles it has recorded its outcome and acknowledged it. If the task or
Celery's message is lost, the entry is idle for too long. Then `worker.consumers.quarantine_entries` dispatches it
again, so a task may run twice. The number of entries under way is bounded: a backlog waits in its stream, not in the
broker.
"""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, cast

import structlog
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError, ResponseError

from shared.streams import CONSUMER, GROUP, ensure_group
from worker.consumers.quarantine_entries import EntryQuarantine

_BLOCK: Final = timedelta(seconds=1)
_PAUSE_WHEN_FULL: Final = 0.05
_LONGEST_PAUSE_AFTER_ERROR: Final = 2.0

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
        reclaim_every: timedelta | None = None,
        gather_for: timedelta = timedelta(),
        send: Callable[[list[str]], None],
        park: Callable[[str, Mapping[str, str]], None],
    ) -> None:
        """Set up. What is idle for `reclaim_after` is looked for `reclaim_every` so often: by default twice in it."""
        self._redis = redis
        self._stream = stream
        self._count = count
        self._most_under_way = most_under_way
        self._gather_for = gather_for.total_seconds()
        self._send = send
        self._reclaim_pause = (reclaim_every or reclaim_after / 2).total_seconds()
        self.quarantine = EntryQuarantine(
            redis=redis, stream=stream, count=count, reclaim_after=reclaim_after, send=send, park=park
        )
        self._unsent: list[str] = []

    def run(self, stopping: threading.Event) -> None:
        """Read until told to stop; a server that is away is waited for, however long."""
        pause = 0.1
        reclaimed_at = time.monotonic()
        while not stopping.is_set():
            try:
                if time.monotonic() - reclaimed_at >= self._reclaim_pause:
                    self.quarantine.reclaim()
                    reclaimed_at = time.monotonic()
                self._send_unsent()
                self.quarantine.try_suspect()
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
