"""Devices as Seam returns them, in every spelling, and malformed devices."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.door.door import NotADoor, door_from_device
from tests.domain.building import ID, LOS_ANGELES, device, stay, vendor_door, vendor_slot

IN, OUT = "15:30:00[PST8PDT]", "10:30:00[PST8PDT]"


def metadata_of(found: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a device that describes its slots."""
    metadata: dict[str, Any] = found["properties"]["dormakaba_oracode_metadata"]
    return metadata


@pytest.mark.parametrize("wrapped", [False, True], ids=["bare", "in an answer"])
def test_door(*, wrapped: bool) -> None:
    """The device in Seam's documentation."""
    whole = device(vendor_slot(IN, OUT))
    door = door_from_device({"device": whole} if wrapped else whole)
    assert door.device_id == "11111111-1111-1111-1111-444444444444"
    assert door.name == "Room 101"
    assert door.can_program_offline_access_codes
    assert door.time_zone == LOS_ANGELES
    (slot,) = door.slots
    assert (slot.name, slot.user_level_id, slot.prefix) == ("Guest RCI D 7am-7pm", ID, 0)
    assert slot.check_in is not None
    assert (str(slot.check_in), slot.check_in.zone) == ("15:30", "PST8PDT")
    assert slot.unreadable == ""


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda one: {"device": one, "ok": True}, id="devices/get"),
        pytest.param(lambda one: {"lock": one, "ok": True}, id="locks/get"),
        pytest.param(lambda one: {"device": {"device": one}}, id="wrapped twice"),
    ],
)
def test_answers(answer: Any) -> None:
    """An answer of the API can be saved to a file and used unchanged."""
    assert door_from_device(answer(device(vendor_slot(IN, OUT)))).slots


@pytest.mark.parametrize("name", ["dormakaba_oracode_metadata", "dormakaba_oracode_device_metadata"])
def test_names_of_the_metadata(name: str) -> None:
    """Seam's schema has one name, its prose another."""
    whole = device()
    whole["properties"] = {name: {"iana_timezone": "America/Denver", "predefined_time_slots": [vendor_slot(IN, OUT)]}}
    door = door_from_device(whole)
    assert len(door.slots) == 1
    assert door.time_zone == "America/Denver"


@pytest.mark.parametrize(
    ("fields", "prefix"),
    [
        pytest.param({"prefix": 3}, 3, id="prefix"),
        pytest.param({"dormakaba_oracode_user_level_prefix": 4}, 4, id="schema"),
        pytest.param({"ext_dormakaba_oracode_user_level_prefix": 5}, 5, id="samples"),
        pytest.param({"prefix": None, "ext_dormakaba_oracode_user_level_prefix": 5}, 5, id="the next one"),
        pytest.param({}, None, id="none"),
        pytest.param({"prefix": True}, None, id="no number"),
    ],
)
def test_names_of_the_prefix(fields: dict[str, Any], prefix: int | None) -> None:
    """Either name is read."""
    slot = {"check_in_time": IN, "check_out_time": OUT} | fields
    assert vendor_door(slot).slots[0].prefix == prefix


def test_homeowners_portal() -> None:
    """The sibling device type has other names for everything."""
    levels = [
        {"user_level": 2, "user_level_name": "Guest", "user_level_type": "standard",
         "user_level_check_in_time": "16:00", "user_level_check_out_time": "10:00"},
        {"user_level": 9, "user_level_name": "Owner", "user_level_type": "Master",
         "user_level_check_in_time": "00:00", "user_level_check_out_time": "00:00"},
        "noise",
    ]  # fmt: skip
    whole = device(device_type="dormakaba_oracode_iho")
    whole["properties"] = {
        "dormakaba_oracode_iho_metadata": {
            "iana_timezone": LOS_ANGELES,
            "user_levels": levels,
            "door_name": "Cabin",
        }
    }
    guest, owner, noise = door_from_device(whole).slots
    assert (guest.name, guest.user_level_id, guest.prefix) == ("Guest", "2", 2)
    assert str(guest.check_in) == "16:00"
    assert not guest.is_master
    assert owner.is_master
    assert noise.unreadable


@pytest.mark.parametrize(
    ("zones", "location", "zone"),
    [
        pytest.param({"iana_timezone": "America/Denver"}, {"time_zone": "UTC"}, "America/Denver", id="door"),
        pytest.param({}, {"time_zone": "America/Denver"}, "America/Denver", id="location"),
        pytest.param({}, {"timezone": "America/Denver"}, "America/Denver", id="deprecated name"),
        pytest.param({"iana_timezone": None}, {"time_zone": "UTC"}, "UTC", id="null"),
        pytest.param({"iana_timezone": "PST"}, {"time_zone": "UTC"}, "UTC", id="unknown zone"),
        pytest.param({"iana_timezone": 7}, {"time_zone": []}, None, id="no text"),
        pytest.param({}, None, None, id="none"),
        pytest.param({}, "America/Denver", None, id="location is no object"),
    ],
)
def test_zone(zones: dict[str, Any], location: Any, zone: str | None) -> None:
    """The device's own zone, else that of its location."""
    whole = device(location=location)
    metadata_of(whole).pop("iana_timezone")
    metadata_of(whole).update(zones)
    assert door_from_device(whole).time_zone == zone


