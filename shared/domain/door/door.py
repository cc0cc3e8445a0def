"""A door (a Seam device) as the matching needs it, read from the device object that Seam returns.

Seam's schema makes every field of a slot optional, and its documentation and schema spell two of
the names differently; both spellings are read. A wrong type never raises: it makes that slot
unreadable, and says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.domain.door.issues import Issue, account_id_of, issues_of_device
from shared.domain.quoting import quoted
from shared.domain.times.time_of_day import TimeOfDay, UnreadableTime, parse_time_of_day
from shared.domain.times.wall_clock import find_zone


class NotADoor(ValueError):
    """What was given is no lock as Seam returns it; the text says what it is instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSlot:
    """One predefined time slot ("user level") of an Oracode door.

    `check_in`/`check_out` are None where the vendor's string can't be read; `unreadable` then says
    why. `time_zone` is the one in the slot's own strings; `is_special` slots are not for ordinary
    stays. Both are made once here because every match asks for them.
    """

    name: str
    user_level_id: str
    prefix: int | None
    check_in: TimeOfDay | None
    check_out: TimeOfDay | None
    is_24_hour: bool = False
    is_biweekly_mode: bool = False
    is_one_shot: bool = False
    is_master: bool = False
    unreadable: str = ""
    time_zone: str | None = field(init=False, repr=False, compare=False)
    is_special: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        zones = (time.zone for time in (self.check_in, self.check_out) if time is not None)
        object.__setattr__(self, "time_zone", next((zone for zone in zones if zone), None))
        special = self.is_master or self.is_one_shot or self.is_biweekly_mode
        object.__setattr__(self, "is_special", special)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A door: whether it takes offline codes, its slots, and its zone where the device names one.

    `time_zone` is `dormakaba_oracode_metadata.iana_timezone`, else `location.time_zone`, else None;
    a zone inside a slot's own time strings goes before it. `issues` are the errors and warnings that
    Seam reports on the device, those of its connected account included. Matching reads neither them
    nor `connected_account_id`, which is empty where the device names none.
    """

    device_id: str
    name: str
    can_program_offline_access_codes: bool
    slots: tuple[TimeSlot, ...]
    time_zone: str | None = None
    max_active_codes_supported: int | None = None
    issues: tuple[Issue, ...] = ()
    connected_account_id: str = ""


_METADATA = (
    "dormakaba_oracode_metadata",  # the schema
    "dormakaba_oracode_device_metadata",  # the prose, "Time Zones"
    "dormakaba_oracode_iho_metadata",  # Homeowner's Portal: has user_levels
)
_PREFIXES = (
    "prefix",
    "dormakaba_oracode_user_level_prefix",  # the schema
    "ext_dormakaba_oracode_user_level_prefix",  # every sample in the documentation
)
_FLAGS = ("is_24_hour", "is_biweekly_mode", "is_one_shot", "is_master")
# Every lock in Seam has one of these fields, and no other device does.
_MARKS_OF_A_LOCK = (
    "can_program_offline_access_codes",
    "can_program_online_access_codes",
    "can_remotely_lock",
    "can_remotely_unlock",
)


def door_from_device(device: Mapping[str, Any]) -> Door:
    """Read a device object, bare or as `{"device": …}`; raise NotADoor where it is no lock."""
    device = _unwrapped(device)
    properties = _mapping(device.get("properties"))
    metadata = _metadata(properties)
    _refuse_other_devices(device, properties, metadata)
    device_id = _text(device.get("device_id"))
    names = (
        device.get("display_name"),
        properties.get("name"),
        metadata.get("door_name"),
        device_id,
    )
    most = properties.get("max_active_codes_supported", device.get("max_active_codes_supported"))
    return Door(
        device_id=device_id,
        name=next((text for text in map(_text, names) if text), ""),
        can_program_offline_access_codes=device.get("can_program_offline_access_codes") is True,
        slots=_slots(metadata),
        time_zone=_zone(metadata, _mapping(device.get("location"))),
        max_active_codes_supported=most if type(most) is int else None,
        issues=issues_of_device(device),
        connected_account_id=account_id_of(device),
    )


def _unwrapped(device: object) -> Mapping[str, Any]:
    for _ in range(2):  # an answer may hold {"device": …}, and a file of answers that once more
        if isinstance(device, Mapping):
            inner = device.get("device", device.get("lock"))
            if isinstance(inner, Mapping):
                device = inner
    if not isinstance(device, Mapping):
        raise NotADoor(f"{quoted(device)} is not a device object as Seam returns it")
    return device


def _metadata(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((found for name in _METADATA if (found := _mapping(properties.get(name)))), {})


def _refuse_other_devices(
    device: Mapping[str, Any], properties: Mapping[str, Any], metadata: Mapping[str, Any]
) -> None:
    if metadata or any(mark in device for mark in _MARKS_OF_A_LOCK) or "locked" in properties:
        return
    if isinstance(device.get("devices"), list):
        raise NotADoor("this is a list of devices: give one of them")
    kind = device.get("device_type")
    if kind is None:
        raise NotADoor("this is not a lock as Seam returns it: no device_type, and nothing that a lock has")
    if not (isinstance(kind, str) and ("lock" in kind or "door" in kind or "oracode" in kind)):
        raise NotADoor(f"this is not a lock: its device_type is {quoted(kind)}")


def _slots(metadata: Mapping[str, Any]) -> tuple[TimeSlot, ...]:
    slots = metadata.get("predefined_time_slots")
    if isinstance(slots, list | tuple):
        return tuple(_slot(slot) for slot in slots)
    levels = metadata.get("user_levels")
    if isinstance(levels, list | tuple):
        return tuple(_slot(_as_slot(level)) for level in levels)
    return ()


def _slot(slot: object) -> TimeSlot:
    fields = _mapping(slot)
    faults = [] if isinstance(slot, Mapping) else [f"{quoted(slot)} is not a time slot"]
    prefixes = (fields.get(name) for name in _PREFIXES)
    flags = {name: _flag(fields, name, faults) for name in _FLAGS}
    return TimeSlot(
        name=_text(fields.get("name")),
        user_level_id=_text(fields.get("dormakaba_oracode_user_level_id")),
        prefix=next((prefix for prefix in prefixes if type(prefix) is int), None),
        check_in=_time(fields, "check_in_time", faults),
        check_out=_time(fields, "check_out_time", faults),
        unreadable="; ".join(faults),
        **flags,
    )


def _as_slot(level: object) -> object:
    """Turn a Homeowner's Portal user level into a slot's fields; its kind is free text."""
    if not isinstance(level, Mapping):
        return level
    kind = _text(level.get("user_level_type")).lower()
    return {
        "name": level.get("user_level_name"),
        "dormakaba_oracode_user_level_id": level.get("user_level"),
        "prefix": level.get("user_level"),
        "check_in_time": level.get("user_level_check_in_time"),
        "check_out_time": level.get("user_level_check_out_time"),
        "is_master": "master" in kind,
        "is_one_shot": "shot" in kind or "one" in kind,
        "is_biweekly_mode": "biweekly" in kind or "bi-weekly" in kind,
        "is_24_hour": "24" in kind or "daily" in kind,
    }


def _time(fields: Mapping[str, Any], name: str, faults: list[str]) -> TimeOfDay | None:
    written = fields.get(name)
    if not isinstance(written, str):
        faults.append(f"{name} is missing" if written is None else f"{name} {quoted(written)} is not text")
        return None
    try:
        return parse_time_of_day(written)
    except UnreadableTime as unreadable:
        faults.append(f"{name} {unreadable}")
        return None


def _flag(fields: Mapping[str, Any], name: str, faults: list[str]) -> bool:
    value = fields.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    faults.append(f"{name} {quoted(value)} is neither true nor false")
    return False


def _zone(metadata: Mapping[str, Any], location: Mapping[str, Any]) -> str | None:
    """Return the first of these names that is a time zone; None if none is."""
    names = (metadata.get("iana_timezone"), location.get("time_zone"), location.get("timezone"))
    return next((name for name in names if isinstance(name, str) and find_zone(name)), None)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    """Return a value as text; "" for other types. The vendor's ids are texts or numbers."""
    if isinstance(value, str):
        return value
    return str(value) if type(value) is int and value.bit_length() <= 256 else ""  # noqa: PLR2004
