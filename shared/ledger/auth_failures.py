"""Failed signatures and tokens of the last hour, by reason: counts of five minutes each, written by every `web`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys

_SLICE: Final = timedelta(minutes=5)
_LATELY: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTries:
    """How often requests were refused for one reason, and when that happened last."""

    reason: str
    count: int
    last_at: datetime


class AuthFailureLedger:
    """Counts refused requests. Counts that a process didn't write before it was killed are lost, and only they."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def add(self, counts: Mapping[str, int], last_at: Mapping[str, datetime]) -> None:
        """Add counts by reason, and when each was counted last. Raises RedisError, OSError."""
        pipeline = self._redis.pipeline(transaction=False)
        for reason, count in counts.items():
            key = redis_keys.auth_failures(_slice(last_at[reason]))
            pipeline.hincrby(key, reason, count)
            pipeline.hset(key, f"last:{reason}", last_at[reason].isoformat())
            pipeline.expire(key, redis_keys.AUTH_FAILURES_FOR)
        pipeline.execute()

    def last_hour(self, now: datetime) -> tuple[FailedTries, ...]:
        """Return what was refused in the last hour, to within five minutes; the most frequent reason first.

        Raises RedisError, OSError.
        """
        newest = _slice(now)
        pipeline = self._redis.pipeline(transaction=False)
        for number in range(newest - _LATELY // _SLICE, newest + 1):
            pipeline.hgetall(redis_keys.auth_failures(number))
        counts: dict[str, int] = {}
        last: dict[str, datetime] = {}
        for fields in cast(Any, pipeline.execute()):
            for name, value in fields.items():
                reason = name.removeprefix("last:")
                if reason != name:
                    at = datetime.fromisoformat(value)
                    last[reason] = max(at, last.get(reason, at))
                else:
                    counts[reason] = counts.get(reason, 0) + int(value)
        found = [
            FailedTries(reason=reason, count=count, last_at=last[reason])
            for reason, count in counts.items()
            if reason in last
        ]
        return tuple(sorted(found, key=lambda it: (-it.count, it.reason)))


def _slice(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // _SLICE
