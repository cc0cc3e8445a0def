"""What is known of each door, kept far longer than the cache of doors: for when Seam can't be reached."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, cast

from redis import Redis
from redis.client import Pipeline

from shared import redis_keys
from shared.domain.booking.known_doors import KnownDoor, known_by
from shared.domain.booking.record import Booking
from shared.domain.times.wall_clock import find_zone

_LONGEST_NAME: Final = 1_000


def remember(pipeline: Pipeline, device_id: str, door: KnownDoor, *, keep_for: timedelta) -> None:
    """Queue on `pipeline`: store what is known of a door that was just read."""
    text = json.dumps({"name": door.name[:_LONGEST_NAME], "time_zone": door.time_zone})
    pipeline.set(redis_keys.door_known(device_id), text, px=keep_for)


class KnownDoors:
    """Says what is known of a door: from its last reading, else from its bookings."""

    def __init__(self, redis: Redis, *, bookings_of: Callable[[str], list[Booking]]) -> None:
        self._redis = redis
        self._bookings_of = bookings_of

    def __call__(self, device_id: str) -> KnownDoor:
        """Return what is known of the door; an empty `KnownDoor` if nothing is."""
        found = _read(cast(Any, self._redis.get(redis_keys.door_known(device_id))))
        return found or known_by(self._bookings_of(device_id), device_id)


def _read(text: str | None) -> KnownDoor | None:
    """Return what was stored; None if nothing was, or if this machine doesn't know the time zone."""
    if text is None:
        return None
    content = json.loads(text)
    name, zone = content.get("name"), content.get("time_zone")
    known = KnownDoor(
        name if isinstance(name, str) else "", zone if isinstance(zone, str) and find_zone(zone) else None
    )
    return known if known.time_zone else None
