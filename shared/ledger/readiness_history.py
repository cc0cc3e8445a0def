"""How many arrivals were ready 24 hours before check-in, by day. It shows people whether that gets better.

Each arrival is counted once, at that moment, so an arrival that is booked later isn't counted. The day is that of the
check-in, in UTC.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, cast

from redis import Redis
from redis.exceptions import WatchError

from shared import redis_keys
from shared.domain.alerting.arrivals import Arrival, Readiness

AHEAD: Final = timedelta(hours=24)
KEPT_DAYS: Final = 35
_CURSOR: Final = "counted_until"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessOfDay:
    """How many of a day's arrivals were ready, on their way, and at risk, 24 hours before check-in."""

    day: date
    ready: int
    on_its_way: int
    at_risk: int

    @property
    def total(self) -> int:
        """How many arrivals were counted."""
        return self.ready + self.on_its_way + self.at_risk


class ReadinessHistory:
    """Stores the counts, and the moment up to which check-ins are counted, in one hash."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def counted_until(self) -> datetime | None:
        """Return up to which check-in arrivals are counted; None if nothing was counted yet."""
        text: Any = self._redis.hget(redis_keys.READINESS, _CURSOR)
        return datetime.fromisoformat(str(text)) if text else None

    def count(self, arrivals: Iterable[Arrival], *, since: datetime | None, until: datetime) -> bool:
        """Count the arrivals with a check-in after `since` and up to `until`; return whether they were counted.

        Atomic and idempotent: if another worker has counted from `since` on, nothing is done. Old days are dropped.
        """
        counts = Counter(
            (each.check_in.astimezone(UTC).date(), each.readiness)
            for each in arrivals
            if since is not None and since < each.check_in <= until
        )
        oldest = (until - timedelta(days=KEPT_DAYS)).date()
        with self._redis.pipeline(transaction=True) as pipeline:
            cast(Any, pipeline).watch(redis_keys.READINESS)
            found = cast(Mapping[str, str], pipeline.hgetall(redis_keys.READINESS))
            if found.get(_CURSOR) != (since.isoformat() if since is not None else None):
                return False
            old = [field for field in found if field != _CURSOR and _place_of(field)[0] < oldest]
            pipeline.multi()
            pipeline.hset(redis_keys.READINESS, _CURSOR, until.isoformat())
            for (day, readiness), count in counts.items():
                pipeline.hincrby(redis_keys.READINESS, json.dumps([day.isoformat(), str(readiness)]), count)
            if old:
                pipeline.hdel(redis_keys.READINESS, *old)
            try:
                pipeline.execute()
            except WatchError:
                return False
        return True

    def days(self, first: date, last: date) -> tuple[ReadinessOfDay, ...]:
        """Return each day from `first` to `last`, also days without counts."""
        found = cast(Mapping[str, str], self._redis.hgetall(redis_keys.READINESS))
        counts = {_place_of(field): int(count) for field, count in found.items() if field != _CURSOR}
        every_day = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        return tuple(
            ReadinessOfDay(
                day=day,
                ready=counts.get((day, Readiness.READY), 0),
                on_its_way=counts.get((day, Readiness.ON_ITS_WAY), 0),
                at_risk=counts.get((day, Readiness.AT_RISK), 0),
            )
            for day in every_day
        )


def _place_of(field: str) -> tuple[date, str]:
    day, readiness = json.loads(field)
    return date.fromisoformat(day), readiness
