"""How people are told that a door's slots were changed under a code."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from shared.domain.booking.planning import Alter, Decision, Keep, Plan
from shared.domain.booking.record import BookedDoor, Window
from shared.domain.booking.slot_drift import drift_of
from tests.shared.stories import code, door

BERLIN, LONDON = ZoneInfo("Europe/Berlin"), ZoneInfo("Europe/London")


def window(zone: ZoneInfo | timezone, hour: int = 16) -> Window:
    """Return a code's window by the clock of a zone."""
    return Window(datetime(2036, 11, 28, hour, tzinfo=zone), datetime(2036, 12, 1, 10, tzinfo=zone))


def booked(at: Window, time_zone: str | None = "Europe/Berlin") -> BookedDoor:
    """Return a door with a code for this window."""
    return door(code=code(window=at), asked=at, time_zone=time_zone)


def plan(decision: Decision, time_zone: str | None = "Europe/Berlin") -> Plan:
    """Return a plan for the door as it is now."""
    stay = window(BERLIN)
    return Plan(
        decision=decision,
        door_name="",
        time_zone=time_zone,
        check_in=stay.starts_at,
        check_out=stay.ends_at,
        match={},
    )


def test_if_only_the_zone_changed_both_zones_are_named() -> None:
    """Two equal wall times would explain nothing."""
    told = drift_of(booked(window(BERLIN)), plan(Alter(window(LONDON)), "Europe/London"))
    assert "The door's zone is Europe/London now; it was Europe/Berlin." in told
    assert "2036-11-28 16:00" in told


@pytest.mark.parametrize("known", [None, "Europe/London"])
def test_if_no_other_zone_is_known_the_offsets_are_named(known: str | None) -> None:
    """For example if the rules of a zone have changed."""
    before = window(timezone(timedelta(hours=1)))
    told = drift_of(booked(before, known), plan(Alter(window(LONDON)), "Europe/London"))
    assert "+0000" in told
    assert "+0100" in told


def test_other_slots_are_told_by_their_times() -> None:
    """The zone is the same, and isn't mentioned."""
    told = drift_of(booked(window(BERLIN)), plan(Alter(window(BERLIN, 17))))
    assert told == "The same stay would get 2036-11-28 17:00 to 2036-12-01 10:00 now."


def test_no_slot_fits_any_more() -> None:
    """If another zone may be the reason, that is said, too."""
    assert drift_of(booked(window(BERLIN)), plan(Alter(None))) == "None of its slots fits this stay any more."
    assert "Europe/London" in drift_of(booked(window(BERLIN)), plan(Alter(None), "Europe/London"))


def test_another_name_of_the_same_clock_is_no_other_zone() -> None:
    """A door whose zone was noted under the name that a slot gave it."""
    told = drift_of(booked(window(BERLIN), "Europe/Vienna"), plan(Alter(None), "Europe/Berlin"))
    assert told == "None of its slots fits this stay any more."


def test_cases_without_drift() -> None:
    """It fits; there is no code; there is no stay to plan; or the code never was what was asked for."""
    at = window(BERLIN)
    assert drift_of(booked(at), plan(Keep(at))) == ""
    assert drift_of(door(), plan(Alter(None))) == ""
    assert drift_of(booked(at), None) == ""
    assert drift_of(replace(booked(at), asked=window(BERLIN, 17)), plan(Alter(None))) == ""
