"""Heartbeats: when each thing that should happen regularly happened last. One hash of moments."""

from datetime import datetime, timedelta
from typing import Any, cast

from redis import Redis

from shared import redis_keys


class Heartbeats:
    """Stores the last moment by name. A lost heartbeat does no harm: the next one comes soon, or is missed."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._noted: dict[str, datetime] = {}

    def beat(self, name: str, now: datetime, *, at_most_every: timedelta = timedelta()) -> None:
        """Store that it happened `now`. This process writes the same name once in `at_most_every` at most."""
        noted = self._noted.get(name)
        if noted is not None and now - noted < at_most_every:
            return
        self._noted[name] = now
        self._redis.hset(redis_keys.HEARTBEATS, name, now.isoformat())

    def last(self) -> dict[str, datetime]:
        """Return when each happened last. A finished periodic job is stored under `chore:` and its name."""
        pipeline = self._redis.pipeline(transaction=False)
        for key in (redis_keys.HEARTBEATS, redis_keys.PERIODIC_JOBS):
            pipeline.hgetall(key)
        beats, periodic_jobs = cast(Any, pipeline.execute())
        found = {**beats, **{f"chore:{name}": at for name, at in periodic_jobs.items()}}
        return {str(name): datetime.fromisoformat(at) for name, at in found.items()}

    def take_turn(self, name: str, now: datetime, *, every: timedelta) -> bool:
        """Say whether the caller must do what is done once in `every`: one of all processes gets True. Atomic."""
        return bool(self._redis.set(redis_keys.turn(name), now.isoformat(), px=every, nx=True))
