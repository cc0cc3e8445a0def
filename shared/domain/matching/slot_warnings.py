"""Warnings about a door's slots, for the operator, before the first booking comes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import combinations

from shared.domain.door.door import Door, TimeSlot
from shared.domain.matching.rules import slot_zone
from shared.domain.quoting import shown
from shared.domain.times.time_of_day import TimeOfDay
from shared.domain.times.wall_clock import find_zone


class WarningKind(StrEnum):
    """What is wrong."""

    OFFLINE_CODES_UNSUPPORTED = "offline_codes_unsupported"
    NO_SLOTS = "no_slots"
    NO_USABLE_SLOT = "no_usable_slot"
    NO_TIME_ZONE = "no_time_zone"
    UNREADABLE = "unreadable"
    WRONG_OFFSET = "wrong_offset"
    NO_24_HOUR_SLOT = "no_24_hour_slot"
    TWINS = "twins"


@dataclass(frozen=True, slots=True)
class SlotWarning:
    """One warning, in plain words."""

    kind: WarningKind
    text: str


def warnings_of(door: Door) -> tuple[SlotWarning, ...]:
    """Return what is wrong with a door's slots, the gravest first."""
    return tuple(_warnings(door))


def _warnings(door: Door) -> Iterator[SlotWarning]:
    if not door.can_program_offline_access_codes:
        text = "This door takes no offline access codes: no booking can get one."
        yield SlotWarning(WarningKind.OFFLINE_CODES_UNSUPPORTED, text)
    if not door.slots:
        text = "No time slot is configured: ask the dormakaba installer for some."
        yield SlotWarning(WarningKind.NO_SLOTS, text)
        return
    for slot in door.slots:
        yield from _own_warnings(slot, door)
    usable = [slot for slot in door.slots if not (slot.is_special or slot.unreadable)]
    if not usable:
        text = "No slot can be used for guests: all are unreadable, master, one-time or biweekly."
        yield SlotWarning(WarningKind.NO_USABLE_SLOT, text)
    if not any(slot.is_24_hour for slot in usable):
        text = "There is no 24-hour slot: no daily code can be made. 12:00 to 12:00 is usual."
        yield SlotWarning(WarningKind.NO_24_HOUR_SLOT, text)
    for one, other in combinations(usable, 2):
        if _are_twins(one, other, door):
            text = f"{_name(one)} and {_name(other)} have the same times: one would do."
            yield SlotWarning(WarningKind.TWINS, text)


def _own_warnings(slot: TimeSlot, door: Door) -> Iterator[SlotWarning]:
    if slot.unreadable:
        text = f"{_name(slot)} can't be read, and is never used: {slot.unreadable}."
        yield SlotWarning(WarningKind.UNREADABLE, text)
    elif slot_zone(slot, door) is None:
        text = f"{_name(slot)} has no time zone, and neither has the door: it is never used."
        yield SlotWarning(WarningKind.NO_TIME_ZONE, text)
    for time in (slot.check_in, slot.check_out):
        if time is not None and _has_wrong_offset(time):
            text = f"{_name(slot)} has an offset that {time.zone} never has; the zone is believed."
            yield SlotWarning(WarningKind.WRONG_OFFSET, text)
            return


def _are_twins(one: TimeSlot, other: TimeSlot, door: Door) -> bool:
    """Whether two slots serve the same stays equally well, so that only their names decide."""
    times = [(slot.check_in and slot.check_in.at, slot.check_out and slot.check_out.at) for slot in (one, other)]
    return (
        times[0] == times[1] and one.is_24_hour == other.is_24_hour and slot_zone(one, door) == slot_zone(other, door)
    )


def _has_wrong_offset(time: TimeOfDay) -> bool:
    """Whether an offset matches no season of its zone: then one of the two is a mistake."""
    zone = None if time.zone is None else find_zone(time.zone)
    if zone is None or time.offset is None:
        return False
    any_year = datetime(2026, 1, 1, 12)  # noqa: DTZ001 - the zone is asked about it below
    seasons = {zone.utcoffset(any_year + timedelta(days=30 * month)) for month in range(12)}
    return time.offset not in seasons


def _name(slot: TimeSlot) -> str:
    return f"“{shown(slot.name)}”" if slot.name else "A slot without a name"
