"""Time slots ("user levels") as a device object shows them.

Seam's "Creating dormakaba Oracode Offline Access Codes": the slots are in
``properties.dormakaba_oracode_metadata.predefined_time_slots``; their times are times of day in the
lock's own zone, which is named in brackets (``15:30:00[PST8PDT]``). A slot that can't be read
is no slot: the sandbox, like the provider, then has nothing to match.
"""

import re
from dataclasses import dataclass
from datetime import time
from zoneinfo import ZoneInfo

from deploy.sandbox.encoding import JsonObject

_TIME_OF_DAY = re.compile(
    r"(\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,3})?)?(?P<offset>Z|[+-]\d\d:\d\d)?(?:\[(?P<zone>[^\[\]]+)\])?"
)


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """A wall-clock time in a zone."""

    at: time
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Slot:
    """One user level of a door."""

    name: str
    check_in: TimeOfDay
    check_out: TimeOfDay
    is_24_hour: bool
    is_biweekly: bool
    is_master: bool
    is_one_shot: bool
    user_level_id: str | None


def read_time_of_day(text: str, fallback: ZoneInfo | None) -> TimeOfDay:
    """Read a time of day; the zone in brackets wins over the device's.

    Raises:
        ValueError: not a time of day, an unknown zone, or no zone at all.

    """
    found = _TIME_OF_DAY.fullmatch(text)
    if found is None:
        raise ValueError(f"not a time of day: {text!r}")
    zone = fallback
    if found["zone"]:
        zone = _zone(found["zone"])
    elif found["offset"]:
        zone = None
    if zone is None:
        raise ValueError(f"no time zone: {text!r}")
    return TimeOfDay(time(int(found[1]), int(found[2]), int(found[3] or 0)), zone)


def zone_of(device: JsonObject) -> ZoneInfo | None:
    """Return the zone of a door: its Oracode metadata's, else its location's."""
    location = device.get("location")
    names = [
        _oracode(device).get("iana_timezone"),
        location.get("time_zone") if isinstance(location, dict) else None,
    ]
    for name in names:
        zone = _zone(name) if isinstance(name, str) else None
        if zone is not None:
            return zone
    return None


def slots_of(device: JsonObject) -> tuple[Slot, ...]:
    """Return the slots that can be read, in the device's order."""
    listed = _oracode(device).get("predefined_time_slots")
    zone = zone_of(device)
    if not isinstance(listed, list):
        return ()
    found = (_slot(item, zone) for item in listed if isinstance(item, dict))
    return tuple(slot for slot in found if slot is not None)


def _slot(item: JsonObject, zone: ZoneInfo | None) -> Slot | None:
    try:
        check_in = read_time_of_day(str(item.get("check_in_time")), zone)
        check_out = read_time_of_day(str(item.get("check_out_time")), zone)
    except ValueError:
        return None
    return Slot(
        name=str(item.get("name", "")),
        check_in=check_in,
        check_out=check_out,
        is_24_hour=item.get("is_24_hour") is True,
        is_biweekly=item.get("is_biweekly_mode") is True,
        is_master=item.get("is_master") is True,
        is_one_shot=item.get("is_one_shot") is True,
        user_level_id=item.get("dormakaba_oracode_user_level_id"),
    )


def _oracode(device: JsonObject) -> JsonObject:
    properties = device.get("properties")
    metadata = properties.get("dormakaba_oracode_metadata") if isinstance(properties, dict) else None
    return metadata if isinstance(metadata, dict) else {}


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # unknown names, paths, empty text
        return None
