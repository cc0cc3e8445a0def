"""Doors as Seam has them, remembered for a short while: bookings of one building arrive together."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from redis import Redis

from shared import redis_keys
from shared.domain.doors import Door, NotADoor, door_from_device
from shared.domain.known_doors import known_door
from shared.ledger.known_doors import remember
from worker.seam.client import SeamClient
from worker.seam.errors import Unreadable

# A door with hundreds of slots is far below it.
_LARGEST_DEVICE: Final = 1024 * 1024


class Doors:
    """Reads doors from Seam, through a cache in Redis that all workers share."""

    def __init__(
        self,
        client: SeamClient,
        redis: Redis,
        *,
        cache_for: timedelta,
        remember_for: timedelta,
        changed: Callable[[Door], None],
    ) -> None:
        self._client = client
        self._redis = redis
        self._cache_for = cache_for
        self._remember_for = remember_for
        self._changed = changed

    def read(self, device_id: str, *, fresh: bool = False) -> Door:
        """Return the door; `fresh` asks Seam in any case. Raises NoSuchDevice and the rest of `worker.seam.errors`.

        Where Seam was asked and the door isn't what it was when it was last read, `changed` is called with it.
        """
        key = redis_keys.door_device(device_id)
        cached = None if fresh else self._redis.get(key)
        if cached is not None:
            return door_from_device(json.loads(str(cached)))
        device = self._fetch(device_id)
        try:
            door = door_from_device(device)
            needed = json.dumps(_needed(device))
        except NotADoor as error:
            raise Unreadable(f"/devices/get: {error}") from error
        except RecursionError:
            raise Unreadable("/devices/get: the device is nested too deeply") from None
        if len(needed) > _LARGEST_DEVICE:
            raise Unreadable(f"/devices/get: a device of {len(needed)} characters")
        fingerprint = fingerprint_of(door)
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.set(key, needed, px=self._cache_for)
        remember(pipeline, device_id, known_door(door), keep_for=self._remember_for)
        pipeline.set(redis_keys.door_fingerprint(device_id), fingerprint, get=True, px=self._remember_for)
        before = pipeline.execute()[-1]
        if before is not None and before != fingerprint:
            self._changed(door)
        return door

    def _fetch(self, device_id: str) -> Mapping[str, Any]:
        device = self._client.read("/devices/get", {"device_id": device_id}).get("device")
        if not isinstance(device, Mapping) or device.get("device_id") != device_id:
            raise Unreadable("/devices/get: the answer isn't the device that was asked for")
        return device


def fingerprint_of(door: Door) -> str:
    """Return a hash of all that matching depends on: equal for doors that match alike, whatever the slots' order."""
    parts = [str(door.can_program_offline_access_codes), str(door.time_zone), str(door.max_active_codes_supported)]
    parts += sorted(map(repr, door.slots))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _needed(device: Mapping[str, Any]) -> dict[str, Any]:
    """Return what matching reads of a device: its custom metadata may hold anything, and is not ours to keep."""
    unneeded = ("custom_metadata", "connected_account_custom_metadata", "errors", "warnings")
    return {name: value for name, value in device.items() if name not in unneeded}
