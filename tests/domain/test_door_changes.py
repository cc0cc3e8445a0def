"""How a door was changed, in words: nothing if matching isn't affected, and never more than a page can show."""

from typing import Any

import pytest

from shared.domain.door.changes import changes_between
from shared.domain.door.door import Door, door_from_device

ZONE = "America/Los_Angeles"


def slot(level: str = "1", **fields: Any) -> dict[str, Any]:
    """Return a slot as Seam has it."""
    known = {
        "name": "Guest",
        "dormakaba_oracode_user_level_id": level,
        "check_in_time": f"16:00:00[{ZONE}]",
        "check_out_time": f"10:00:00[{ZONE}]",
    }
    return known | fields


def door(*slots: dict[str, Any], zone: str = ZONE, **fields: Any) -> Door:
    """Return a door with these slots."""
    metadata = {"predefined_time_slots": list(slots), "iana_timezone": zone}
    device = {
        "device_id": "d-1",
        "device_type": "dormakaba_oracode_door",
        "can_program_offline_access_codes": True,
        "properties": {"dormakaba_oracode_metadata": metadata},
    }
    return door_from_device(device | fields)


NAPLES = {"check_in_time": "16:00:00[Europe/Rome]", "check_out_time": "10:00:00[Europe/Rome]"}
CASES: dict[str, tuple[Door, Door, tuple[str, ...]]] = {
    "nothing": (door(slot()), door(slot()), ()),
    "another order": (door(slot("1"), slot("2")), door(slot("2"), slot("1")), ()),
    "another time": (
        door(slot()),
        door(slot(check_in_time=f"15:00:00[{ZONE}]")),
        ("Slot “Guest”: 16:00–10:00 became 15:00–10:00.",),
    ),
    "added and removed": (
        door(slot("1")),
        door(slot("2", name="Day use")),
        ("Slot “Guest”, 16:00–10:00, was removed.", "Slot “Day use”, 16:00–10:00, was added."),
    ),
    "one of two alike": (door(slot(), slot()), door(slot()), ("Slot “Guest”, 16:00–10:00, was removed.",)),
    "renamed": (door(slot()), door(slot(name="Guests")), ("Slot “Guests”: was called “Guest”.",)),
    "the slot's zone": (
        door(slot()),
        door(slot(**NAPLES)),
        (f"Slot “Guest”: time zone {ZONE} → Europe/Rome.",),
    ),
    "the door's zone": (door(), door(zone="Europe/Rome"), (f"Time zone: {ZONE} → Europe/Rome.",)),
    "a kind": (door(slot()), door(slot(is_master=True)), ("Slot “Guest”: master: yes.",)),
    "codes that it holds": (
        door(),
        door(max_active_codes_supported=20),
        ("Codes that the lock holds: none → 20.",),
    ),
    "offline codes": (door(), door(can_program_offline_access_codes=False), ("Takes offline codes: no.",)),
}


@pytest.mark.parametrize(("before", "after", "told"), CASES.values(), ids=CASES.keys())
def test_what_is_told(before: Door, after: Door, told: tuple[str, ...]) -> None:
    """A sentence for each difference."""
    assert changes_between(before, after) == told


def test_a_hostile_door_makes_a_bounded_text() -> None:
    """Thousands of slots with names that would garble a page."""
    slots = [slot(str(number), name="\u202e\x1b" + "x" * 10_000) for number in range(3_000)]
    told = changes_between(door(), door(*slots))
    assert len(told) == 31
    assert told[-1] == "And 2970 more."
    assert all(len(each) < 300 and "\x1b" not in each and "\u202e" not in each for each in told)
