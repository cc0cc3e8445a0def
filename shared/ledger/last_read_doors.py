"""Each door as Seam showed it at the last reading: slots, time zone, limits. Kept for RETENTION, to show to people.

No decision uses it: decisions read the door from Seam (`shared.seam.doors`).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from redis import Redis
from redis.client import Pipeline

from shared import redis_keys
from shared.domain.door.door import Door, door_from_device

_LARGEST: Final = 64 * 1024
_LARGEST_REMEMBERED: Final = 8 * 1024
_KEPT: Final = (
    "device_id",
    "device_type",
    "display_name",
    "can_program_offline_access_codes",
    "max_active_codes_supported",
    "connected_account_id",
    "location",
)
_KEPT_PROPERTIES: Final = (
    "name",
    "max_active_codes_supported",
    "dormakaba_oracode_metadata",
    "dormakaba_oracode_device_metadata",
    "dormakaba_oracode_iho_metadata",
)


@dataclass(frozen=True, slots=True)
class LastRead:
    """A door, and when it was read."""

    door: Door
    read_at: datetime


def remember_reading(
    pipeline: Pipeline, device_id: str, device: Mapping[str, Any], *, at: datetime, keep_for: timedelta
) -> None:
    """Queue on `pipeline`: store the device object as it was read. One of over 64 KiB is left out."""
    properties = device.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    kept = {name: device[name] for name in _KEPT if name in device}
    kept["properties"] = {name: properties[name] for name in _KEPT_PROPERTIES if name in properties}
    text = json.dumps({"read_at": at.isoformat(), "device": kept})
    if len(text) <= _LARGEST:
        pipeline.set(redis_keys.door_last_read(device_id), text, px=keep_for)


class LastReadDoors:
    """Reads the stored doors."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def of(self, device_ids: Iterable[str]) -> dict[str, LastRead]:
        """Return those of the doors that are stored, in one round trip."""
        names = list(dict.fromkeys(device_ids))
        pipeline = self._redis.pipeline(transaction=False)
        for name in names:
            pipeline.get(redis_keys.door_last_read(name))
        return {name: _read(text) for name, text in zip(names, pipeline.execute(), strict=True) if text}

    def objects(self, device_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the stored device objects, in one round trip."""
        ids = list(dict.fromkeys(device_ids))
        pipeline = self._redis.pipeline(transaction=False)
        for device_id in ids:
            pipeline.get(redis_keys.door_last_read(device_id))
        found = zip(ids, pipeline.execute(), strict=True)
        return {device_id: json.loads(text)["device"] for device_id, text in found if text}

    def names(self, device_ids: Iterable[str]) -> dict[str, str]:
        """Return the names of those of the doors that are stored, in one round trip. Cheaper than `of`."""
        ids = list(dict.fromkeys(device_ids))
        pipeline = self._redis.pipeline(transaction=False)
        for device_id in ids:
            pipeline.get(redis_keys.door_known(device_id))
        found = zip(ids, pipeline.execute(), strict=True)
        return {device_id: str(json.loads(text).get("name") or "") for device_id, text in found if text}


def _read(text: str) -> LastRead:
    return _parsed(text) if len(text) <= _LARGEST_REMEMBERED else _parse(text)


def _parse(text: str) -> LastRead:
    content = json.loads(text)
    return LastRead(door_from_device(content["device"]), datetime.fromisoformat(content["read_at"]))


# The same doors are shown again and again. The cache is keyed by the stored text, so a new reading is parsed again.
_parsed = lru_cache(500)(_parse)
