"""Which alerts of pairs of bookings are open for a door: what isn't found any more is taken back by them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, cast

from redis import Redis

from shared import redis_keys


class DoorConflicts:
    """The keys of those alerts, a set a door. A key is added before its alert is raised, and goes after it is over."""

    def __init__(self, redis: Redis, *, retention: timedelta) -> None:
        self._redis = redis
        self._retention = retention

    def open_for(self, device_id: str) -> frozenset[str]:
        """Return the keys that may be open."""
        return frozenset(cast(Any, self._redis.smembers(redis_keys.door_conflicts(device_id))))

    def add(self, device_id: str, keys: Iterable[str]) -> None:
        """Note the keys of alerts that are raised next. Idempotent."""
        names, key = list(keys), redis_keys.door_conflicts(device_id)
        if names:
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.sadd(key, *names)
            pipeline.expire(key, self._retention)
            pipeline.execute()

    def remove(self, device_id: str, keys: Iterable[str]) -> None:
        """Forget the keys of alerts that are over. Idempotent."""
        if names := list(keys):
            self._redis.srem(redis_keys.door_conflicts(device_id), *names)
