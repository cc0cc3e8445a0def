"""Work that older processes left to newer ones, and since when each piece waits.

The work itself stands in its stream, or in the due-set. This list is for the alert that no process takes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys
from shared.clock import Clock

# While a new version is rolled out, both run for minutes. Work that waits longer has no newer process that takes it.
STUCK_AFTER: Final = timedelta(minutes=5)
_SHORTEST_MEMORY: Final = timedelta(minutes=3)
_TURNS_REMEMBERED: Final = 3


@dataclass(frozen=True, slots=True)
class Stuck:
    """Works that no process has understood for minutes: how many, and since when the first of them."""

    count: int = 0
    since: datetime | None = None


class WorkForNewerVersion:
    """Works by name. One that isn't left again for a few turns was taken by somebody, and is forgotten."""

    def __init__(self, redis: Redis, *, clock: Clock, comes_back_after: timedelta) -> None:
        """Expect what is left to come back after `comes_back_after` at the latest, while nobody takes it."""
        self._redis = redis
        self._clock = clock
        self._memory = max(_SHORTEST_MEMORY, comes_back_after * _TURNS_REMEMBERED)

    def note(self, work: str) -> timedelta:
        """Note that a work was left just now; return how long it has been waiting for somebody newer."""
        now = self._clock()
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zadd(redis_keys.LEFT, {work: now.timestamp()}, nx=True)
        pipeline.zadd(redis_keys.LEFT_AGAIN, {work: now.timestamp()})
        pipeline.zscore(redis_keys.LEFT, work)
        since = pipeline.execute()[-1]
        return max(timedelta(), timedelta(seconds=now.timestamp() - float(since))) if since else timedelta()

    def stuck(self) -> Stuck:
        """Forget what was taken, and return what has been waiting for too long."""
        now = self._clock()
        taken: Sequence[str] = cast(
            Any, self._redis.zrange(redis_keys.LEFT_AGAIN, "-inf", (now - self._memory).timestamp(), byscore=True)
        )
        if taken:
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.zrem(redis_keys.LEFT, *taken)
            pipeline.zrem(redis_keys.LEFT_AGAIN, *taken)
            pipeline.execute()
        waits: list[tuple[str, float]] = cast(
            Any,
            self._redis.zrange(redis_keys.LEFT, "-inf", (now - STUCK_AFTER).timestamp(), byscore=True, withscores=True),
        )
        if not waits:
            return Stuck()
        return Stuck(len(waits), datetime.fromtimestamp(waits[0][1], now.tzinfo))
