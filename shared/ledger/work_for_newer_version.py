"""Work that an older process left to a newer one, and since when each piece waits.

The work itself is in its stream, or in the due-set. This list is for the alert that no process takes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys
from shared.clock import Clock

# During a roll-out both versions run for minutes. If work waits longer, no newer process takes it.
STUCK_AFTER: Final = timedelta(minutes=5)
_SHORTEST_MEMORY: Final = timedelta(minutes=3)
_TURNS_REMEMBERED: Final = 3


@dataclass(frozen=True, slots=True)
class Stuck:
    """Work that no process could read for minutes: how many pieces, and since when the first one waits."""

    count: int = 0
    since: datetime | None = None


class WorkForNewerVersion:
    """Stores work by name. A piece that isn't left again for a few turns was taken by a newer process."""

    def __init__(self, redis: Redis, *, clock: Clock, comes_back_after: timedelta) -> None:
        """Work that no process takes is left again after `comes_back_after` at the latest."""
        self._redis = redis
        self._clock = clock
        self._memory = max(_SHORTEST_MEMORY, comes_back_after * _TURNS_REMEMBERED)

    def note(self, work: str) -> timedelta:
        """Note that a piece of work was left just now; return how long it has waited for a newer process."""
        now = self._clock()
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zadd(redis_keys.WORK_FOR_NEWER_VERSION, {work: now.timestamp()}, nx=True)
        pipeline.zadd(redis_keys.WORK_PUT_BACK_AT, {work: now.timestamp()})
        pipeline.zscore(redis_keys.WORK_FOR_NEWER_VERSION, work)
        since = pipeline.execute()[-1]
        return max(timedelta(), timedelta(seconds=now.timestamp() - float(since))) if since else timedelta()

    def stuck(self) -> Stuck:
        """Forget work that was taken, and return the work that has waited for too long."""
        now = self._clock()
        taken: Sequence[str] = cast(
            Any, self._redis.zrange(redis_keys.WORK_PUT_BACK_AT, "-inf", (now - self._memory).timestamp(), byscore=True)
        )
        if taken:
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.zrem(redis_keys.WORK_FOR_NEWER_VERSION, *taken)
            pipeline.zrem(redis_keys.WORK_PUT_BACK_AT, *taken)
            pipeline.execute()
        waits: list[tuple[str, float]] = cast(
            Any,
            self._redis.zrange(
                redis_keys.WORK_FOR_NEWER_VERSION,
                "-inf",
                (now - STUCK_AFTER).timestamp(),
                byscore=True,
                withscores=True,
            ),
        )
        if not waits:
            return Stuck()
        return Stuck(len(waits), datetime.fromtimestamp(waits[0][1], now.tzinfo))
