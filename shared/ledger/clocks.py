"""How far the clocks of our machines, and of the sender of webhooks, are from the data server's clock.

One hash with a field for each clock. All processes share the data server's clock, so the others are compared with it.
If it is wrong, all the others seem wrong.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys
from shared.clock import Clock, system_clock

# The field of the sender of webhooks. No process has this name: theirs are like "web on HOST".
SENDER: Final = "the sender of webhooks"
# If an answer takes longer, it isn't known closely enough when the data server read its clock.
_LONGEST_ROUND_TRIP: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """How far one clock was ahead of the data server's (negative: behind), and how long ago that was noted."""

    name: str
    ahead: timedelta
    age: timedelta

    @property
    def is_of_sender(self) -> bool:
        """Whether it is the clock of the sender of webhooks, and none of ours."""
        return self.name == SENDER


class ClockReadings:
    """Stores the latest reading of each clock."""

    def __init__(self, redis: Redis, clock: Clock = system_clock) -> None:
        self._redis = redis
        self._clock = clock

    def note_ours(self, name: str) -> None:
        """Store how far this machine's clock is ahead; nothing if the data server's answer took too long.

        Raises RedisError, OSError.
        """
        self._note(name, timedelta())

    def note_sender(self, ahead_of_ours: timedelta) -> bool:
        """Store the clock of the sender of webhooks, from how far it is ahead of ours. Raises RedisError, OSError.

        Returns False if it isn't stored, because the data server's answer took too long.
        """
        return self._note(SENDER, ahead_of_ours)

    def _note(self, name: str, ahead_of_ours: timedelta) -> bool:
        before = self._clock()
        server = _moment(self._redis.time())
        round_trip = self._clock() - before
        if round_trip > _LONGEST_ROUND_TRIP:
            return False
        ahead = before + round_trip / 2 - server + ahead_of_ours
        reading = {"ahead_ms": ahead // timedelta(milliseconds=1), "at": server.timestamp()}
        pipeline = self._redis.pipeline()
        pipeline.hset(redis_keys.CLOCKS, name, json.dumps(reading))
        pipeline.expire(redis_keys.CLOCKS, redis_keys.CLOCKS_FOR)
        pipeline.execute()
        return True

    def latest(self) -> tuple[ClockReading, ...]:
        """Return the latest reading of each clock, by name; unreadable ones are left out. Raises RedisError."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.time()
        pipeline.hgetall(redis_keys.CLOCKS)
        time, fields = cast(Any, pipeline.execute())
        now = _moment(time)
        found = []
        for name, text in sorted(fields.items()):
            try:
                content: Any = json.loads(text)
                ahead = timedelta(milliseconds=int(content["ahead_ms"]))
                age = now - datetime.fromtimestamp(float(content["at"]), UTC)
            except (ValueError, KeyError, TypeError, OverflowError):
                continue
            found.append(ClockReading(name=name, ahead=ahead, age=max(age, timedelta())))
        return tuple(found)

    def forget(self, name: str) -> None:
        """Forget a clock that has had no reading for long. Idempotent. Raises RedisError."""
        self._redis.hdel(redis_keys.CLOCKS, name)


def _moment(time: Any) -> datetime:
    seconds, microseconds = time
    return datetime.fromtimestamp(int(seconds) + int(microseconds) / 1_000_000, UTC)
