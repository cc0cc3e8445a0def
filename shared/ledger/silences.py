"""Silences in Redis: one hash. Silences that ended are removed when it is read."""

from collections.abc import Mapping
from typing import Any, Final, cast

from pydantic import TypeAdapter
from redis import Redis

from shared import redis_keys
from shared.clock import Clock
from shared.domain.alerting.silences import Silence

_SILENCE: Final = TypeAdapter(Silence)


class Silences:
    """Stores which alerts people don't want to get for a while."""

    def __init__(self, redis: Redis, *, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock

    def add(self, silence: Silence) -> None:
        """Store a silence; it replaces one with the same id. Idempotent."""
        self._redis.hset(redis_keys.SILENCES, silence.silence_id, _SILENCE.dump_json(silence).decode())

    def remove(self, silence_id: str) -> bool:
        """End a silence now; return False if there is none with this id."""
        return bool(self._redis.hdel(redis_keys.SILENCES, silence_id))

    def all(self) -> list[Silence]:
        """Return the silences that haven't ended, the one that ends first first."""
        found: Mapping[str, str] = cast(Any, self._redis.hgetall(redis_keys.SILENCES))
        silences = [_SILENCE.validate_json(text) for text in found.values()]
        now = self._clock()
        if over := [each.silence_id for each in silences if each.until <= now]:
            self._redis.hdel(redis_keys.SILENCES, *over)
        return sorted((each for each in silences if each.until > now), key=lambda each: each.until)
