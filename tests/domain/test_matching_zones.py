"""The time zone of a slot's times, and the effect of daylight saving time."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.matching.match import match
from shared.domain.stay.stay import Stay, WallTime
from tests.domain.building import (
    LOS_ANGELES,
    door,
    slot,
    stay,
    time_of_day,
    wall,
)
from tests.domain.matches import ANY, ORDINARY, verdict_of, window_of


def test_zone_in_the_slot_goes_before_the_doors() -> None:
    """The zone in the slot's own string counts, else that of the device."""
    at = door(slot(zone="America/New_York"))
    assert window_of(ORDINARY, at)[0] == "2026-12-01T16:00:00-05:00"
    assert match(ORDINARY, at, ANY).time_zone == "America/New_York"


@pytest.mark.parametrize(
    "field",
    [
        pytest.param({"check_in": time_of_day("16:00", "America/New_York")}, id="the first"),
        pytest.param({"check_out": time_of_day("10:00", "America/New_York")}, id="the second"),
    ],
)
def test_zone_in_one_string_of_the_slot_holds_for_both(field: dict[str, Any]) -> None:
    """A lock has one clock."""
    at = door(slot(**field))
    assert window_of(ORDINARY, at) == ("2026-12-01T16:00:00-05:00", "2026-12-05T10:00:00-05:00")


def test_two_names_of_one_clock_are_one_clock() -> None:
    """Zones are compared by what their clocks show."""
    at = door(slot(check_in=time_of_day("16:00", "PST8PDT"), check_out=time_of_day("10:00", "US/Pacific")))
    assert verdict_of(ORDINARY, at) == "fits"


@pytest.mark.parametrize(
    ("zone", "named"),
    [("PST8PDT", LOS_ANGELES), ("US/Pacific", LOS_ANGELES), ("America/Phoenix", "America/Phoenix")],
)
def test_a_clock_is_called_as_the_door_calls_it(zone: str, named: str) -> None:
    """Another name of it in the slot's strings isn't another clock; one that only looks alike in winter is."""
    summer = stay("2027-03-10T16:00", "2027-03-20T10:00")
    assert match(summer, door(slot(zone=zone)), ANY).time_zone == named
    assert match(summer, door(slot("03:00-04:00", zone=zone)), ANY).time_zone == named
    assert match(summer, door(slot(zone=zone), time_zone=None), ANY).time_zone == zone


def test_two_names_of_one_clock_hide_no_other_problem() -> None:
    """A slot that is unreadable for another reason stays so."""
    times: dict[str, Any] = {
        "check_in": time_of_day("16:00", "PST8PDT"),
        "check_out": time_of_day("10:00", "US/Pacific"),
    }
    (found,) = match(ORDINARY, door(slot(**times, unreadable="why")), ANY).considered
    assert (found.verdict.value, found.problem) == ("unreadable", "why")


def test_two_clocks_in_one_slot_are_unreadable() -> None:
    """It isn't known which of them the lock uses, and a code can't be taken back."""
    mixed = slot(check_in=time_of_day("16:00", LOS_ANGELES), check_out=time_of_day("10:00", "America/Denver"))
    (found,) = match(ORDINARY, door(mixed), ANY).considered
    assert found.verdict.value == "unreadable"
    assert found.problem == "its times name two time zones, America/Los_Angeles and America/Denver"


def test_instants_are_measured_on_each_slots_own_clock() -> None:
    """Slots in several zones each see the booking on their own clock."""
    at = door(slot(zone="America/New_York"), slot(zone=LOS_ANGELES))
    found = match(stay("2026-12-01T16:00:00-08:00", "2026-12-05T10:00:00-08:00"), at, ANY)
    assert found.slot is at.slots[1]
    assert found.considered[0].check_in_gap == timedelta(hours=-3)


