"""From a message and its unit's rules to the stay of a door."""

from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest

from shared.domain.messages.message import BookingMessage, InvalidMessage, stay_of
from shared.domain.messages.parse import parse_booking_message
from shared.domain.stay.stay import Granularity, Instant, UnitRules, WallTime, as_booked
from tests.domain.building import wall

DOOR = "d0000000-0000-0000-0000-000000000001"
HOTEL = UnitRules(unit="101", device_ids=(DOOR,), check_in=time(16), check_out=time(10))


def message(check_in: str, check_out: str, **fields: Any) -> BookingMessage:
    """Return a message of a unit."""
    whole = {"booking_id": "BK-1", "unit": "101", "check_in": check_in, "check_out": check_out}
    return parse_booking_message(whole | fields)


def test_dates_get_the_units_times_on_the_locks_clock() -> None:
    """The message's `time_zone` is for its own local times, not for the unit's."""
    asked = stay_of(message("2026-12-01", "2026-12-05", time_zone="Europe/Berlin"), HOTEL)
    assert asked.check_in == WallTime(wall("2026-12-01T16:00"))
    assert asked.check_out == WallTime(wall("2026-12-05T10:00"))


def test_times_go_before_defaults() -> None:
    """Defaults are for dates only."""
    asked = stay_of(message("2026-12-01T12:00", "2026-12-05"), HOTEL)
    assert asked.check_in == WallTime(wall("2026-12-01T12:00"))
    assert asked.check_out == WallTime(wall("2026-12-05T10:00"))


@pytest.mark.parametrize("offset", ["", "-08:00"], ids=["wall time", "instant"])
def test_buffers_widen_the_stay(offset: str) -> None:
    """Earlier check-in, later check-out."""
    rules = UnitRules(
        unit="101",
        device_ids=(DOOR,),
        buffer_before=timedelta(minutes=30),
        buffer_after=timedelta(hours=1),
    )
    asked = stay_of(message(f"2026-12-01T16:00{offset}", f"2026-12-05T10:00{offset}"), rules)
    kind = Instant if offset else WallTime
    assert asked.check_in == kind(wall(f"2026-12-01T15:30{offset}"))
    assert asked.check_out == kind(wall(f"2026-12-05T11:00{offset}"))


@pytest.mark.parametrize(
    ("said", "rule", "used"),
    [
        pytest.param(None, None, "hourly", id="hourly by default"),
        pytest.param(None, Granularity.DAILY, "daily", id="the unit's"),
        pytest.param("hourly", Granularity.DAILY, "hourly", id="the message's"),
    ],
)
def test_granularity(said: str | None, rule: Granularity | None, used: str) -> None:
    """The message goes before the unit, the unit before the default."""
    rules = UnitRules(unit="101", device_ids=(DOOR,), granularity=rule)
    asked = message("2026-12-01T16:00", "2026-12-05T10:00", granularity=said)
    assert stay_of(asked, rules).granularity == used


def test_prescribed_slot_is_kept() -> None:
    """Only the door knows its slots."""
    asked = message("2026-12-01T16:00", "2026-12-05T10:00", slot="Guest")
    assert stay_of(asked, None).slot == "Guest"


@pytest.mark.parametrize(
    ("rules", "wrong"),
    [
        pytest.param(None, "a booking without a unit has no default time", id="no unit"),
        pytest.param(UnitRules(unit="101", device_ids=(DOOR,)), "unit '101' has no default time", id="no default"),
    ],
)
def test_dates_without_defaults(rules: UnitRules | None, wrong: str) -> None:
    """The problem names both dates, and what would help."""
    with pytest.raises(InvalidMessage) as refused:
        stay_of(message("2026-12-01", "2026-12-05"), rules)
    assert [problem.field for problem in refused.value.problems] == ["check_in", "check_out"]
    for problem in refused.value.problems:
        assert wrong in problem.wrong
        assert "doors file" in problem.right


def test_default_times_may_make_the_order_wrong() -> None:
    """A time after the unit's check-out time on the same day."""
    with pytest.raises(InvalidMessage, match="check_out: is not after check_in"):
        stay_of(message("2026-12-05T12:00", "2026-12-05"), HOTEL)


def test_buffers_cannot_correct_a_wrong_order() -> None:
    """If the order is wrong, no buffer helps."""
    rules = UnitRules(unit="101", device_ids=(), check_out=time(10), buffer_after=timedelta(hours=12))
    with pytest.raises(InvalidMessage, match="check_out: is not after check_in"):
        stay_of(message("2026-12-05T12:00", "2026-12-05"), rules)


def test_cancellation_has_no_stay() -> None:
    """No code asks for it."""
    cancelled = {"specversion": "1.0", "id": "1", "source": "s", "type": "booking.cancelled"}
    with pytest.raises(InvalidMessage) as refused:
        stay_of(parse_booking_message(cancelled | {"data": {"booking_id": "BK-1"}}), HOTEL)
    assert [problem.field for problem in refused.value.problems] == ["check_in", "check_out"]


def test_buffer_beyond_the_calendar() -> None:
    """A doors file can't make the worker fail."""
    rules = UnitRules(unit="101", device_ids=(DOOR,), buffer_before=timedelta(days=9_999_999))
    with pytest.raises(InvalidMessage, match="calendar"):
        stay_of(message("2026-12-01T16:00", "2026-12-05T10:00"), rules)


@pytest.mark.parametrize("offset", ["", "-08:00"], ids=["wall time", "instant"])
def test_people_read_the_booked_times(offset: str) -> None:
    """Buffers only change what the door is asked for; they can be taken out again, and don't make another stay."""
    buffered = replace(HOTEL, buffer_before=timedelta(minutes=30), buffer_after=timedelta(hours=2))
    booked = message(f"2026-12-01T16:00{offset}", f"2026-12-05T10:00{offset}")
    asked = stay_of(booked, buffered)
    assert (asked.check_in.at.hour, asked.check_out.at.hour) == (15, 12)
    assert as_booked(asked) == stay_of(booked, HOTEL)
    assert as_booked(as_booked(asked)) == as_booked(asked)
    assert replace(asked, buffer_before=timedelta()) == asked
