"""Warnings about a door's slots, before the first booking comes."""

import pytest

from shared.domain.door.door import Door, door_from_device
from shared.domain.matching.slot_warnings import warnings_of
from tests.domain.building import day_slot, device, door, slot, vendor_slot

OUT = "10:00[America/Los_Angeles]"


@pytest.mark.parametrize(
    ("at", "kinds"),
    [
        pytest.param(door(slot(), day_slot()), [], id="nothing"),
        pytest.param(door(), ["no_slots"], id="no slots"),
        pytest.param(
            door(slot(), day_slot(), can_program_offline_access_codes=False),
            ["offline_codes_unsupported"],
            id="no offline codes",
        ),
        pytest.param(door(slot()), ["no_24_hour_slot"], id="no daily codes"),
        pytest.param(door(slot(is_master=True)), ["no_usable_slot", "no_24_hour_slot"], id="masters alone"),
        pytest.param(door(slot(name="a"), slot(name="b"), day_slot()), ["twins"], id="twins"),
        pytest.param(door(slot(), slot(is_master=True), day_slot()), [], id="a master is no twin"),
        pytest.param(door(slot(), slot(zone="UTC"), day_slot()), [], id="another zone is no twin"),
        pytest.param(door(slot(), day_slot(), time_zone=None), ["no_time_zone"] * 2, id="no zone"),
        pytest.param(door(slot(unreadable="why"), day_slot()), ["unreadable"], id="unreadable"),
    ],
)
def test_warnings(at: Door, kinds: list[str]) -> None:
    """The gravest first."""
    found = warnings_of(at)
    assert [one.kind for one in found] == kinds
    assert all(one.text for one in found)


@pytest.mark.parametrize(
    ("check_in", "warned"),
    [
        pytest.param("16:00-08:00[America/Los_Angeles]", False, id="winter"),
        pytest.param("16:00-07:00[America/Los_Angeles]", False, id="summer"),
        pytest.param("16:00-05:00[America/Los_Angeles]", True, id="neither"),
        pytest.param("16:00Z[America/Los_Angeles]", True, id="Z"),
    ],
)
def test_offset_that_the_zone_never_has(check_in: str, *, warned: bool) -> None:
    """One of the two is a mistake; the zone is used."""
    at = door_from_device(device(vendor_slot(check_in, OUT)))
    assert ("wrong_offset" in [one.kind for one in warnings_of(at)]) == warned
