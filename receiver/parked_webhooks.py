"""Webhooks that don't go into the stream: a body that isn't an event is parked, an event of another type is counted."""

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from receiver.refusals import Unavailable
from receiver.replicated_write import execute_on_replicas
from receiver.webhook_parsing import NotAnEvent
from shared import redis_keys
from shared.clock import Clock
from shared.contracts import EVENT_FIELD
from shared.parked import MOST_PARKED, Parked, fields_of

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class ParkedWebhooks:
    """Parks deliveries that aren't events, and counts ignored events."""

    def __init__(self, redis: Redis, *, stream: str, clock: Clock, sync_replicas: int = 0) -> None:
        self._redis = redis
        self._stream = stream
        self._clock = clock
        self._replicas = sync_replicas

    async def park(self, unusable: NotAnEvent) -> None:
        """Store a delivery for a person, durably. Raises Unavailable. A repeated delivery is stored twice."""
        parked = Parked(
            stream=self._stream,
            field=EVENT_FIELD,
            source_id=unusable.delivery_id,
            message=unusable.text,
            problems=(unusable.problem,),
            parked_at=self._clock().isoformat(),
        )
        try:
            pipeline = self._redis.pipeline(transaction=False)
            _ = pipeline.xadd(redis_keys.PARKED, fields_of(parked), maxlen=MOST_PARKED, approximate=True)
            await execute_on_replicas(pipeline, self._replicas)
        except (RedisError, OSError) as error:
            log.warning("park.failed", error=str(error))
            raise Unavailable from error

    async def count_ignored(self, event_type: str) -> None:
        """Count an event of a type that isn't handled. Never raises: a count that can't be written is dropped."""
        try:
            await self._redis.hincrby(redis_keys.IGNORED, event_type[:80], 1)
        except (RedisError, OSError) as error:
            log.warning("count.failed", error=str(error), event_type=event_type[:80])
