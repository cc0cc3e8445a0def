"""The test codes that were ordered for a door in the console: which booking each is, or why none was made."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys
from shared.domain.entry_ids import place_of

MOST_TESTS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorTest:
    """One order of a test code. `order_id` is its entry in the stream of orders.

    `refused` says why nothing was made; else `booking_id` is the booking of the code.
    """

    order_id: str
    device_id: str
    at: datetime
    by: str
    reason: str
    slot: str
    starts_at: datetime
    ends_at: datetime
    booking_id: str
    refused: str


class DoorTests:
    """The tests in Redis, the newest of each door. Written once and never changed."""

    def __init__(self, redis: Redis, *, keep_for: timedelta) -> None:
        self._redis = redis
        self._keep_for = keep_for

    def note(self, test: DoorTest) -> None:
        """Store what became of an order. Idempotent: the first time counts."""
        key = redis_keys.door_tests(test.device_id)
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.hsetnx(key, test.order_id, json.dumps(asdict(test), default=datetime.isoformat))
        pipeline.expire(key, self._keep_for)
        pipeline.hkeys(key)
        kept = sorted(map(str, pipeline.execute()[-1]), key=place_of)
        if beyond := kept[:-MOST_TESTS]:
            self._redis.hdel(key, *beyond)

    def of(self, device_id: str) -> list[DoorTest]:
        """Return the tests of a door, the newest first."""
        kept: dict[str, str] = cast(Any, self._redis.hgetall(redis_keys.door_tests(device_id)))
        return [_test(kept[order_id]) for order_id in sorted(kept, key=place_of, reverse=True)]


def _test(text: str) -> DoorTest:
    kept: dict[str, Any] = json.loads(text)
    known = {name: kept[name] for name in DoorTest.__dataclass_fields__}
    times = {name: datetime.fromisoformat(known[name]) for name in ("at", "starts_at", "ends_at")}
    return DoorTest(**known | times)
