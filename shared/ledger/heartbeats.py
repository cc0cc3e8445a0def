"""When what happens again and again happened last: one hash of moments."""

from datetime import datetime, timedelta
from typing import Any, cast

from redis import Redis

from shared import redis_keys


class Heartbeats:
    """Beats by name. Losing one costs nothing: the next comes soon, or is missed."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._noted: dict[str, datetime] = {}

    def beat(self, name: str, now: datetime, *, at_most_every: timedelta = timedelta()) -> None:
        """Note that it happened now, unless this process did so a moment ago."""
        noted = self._noted.get(name)
        if noted is not None and now - noted < at_most_every:
            return
        self._noted[name] = now
        self._redis.hset(redis_keys.BEATS, name, now.isoformat())

    def last(self) -> dict[str, datetime]:
        """Return when each happened last; periodic jobs that were done count as `chore:` and their name."""
        pipeline = self._redis.pipeline(transaction=False)
        for key in (redis_keys.BEATS, redis_keys.CHORES):
            pipeline.hgetall(key)
        beats, periodic_jobs = cast(Any, pipeline.execute())
        found = {**beats, **{f"chore:{name}": at for name, at in periodic_jobs.items()}}
        return {str(name): datetime.fromisoformat(at) for name, at in found.items()}

    def take_turn(self, name: str, now: datetime, *, every: timedelta) -> bool:
        """Say whether it is the caller's turn to do what is done once in a while; True once for all who ask."""
        return bool(self._redis.set(redis_keys.turn(name), now.isoformat(), px=every, nx=True))
