"""How a door was changed by its installer, in words: its time slots, its zone, how many codes it holds."""

from collections.abc import Iterator, Mapping
from typing import Final

from shared.domain.door.door import Door, TimeSlot
from shared.domain.quoting import LONGEST_QUOTE, shown

_MOST: Final = 30
_FLAGS: Final = (
    ("is_24_hour", "24 hours"),
    ("is_biweekly_mode", "biweekly"),
    ("is_one_shot", "one-time"),
    ("is_master", "master"),
)


def changes_between(before: Door, after: Door) -> tuple[str, ...]:
    """Return a sentence for each difference that matters for matching: at most 30, then how many more there are."""
    found = list(_changes(before, after))
    more = [f"And {len(found) - _MOST} more."] if len(found) > _MOST else []
    return (*found[:_MOST], *more)


def _changes(before: Door, after: Door) -> Iterator[str]:
    if before.time_zone != after.time_zone:
        yield f"Time zone: {_said(before.time_zone)} → {_said(after.time_zone)}."
    if before.can_program_offline_access_codes != after.can_program_offline_access_codes:
        yield f"Takes offline codes: {'yes' if after.can_program_offline_access_codes else 'no'}."
    if before.max_active_codes_supported != after.max_active_codes_supported:
        most, now_most = before.max_active_codes_supported, after.max_active_codes_supported
        yield f"Codes that the lock holds: {_said(most)} → {_said(now_most)}."
    old, new = _by_key(before), _by_key(after)
    for key in [each for each in old if each not in new]:
        yield f"{_name(old[key])}, {_times(old[key])}, was removed."
    for key, slot in new.items():
        if key not in old:
            yield f"{_name(slot)}, {_times(slot)}, was added."
        elif differences := "; ".join(_differences(old[key], slot)):
            yield f"{_name(slot)}: {differences}."


def _by_key(door: Door) -> Mapping[tuple[str, int], TimeSlot]:
    """Return the slots by user level, of which a door may have several alike, or none."""
    found: dict[tuple[str, int], TimeSlot] = {}
    for slot in door.slots:
        level = slot.user_level_id or slot.name
        number = sum(key == level for key, _ in found)
        found[level, number] = slot
    return found


def _differences(before: TimeSlot, after: TimeSlot) -> Iterator[str]:
    if before.name != after.name:
        yield f"was called “{_short(before.name)}”"
    if _times(before) != _times(after):
        yield f"{_times(before)} became {_times(after)}"
    if before.time_zone != after.time_zone:
        yield f"time zone {_said(before.time_zone)} → {_said(after.time_zone)}"
    for name, kind in _FLAGS:
        if getattr(before, name) != getattr(after, name):
            yield f"{kind}: {'yes' if getattr(after, name) else 'no'}"
    if before.prefix != after.prefix:
        yield f"prefix {_said(before.prefix)} → {_said(after.prefix)}"
    if after.unreadable and before.unreadable != after.unreadable:
        yield f"can't be read: {_short(after.unreadable)}"


def _times(slot: TimeSlot) -> str:
    return f"{slot.check_in or '?'}–{slot.check_out or '?'}"


def _name(slot: TimeSlot) -> str:
    return f"Slot “{_short(slot.name)}”" if slot.name else "A slot without a name"


def _said(value: str | int | None) -> str:
    return "none" if value is None else _short(str(value))


def _short(text: str) -> str:
    return shown(text[:LONGEST_QUOTE])
