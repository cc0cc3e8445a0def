"""How fast Seam answers, and how calls fail: counts of ten minutes each, of all processes, kept for a day.

Only counts are stored: no path holds an id, and nothing of an answer is kept. A process writes its counts with the next
call after a second, and at once with a call that failed: a round trip for each call would be a fifth of all that a
booking costs. Counts that can't be written are left out, and so is the last second of a process that ends.
"""

import json
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from redis import Redis
from redis.exceptions import RedisError

from shared import redis_keys
from shared.clock import Clock

KEPT_FOR: Final = timedelta(hours=24)
WRITTEN_EVERY: Final = timedelta(seconds=1)
_STRETCH: Final = timedelta(minutes=10)
_LONGEST_NAME: Final = 80
# Not a failure: the code doesn't exist, which is an answer.
_ANSWERS: Final = ("NoSuchAccessCode",)
BOUNDS: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Upper ends of the classes of answer times, in seconds. One more class is beyond the last end."""

_Counts = Counter[tuple[str, int | str]]

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class LastFailure:
    """The latest call that failed: when, which, and how."""

    at: datetime
    path: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCounts:
    """Calls of one path: how many, how many failed by kind, and how many there are in each class of answer times."""

    path: str
    calls: int
    failures: Mapping[str, int]
    classes: tuple[int, ...]

    def answered_within(self, share: float) -> float | None:
        """Return the upper end of the class within which this share of the calls was answered, in seconds.

        None if that is beyond the last end.
        """
        needed, seen = share * self.calls, 0
        for bound, count in zip(BOUNDS, self.classes, strict=False):
            seen += count
            if seen >= needed:
                return bound
        return None


class SeamCallCounts:
    """Counts calls, and reads the counts. Thread-safe."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock
        self._lock = threading.Lock()
        self._unwritten: Counter[tuple[int, str, int | str]] = Counter()
        self._last_failure: str | None = None
        self._written_at = datetime.min.replace(tzinfo=UTC)

    def count(self, path: str, failure: Exception | None, seconds: float) -> None:
        """Count one call: how it failed (None: it didn't), and how long it took.

        Writes all that was counted, if that is due: one round trip. Never raises.
        """
        now = self._clock()
        name = path[:_LONGEST_NAME]
        kind = type(failure).__name__ if failure is not None else ""
        place = next((at for at, bound in enumerate(BOUNDS) if seconds <= bound), len(BOUNDS))
        stretch = _number_of(now)
        has_failed = bool(kind) and kind not in _ANSWERS
        with self._lock:
            self._unwritten[stretch, name, place] += 1
            if has_failed:
                self._unwritten[stretch, name, kind] += 1
                self._last_failure = json.dumps({"at": now.isoformat(), "path": name, "kind": kind})
            is_due = has_failed or abs(now - self._written_at) >= WRITTEN_EVERY
            if is_due:
                self._written_at = now
        if is_due:
            self.write()

    def write(self) -> None:
        """Write what was counted since the last time, in one round trip. Never raises."""
        with self._lock:
            counts, self._unwritten = self._unwritten, Counter()
            last, self._last_failure = self._last_failure, None
        if not counts:
            return
        pipeline = self._redis.pipeline(transaction=False)
        for (stretch, name, what), amount in counts.items():
            pipeline.hincrby(_key_of(stretch), json.dumps([name, what]), amount)
        for stretch in {stretch for stretch, _, _ in counts}:
            pipeline.pexpire(_key_of(stretch), KEPT_FOR + _STRETCH)
        if last is not None:
            pipeline.set(redis_keys.SEAM_LAST_FAILURE, last, px=KEPT_FOR)
        try:
            pipeline.execute()
        except (RedisError, OSError) as error:
            log.debug("seam_call.not_counted", error=type(error).__name__)

    def since(self, moment: datetime) -> tuple[CallCounts, ...]:
        """Return the calls by path, since the beginning of the ten minutes that this moment is in."""
        return self.since_each(moment)[0]

    def since_each(self, *moments: datetime) -> tuple[tuple[CallCounts, ...], ...]:
        """Return what `since` returns for each of these moments. Every count is read once, in one round trip."""
        now = self._clock()
        ends = [range(_number_of(max(moment, now - KEPT_FOR)), _number_of(now) + 1) for moment in moments]
        stretches = list(dict.fromkeys(stretch for each in ends for stretch in each))
        pipeline = self._redis.pipeline(transaction=False)
        for stretch in stretches:
            pipeline.hgetall(_key_of(stretch))
        found = dict(zip(stretches, map(_counts_in, pipeline.execute()), strict=True))
        return tuple(_by_path(sum((found[stretch] for stretch in each), _Counts())) for each in ends)

    def last_failure(self) -> LastFailure | None:
        """Return the latest call that failed within a day."""
        text: Any = self._redis.get(redis_keys.SEAM_LAST_FAILURE)
        if not text:
            return None
        found = json.loads(text)
        return LastFailure(at=datetime.fromisoformat(found["at"]), path=found["path"], kind=found["kind"])


def _counts_in(fields: Mapping[str, str]) -> _Counts:
    counts = _Counts()
    for field, count in fields.items():
        path, what = json.loads(field)
        counts[path, what] += int(count)
    return counts


def _by_path(counts: _Counts) -> tuple[CallCounts, ...]:
    return tuple(_of_path(path, counts) for path in sorted({path for path, _ in counts}))


def _of_path(path: str, counts: Mapping[tuple[str, int | str], int]) -> CallCounts:
    classes = tuple(counts.get((path, place), 0) for place in range(len(BOUNDS) + 1))
    failures = {what: count for (of, what), count in counts.items() if of == path and isinstance(what, str)}
    return CallCounts(path=path, calls=sum(classes), failures=failures, classes=classes)


def _number_of(moment: datetime) -> int:
    """Return which stretch of the clock a moment is in."""
    return int(moment.timestamp() // _STRETCH.total_seconds())


def _key_of(stretch: int) -> str:
    began_at = datetime.fromtimestamp(stretch * _STRETCH.total_seconds(), UTC)
    return redis_keys.seam_calls(f"{began_at:%Y%m%dT%H%M}")