@pytest.mark.parametrize("value", [True, False, None, "true", 1, ...], ids=str)
def test_offline_codes_must_be_declared(value: Any) -> None:
    """The flag must be there and true."""
    whole = device(can_program_offline_access_codes=value)
    if value is ...:
        del whole["can_program_offline_access_codes"]
    assert door_from_device(whole).can_program_offline_access_codes is (value is True)


@pytest.mark.parametrize(
    ("slot", "why"),
    [
        pytest.param({}, "check_in_time is missing; check_out_time is missing", id="empty"),
        pytest.param("x", "'x' is not a time slot; check_in_time is missing; check_out_time is missing", id="text"),
        pytest.param(vendor_slot("16:00:00Z", OUT), "has an offset without a zone", id="Z"),
        pytest.param(vendor_slot(IN, "10:00-08:00"), "has an offset without a zone", id="offset"),
        pytest.param(vendor_slot("25:00[PST8PDT]", OUT), "is a time that no clock shows", id="25"),
        pytest.param(vendor_slot("16:00[PST]", OUT), "names the zone 'PST', which", id="zone"),
        pytest.param(vendor_slot(IN, OUT, check_in_time=16), "check_in_time 16 is not text", id="number"),
        pytest.param(vendor_slot(IN, OUT, is_master="no"), "is_master 'no' is neither true nor false", id="flag"),
    ],
)
def test_unreadable_slot_says_why_and_spoils_nothing_else(slot: Any, why: str) -> None:
    """A malformed slot doesn't affect the others."""
    door = vendor_door(slot, vendor_slot(IN, OUT))
    assert why in door.slots[0].unreadable
    assert door.slots[1].unreadable == ""


@pytest.mark.parametrize("slots", [None, {}, "x", 7, True], ids=str)
def test_slots_that_are_no_list(slots: Any) -> None:
    """The door then has no slots; nothing raises."""
    whole = device()
    metadata_of(whole)["predefined_time_slots"] = slots
    assert door_from_device(whole).slots == ()


@pytest.mark.parametrize(
    ("given_device", "says"),
    [
        pytest.param([], "a list is not a device object", id="list"),
        pytest.param(None, "null is not a device object", id="null"),
        pytest.param("x", "'x' is not a device object", id="text"),
        pytest.param({}, "no device_type", id="empty object"),
        pytest.param({"error": {"type": "not_found"}, "ok": False}, "no device_type", id="an error"),
        pytest.param({"devices": []}, "list of devices", id="devices/list"),
        pytest.param({"device_id": "d", "device_type": "ecobee_thermostat"}, "'ecobee_thermostat'", id="thermostat"),
        pytest.param({"device_type": 7}, "device_type is 7", id="type is no text"),
        pytest.param({"booking_id": "BK-1"}, "not a lock", id="a booking"),
    ],
)
def test_not_a_door(given_device: Any, says: str) -> None:
    """The error says what it is instead."""
    with pytest.raises(NotADoor, match=says):
        door_from_device(given_device)


def test_other_locks_are_doors_without_slots() -> None:
    """Matching then says what the lock lacks."""
    door = door_from_device({"device_id": "d", "device_type": "august_lock", "properties": {}})
    assert door.slots == ()
    assert not door.can_program_offline_access_codes
    assert door.name == "d"


@pytest.mark.parametrize(
    ("fields", "most"),
    [
        pytest.param({"max_active_codes_supported": 250}, 250, id="number"),
        pytest.param({"max_active_codes_supported": "many"}, None, id="text"),
        pytest.param({}, None, id="absent"),
    ],
)
def test_most_active_codes(fields: dict[str, Any], most: int | None) -> None:
    """It is read if it is a number."""
    whole = device()
    whole["properties"].update(fields)
    assert door_from_device(whole).max_active_codes_supported == most


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from(sorted(vendor_slot(IN, OUT))), VALUES),
    st.dictionaries(st.sampled_from(["iana_timezone", "predefined_time_slots", "door_name"]), VALUES),
    st.dictionaries(st.sampled_from(["display_name", "location", "properties", "device_id"]), VALUES),
)
def test_wrong_types_never_raise(slot: dict[str, Any], metadata: dict[str, Any], top: dict[str, Any]) -> None:
    """Any values in a lock's device give a door that can be matched."""
    from shared.domain.matching.match import MatchPolicy, match  # noqa: PLC0415 - only here

    whole = device(vendor_slot(IN, OUT) | slot)
    metadata_of(whole).update(metadata)
    door = door_from_device(whole | top)
    found = match(stay("2026-12-01T16:00", "2026-12-05T10:00"), door, MatchPolicy())
    assert json.dumps(found.as_json())
