"""Which alerts about two bookings on one door are open: so an alert is resolved once its pair isn't found any more."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, cast

from redis import Redis

from shared import redis_keys


class DoorConflicts:
    """One set of alert keys a door. A key is added before its alert is raised, and removed after it is resolved."""

    def __init__(self, redis: Redis, *, retention: timedelta) -> None:
        self._redis = redis
        self._retention = retention

    def open_for(self, device_id: str) -> frozenset[str]:
        """Return the keys of the door's alerts that may be open."""
        return frozenset(cast(Any, self._redis.smembers(redis_keys.door_conflicts(device_id))))

    def add(self, device_id: str, keys: Iterable[str]) -> None:
        """Add the keys of alerts, before they are raised. Idempotent."""
        names, key = list(keys), redis_keys.door_conflicts(device_id)
        if names:
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.sadd(key, *names)
            pipeline.expire(key, self._retention)
            pipeline.execute()

    def remove(self, device_id: str, keys: Iterable[str]) -> None:
        """Remove the keys of alerts that were resolved. Idempotent."""
        if names := list(keys):
            self._redis.srem(redis_keys.door_conflicts(device_id), *names)
