"""What `web` keeps besides its streams, and whether it could."""

import asyncio

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from receiver.inbox import Unavailable
from shared import redis_keys
from shared.parked import MOST_PARKED, Parked, fields_of

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Sidelines:
    """What `web` keeps besides its streams: parked webhooks, and counts of events that aren't ours."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._trying: asyncio.Task[bool] | None = None

    async def park(self, parked: Parked) -> None:
        """Keep a message for a person. Raises Unavailable."""
        try:
            await self._redis.xadd(redis_keys.PARKED, fields_of(parked), maxlen=MOST_PARKED, approximate=True)
        except (RedisError, OSError) as error:
            log.warning("park.failed", error=str(error))
            raise Unavailable from error

    async def count_ignored(self, event_type: str) -> None:
        """Count an event that isn't ours. A count is not worth an error: one that can't be written is dropped."""
        try:
            await self._redis.hincrby(redis_keys.IGNORED, event_type[:80], 1)
        except (RedisError, OSError) as error:
            log.warning("count.failed", error=str(error), event_type=event_type[:80])

    async def is_reachable(self) -> bool:
        """Say whether the data server answers and takes writes.

        Anybody may ask, and it costs a write: whoever asks during a try shares its answer.
        """
        if self._trying is None or self._trying.done():
            self._trying = asyncio.create_task(self._takes_writes())
        return await asyncio.shield(self._trying)

    async def _takes_writes(self) -> bool:
        try:
            await self._redis.hincrby(redis_keys.IGNORED, "readiness", 0)
        except (RedisError, OSError):
            return False
        return True
