"""The dispatcher: reads the streams and turns their entries into tasks. A part of the worker, one thread a stream.

An entry stays pending until the task that handles it has recorded its outcome and acknowledged it. Whatever happens to
the task, or to Celery's message, an entry that is idle for too long is claimed and dispatched again; so tasks bear
being run twice. Entries that come again come alone, and later one by one, so that one that kills its worker takes no
other with it; after a few times it is parked. What is under way is bounded: a backlog waits in its stream, not in the
broker.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Final, cast

import structlog
from celery import Celery, bootsteps
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError, ResponseError

from shared.clock import Clock
from shared.contracts import APPLY_BOOKING, BOOKING_FIELD, EVENT_FIELD, OBEY, OPS_STREAM, RECORD_EVENTS
from shared.ops_commands import COMMAND_FIELD
from shared.parked import Parked, kept_text
from shared.redis_client import connect
from shared.streams import CONSUMER, GROUP, acknowledge, ensure_group
from worker.parking import Parking

_BLOCK: Final = timedelta(seconds=1)
_PAUSE_WHEN_FULL: Final = 0.05
_LONGEST_PAUSE_AFTER_ERROR: Final = 2.0
_EVENTS_A_TASK: Final = 200
# A task costs milliseconds however many events it records: those of a moment wait for one another.
_GATHER_EVENTS_FOR: Final = timedelta(milliseconds=100)
_MOST_EVENTS_UNDER_WAY: Final = 5_000
# A task that was lost with its worker comes again; one that fails this often never succeeds.
MOST_DELIVERIES: Final = 5
# Whoever was near a task that killed its worker comes back as often as that task: from here on they come one by one.
_SUSPECT_AFTER: Final = 3
_BOOKINGS_A_READ: Final = 100
_MOST_BOOKINGS_UNDER_WAY: Final = 1_000

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DispatcherOptions:
    """What the dispatcher needs to know; kept in the Celery app's configuration as `dispatcher`."""

    redis_url: str = field(repr=False)
    event_stream: str
    booking_stream: str
    reclaim_after: timedelta
    parking: Parking
    clock: Clock


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
                # Whatever it is: a reader that is gone would leave its stream unread, and nobody would notice.
                log.exception("dispatch.crashed", stream=self._stream)
                stopping.wait(_LONGEST_PAUSE_AFTER_ERROR)

    def reclaim(self) -> int:
        """Dispatch again what has been idle for too long, each entry alone; return how many entries that were.

        What came back often already may be what kills its worker, or what was near it every time: those wait for one
        another, the least suspect first, so that others are done before the culprit is tried again.
        """
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
        # Counted before it is sent: its task may be the end of this process.
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
                # Nobody got it: a broker that is away for an hour must not make anything look like poison.
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


class DispatcherStep(bootsteps.StartStopStep):
    """Starts the readers with the worker and stops them before its pool."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **_: Any) -> None:
        super().__init__(parent)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, parent: Any) -> None:
        """Start one thread a stream."""
        app: Celery = parent.app
        options: DispatcherOptions = app.conf.dispatcher
        for name, reader in (
            ("events", _event_reader(app, options)),
            ("bookings", _booking_reader(app, options)),
            ("commands", _command_reader(app, options)),
        ):
            thread = threading.Thread(target=reader.run, args=(self._stopping,), name=f"dispatch-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)
        log.info("dispatcher.started")

    def _stop_reading(self, parent: Any) -> None:
        del parent
        self._stopping.set()

    def stop(self, parent: Any) -> None:
        """Stop reading; what was handed over and isn't done is claimed again by whoever comes next."""
        del parent
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=2 * _BLOCK.total_seconds())

    close = _stop_reading
    terminate = stop


def _event_reader(app: Celery, options: DispatcherOptions) -> StreamReader:
    return StreamReader(
        redis=connect(options.redis_url),
        stream=options.event_stream,
        count=_EVENTS_A_TASK,
        most_under_way=_MOST_EVENTS_UNDER_WAY,
        reclaim_after=options.reclaim_after,
        gather_for=_GATHER_EVENTS_FOR,
        send=lambda entry_ids: _send(app, RECORD_EVENTS, entry_ids),
        park=partial(_give_up, options, options.event_stream, EVENT_FIELD),
    )


def _booking_reader(app: Celery, options: DispatcherOptions) -> StreamReader:
    def send(entry_ids: list[str]) -> None:
        for entry_id in entry_ids:
            _send(app, APPLY_BOOKING, entry_id)

    return StreamReader(
        redis=connect(options.redis_url),
        stream=options.booking_stream,
        count=_BOOKINGS_A_READ,
        most_under_way=_MOST_BOOKINGS_UNDER_WAY,
        reclaim_after=options.reclaim_after,
        send=send,
        park=partial(_give_up, options, options.booking_stream, BOOKING_FIELD),
    )


def _command_reader(app: Celery, options: DispatcherOptions) -> StreamReader:
    def send(entry_ids: list[str]) -> None:
        for entry_id in entry_ids:
            _send(app, OBEY, entry_id)

    return StreamReader(
        redis=connect(options.redis_url),
        stream=OPS_STREAM,
        count=_BOOKINGS_A_READ,
        most_under_way=_MOST_BOOKINGS_UNDER_WAY,
        reclaim_after=options.reclaim_after,
        send=send,
        park=partial(_give_up, options, OPS_STREAM, COMMAND_FIELD),
    )


def _give_up(options: DispatcherOptions, stream: str, field: str, entry_id: str, fields: Mapping[str, str]) -> None:
    """Park an entry whose task failed again and again."""
    log.error("entry.given_up", stream=stream, entry_id=entry_id)
    problem = f"its task failed, or ended its worker, {MOST_DELIVERIES} times; the log has more under this entry's id"
    options.parking.park(
        Parked(
            stream=stream,
            field=field,
            source_id=entry_id,
            message=kept_text(fields.get(field)),
            problems=(problem,),
            parked_at=options.clock().isoformat(),
        )
    )


def _send(app: Celery, task: str, argument: str | list[str]) -> None:
    app.send_task(task, (argument,))


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
