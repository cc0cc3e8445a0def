"""Reads doors from Seam, and caches them for a short while: bookings of one building often come together."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from redis import Redis

from shared import redis_keys
from shared.clock import Clock
from shared.domain.booking.known_doors import known_door
from shared.domain.door.changes import changes_between
from shared.domain.door.door import Door, NotADoor, door_from_device
from shared.domain.door.issues import as_seam_writes
from shared.ledger.door_history import DoorChange, note_door
from shared.ledger.door_issues import DoorIssues
from shared.ledger.known_doors import remember
from shared.ledger.last_read_doors import LastReadDoors, remember_reading
from shared.seam import second_sign
from shared.seam.client import SeamClient
from shared.seam.errors import UnnamedNotFound, Unreadable

# Bytes. A door with hundreds of slots is far smaller.
_LARGEST_DEVICE: Final = 1024 * 1024


class Doors:
    """Reads doors from Seam, through a cache in Redis that all workers share."""

    def __init__(
        self,
        client: SeamClient,
        redis: Redis,
        *,
        issues: DoorIssues,
        cache_for: timedelta,
        remember_for: timedelta,
        changed: Callable[[Door], None],
        troubled: Callable[[Door], None],
        clock: Clock,
    ) -> None:
        """`read` says when `changed` and `troubled` are called."""
        self._clock = clock
        self._client = client
        self._redis = redis
        self._last_read = LastReadDoors(redis)
        self._issues = issues
        self._cache_for = cache_for
        self._remember_for = remember_for
        self._changed = changed
        self._troubled = troubled

    def read(self, device_id: str, *, fresh: bool = False) -> Door:
        """Return the door; `fresh` doesn't use the cache. Raises the errors of `shared.seam.errors`.

        `changed` is called if Seam was asked, and what matching needs of the door differs from the last reading.
        `troubled` is called if people are told of the door's issues, or if Seam was asked and the issues have changed.
        """
        cached = None if fresh else self._redis.get(redis_keys.door_device(device_id))
        if cached is not None:
            door, has_other_issues = door_from_device(json.loads(str(cached))), False
        else:
            door, has_other_issues = self._ask(device_id)
        if has_other_issues or any(issue.meaning.is_told for issue in door.issues):
            self._troubled(door)
        return door

    def refresh(self, device_id: str) -> Door:
        """Ask Seam for the door, like `read`, but without calling `troubled`: the caller handles the issues itself."""
        return self._ask(device_id)[0]

    def _ask(self, device_id: str) -> tuple[Door, bool]:
        """Return the door as Seam has it, and whether its issues have changed since it was last read."""
        device = self._fetch(device_id)
        try:
            door = door_from_device(device)
            needed = json.dumps(_needed(device) | as_seam_writes(door.issues))
        except NotADoor as error:
            raise Unreadable(f"/devices/get: {error}") from error
        except RecursionError:
            raise Unreadable("/devices/get: the device is nested too deeply") from None
        if len(needed) > _LARGEST_DEVICE:
            raise Unreadable(f"/devices/get: a device of {len(needed)} characters")
        fingerprint, now = fingerprint_of(door), self._clock()
        change = DoorChange(now, self._changes_of(door))
        pipeline = self._redis.pipeline(transaction=False)
        # This comes before the last reading is overwritten: if this process is killed in between, the next one sees the
        # change.
        note_door(pipeline, device_id, fingerprint, change, keep_for=self._remember_for)
        pipeline.set(redis_keys.door_device(device_id), needed, px=self._cache_for)
        remember(pipeline, device_id, known_door(door), keep_for=self._remember_for)
        remember_reading(pipeline, device_id, device, at=now, keep_for=self._remember_for)
        issues = self._issues.remember_door(pipeline, device_id, door.issues, door.connected_account_id)
        before, *_, issues_before = pipeline.execute()
        if before is not None and before != fingerprint:
            self._changed(door)
        return door, issues_before is not None and issues_before != issues

    def _changes_of(self, door: Door) -> tuple[str, ...]:
        """Return how the door differs from when it was last read."""
        last = self._last_read.of([door.device_id]).get(door.device_id)
        if last is None:
            return ("It was changed. How it was before isn't known.",)
        return changes_between(last.door, door) or ("It was changed in what can't be shown.",)

    def _fetch(self, device_id: str) -> Mapping[str, Any]:
        try:
            device = self._client.read("/devices/get", {"device_id": device_id}).get("device")
        except UnnamedNotFound as first:
            second_sign.of_device(self._client, device_id, first)
            raise
        if not isinstance(device, Mapping) or device.get("device_id") != device_id:
            raise Unreadable("/devices/get: the answer isn't the device that was asked for")
        return device


def fingerprint_of(door: Door) -> str:
    """Return a hash of all that matching depends on. The order of the slots doesn't count."""
    parts = [str(door.can_program_offline_access_codes), str(door.time_zone), str(door.max_active_codes_supported)]
    parts += sorted(map(repr, door.slots))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _needed(device: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of a device that are cached. Its custom metadata isn't: it may hold anything.

    Its errors and warnings aren't either: the caller adds them as they were read, without digits that could be a PIN.
    """
    unneeded = ("custom_metadata", "connected_account_custom_metadata", "errors", "warnings")
    return {name: value for name, value in device.items() if name not in unneeded}
