"""A DOORS_FILE made from the doors that Seam has, and what such a file and Seam's doors don't have in common. Pure."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from shared.domain.door.door import Door, TimeSlot
from shared.domain.quoting import quoted, shown
from shared.domain.stay.stay import UnitRules

HEADER = (
    "# Made from the doors that Seam has. A unit is what your booking system calls a room: correct the names,",
    "# put the doors of one unit together, and check the times that bookings of dates alone get.",
    "# `oracode doors check` compares this file with Seam.",
)


@dataclass(frozen=True, slots=True)
class DoorsFileFinding:
    """One thing that the file and Seam don't have in common, or that keeps codes from being made."""

    kind: str
    subject: str
    text: str


def doors_file_lines(doors: Iterable[Door]) -> Iterator[str]:
    """Yield the lines of a DOORS_FILE, a unit for each door, by name; what needs a person stands in comments."""
    ordered = sorted(doors, key=lambda door: (door.name, door.device_id))
    names = Counter(_name(door) for door in ordered)
    yield from HEADER
    for door in ordered:
        name = _name(door) if names[_name(door)] == 1 else f"{_name(door)} {door.device_id}"
        yield ""
        if not door.can_program_offline_access_codes:
            yield "# This door takes no offline codes: no code can be made for it."
        yield f"{json.dumps(name, ensure_ascii=False)}:"
        yield f"  device_ids: [{door.device_id}]"
        slot = _usual_slot(door)
        if slot is None or slot.check_in is None or slot.check_out is None:
            yield "  # No usable time slot is known: bookings must name a time of day."
        else:
            yield f'  check_in: "{slot.check_in.at:%H:%M}"  # slot {shown(slot.name[:60]) or "without a name"}'
            yield f'  check_out: "{slot.check_out.at:%H:%M}"'


def compare_doors(units: Mapping[str, UnitRules], doors: Iterable[Door]) -> list[DoorsFileFinding]:
    """Return what is wrong between a doors file and Seam's doors: unknown ids, doors without unit, no offline codes."""
    known = {door.device_id: door for door in doors}
    units_of: dict[str, list[str]] = {}
    for name, rules in units.items():
        for device_id in rules.device_ids:
            units_of.setdefault(device_id, []).append(name)
    found = []
    for device_id, names in units_of.items():
        door = known.get(device_id)
        where = f"unit {', '.join(map(quoted, names))}"
        if door is None:
            text = f"{where} names the door {device_id}, which Seam doesn't have"
            found.append(DoorsFileFinding("unknown_device", device_id, text))
        elif not door.can_program_offline_access_codes:
            text = f"{_called(door)} of {where} takes no offline codes"
            found.append(DoorsFileFinding("no_offline_codes", device_id, text))
        elif not door.slots:
            found.append(DoorsFileFinding("no_slots", device_id, f"{_called(door)} of {where} has no time slots"))
    found += [
        DoorsFileFinding(
            "no_unit", device_id, f"{_called(door)} is in no unit: no booking of a unit gets a code for it"
        )
        for device_id, door in known.items()
        if device_id not in units_of
    ]
    return sorted(found, key=lambda each: (each.kind, each.text))


def _name(door: Door) -> str:
    return shown(door.name[:80]).strip() or door.device_id


def _called(door: Door) -> str:
    return f"the door {quoted(_name(door))} ({door.device_id})"


def _usual_slot(door: Door) -> TimeSlot | None:
    """Return the slot that gives bookings of dates alone their times: the first by name, 24-hour slots last."""
    usable = (
        slot for slot in door.slots if not (slot.is_special or slot.unreadable) and slot.check_in and slot.check_out
    )
    return min(usable, key=lambda slot: (slot.is_24_hour, slot.name, slot.user_level_id), default=None)