DST = [
    ("start in the skipped hour", "02:30-10:00", "2027-03-14T02:30", "2027-03-16T10:00",
     ("2027-03-14T03:30:00-07:00", "2027-03-16T10:00:00-07:00")),
    ("end in the skipped hour", "16:00-02:30", "2027-03-12T16:00", "2027-03-14T02:30",
     ("2027-03-12T16:00:00-08:00", "2027-03-14T03:30:00-07:00")),
    ("start in the doubled hour is the first", "01:30-10:00", "2026-11-01T01:30",
     "2026-11-03T10:00", ("2026-11-01T01:30:00-07:00", "2026-11-03T10:00:00-08:00")),
    ("end in the doubled hour is the second", "16:00-01:30", "2026-10-30T16:00",
     "2026-11-01T01:30", ("2026-10-30T16:00:00-07:00", "2026-11-01T01:30:00-08:00")),
    ("start and end straddle the change", "16:00-10:00", "2027-03-13T16:00", "2027-03-15T10:00",
     ("2027-03-13T16:00:00-08:00", "2027-03-15T10:00:00-07:00")),
    ("a skipped booking time counts as written", "01:45-10:00", "2027-03-14T02:30",
     "2027-03-16T10:00", ("2027-03-14T01:45:00-08:00", "2027-03-16T10:00:00-07:00")),
    ("the first of a doubled instant", "01:30-10:00", "2026-11-01T01:30:00-07:00",
     "2026-11-03T10:00", ("2026-11-01T01:30:00-07:00", "2026-11-03T10:00:00-08:00")),
    ("the second is the same wall time", "01:30-10:00", "2026-11-01T01:30:00-08:00",
     "2026-11-03T10:00", ("2026-11-01T01:30:00-07:00", "2026-11-03T10:00:00-08:00")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("times", "check_in", "check_out", "window"),
    [pytest.param(*row, id=name) for name, *row in DST],
)
def test_daylight_saving(times: str, check_in: str, check_out: str, window: tuple[str, str]) -> None:
    """Gaps are measured on the wall clock; the offset is that of each moment."""
    assert window_of(stay(check_in, check_out), door(slot(times))) == window


ELSEWHERE = [
    ("Lord Howe skips half an hour", "Australia/Lord_Howe", "02:15-10:00", "2026-10-04T02:15",
     "2026-10-06T10:00", ("2026-10-04T02:45:00+11:00", "2026-10-06T10:00:00+11:00")),
    ("Lord Howe doubles half an hour", "Australia/Lord_Howe", "16:00-01:45", "2027-04-02T16:00",
     "2027-04-04T01:45", ("2027-04-02T16:00:00+11:00", "2027-04-04T01:45:00+10:30")),
    ("Chatham is 45 minutes off", "Pacific/Chatham", "16:00-10:00", "2026-07-01T03:15Z",
     "2026-07-03T21:15Z", ("2026-07-01T16:00:00+12:45", "2026-07-04T10:00:00+12:45")),
    ("Kathmandu", "Asia/Kathmandu", "16:00-10:00", "2026-07-01T10:15Z", "2026-07-04T04:15Z",
     ("2026-07-01T16:00:00+05:45", "2026-07-04T10:00:00+05:45")),
    ("Phoenix has no summer time", "America/Phoenix", "16:00-10:00", "2026-07-01T23:00Z",
     "2026-07-04T17:00Z", ("2026-07-01T16:00:00-07:00", "2026-07-04T10:00:00-07:00")),
    ("EST has none either", "EST", "16:00-10:00", "2026-07-01T21:00Z", "2026-07-04T15:00Z",
     ("2026-07-01T16:00:00-05:00", "2026-07-04T10:00:00-05:00")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "times", "check_in", "check_out", "window"),
    [pytest.param(*row, id=name) for name, *row in ELSEWHERE],
)
def test_unusual_zones(zone: str, times: str, check_in: str, check_out: str, window: tuple[str, str]) -> None:
    """Offsets needn't be whole hours."""
    assert window_of(stay(check_in, check_out), door(slot(times), time_zone=zone)) == window


CONVERTED = [
    ("another zone is converted", "America/New_York", "2026-12-01T19:00", "16:00", 0),
    ("skipped there: an hour later", "America/New_York", "2027-03-14T02:30", "23:30", 0),
    ("doubled there: the first", "America/New_York", "2026-11-01T01:30", "22:30", 0),
    ("its own zone counts as written", LOS_ANGELES, "2027-03-14T02:30", "02:30", 0),
    ("under another name too", "US/Pacific", "2027-03-14T02:30", "02:30", 0),
]


@pytest.mark.parametrize(
    ("zone", "check_in", "slot_in", "gap"), [pytest.param(*row, id=name) for name, *row in CONVERTED]
)
def test_local_times_of_another_zone(zone: str, check_in: str, slot_in: str, gap: int) -> None:
    """A local time is the lock's own unless `time_zone` says otherwise."""
    asked = Stay(check_in=WallTime(wall(check_in), zone), check_out=WallTime(wall("2027-04-01T10:00")))
    (found,) = match(asked, door(slot(f"{slot_in}-10:00")), ANY).considered
    assert found.check_in_gap == timedelta(minutes=gap)
