"""The verdict on one slot for a stay: the rules of kinds, lengths and windows, row by row."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.matching.match import MatchPolicy, Outcome, match
from tests.domain.building import (
    daily,
    day_slot,
    door,
    slot,
    stay,
)
from tests.domain.matches import ANY, BIWEEKLY, outcome_of, verdict_of, window_of

HOURLY_VERDICTS = [
    ("exact", "16:00-10:00", "T16:00", "T10:00", "fits"),
    ("sixty minutes late", "16:00-10:00", "T17:00", "T10:00", "fits"),
    ("sixty minutes early", "16:00-10:00", "T15:00", "T10:00", "fits"),
    ("a second more, late", "16:00-10:00", "T17:00:01", "T10:00", "check_in_too_far"),
    ("a second more, early", "16:00-10:00", "T14:59:59", "T10:00", "check_in_too_far"),
    ("a microsecond more", "16:00-10:00", "T14:59:59.999999", "T10:00", "check_in_too_far"),
    ("a microsecond more, late", "16:00-10:00", "T17:00:00.000001", "T10:00", "check_in_too_far"),
    ("out a microsecond more", "16:00-10:00", "T16:00", "T11:00:00.000001", "check_out_too_far"),
    ("out a microsecond more, early", "16:00-10:00", "T16:00", "T08:59:59.999999", "check_out_too_far"),
    ("out sixty late", "16:00-10:00", "T16:00", "T11:00", "fits"),
    ("out sixty early", "16:00-10:00", "T16:00", "T09:00", "fits"),
    ("out a second more, late", "16:00-10:00", "T16:00", "T11:00:01", "check_out_too_far"),
    ("out a second more, early", "16:00-10:00", "T16:00", "T08:59:59", "check_out_too_far"),
    ("both too far", "16:00-10:00", "T12:00", "T14:00", "both_too_far"),
    ("slot after midnight", "00:15-10:00", "T23:45", "T10:00", "fits"),
    ("slot before midnight", "23:45-10:00", "T00:15", "T10:00", "fits"),
    ("out across midnight", "16:00-23:30", "T16:00", "T00:15", "fits"),
    ("twelve hours away", "04:00-10:00", "T16:00", "T10:00", "check_in_too_far"),
]


@pytest.mark.parametrize(
    ("times", "check_in", "check_out", "verdict"),
    [pytest.param(*row, id=name) for name, *row in HOURLY_VERDICTS],
)
def test_hourly_verdict(times: str, check_in: str, check_out: str, verdict: str) -> None:
    """Both ends must be within sixty minutes, measured around the clock."""
    asked = stay(f"2026-12-01{check_in}", f"2026-12-05{check_out}")
    assert verdict_of(asked, door(slot(times))) == verdict


CIRCULAR = [
    ("over midnight, later", "00:15-10:00", "T23:45", 30, "2026-12-02T00:15:00-08:00"),
    ("over midnight, earlier", "23:45-10:00", "T00:15", -30, "2026-11-30T23:45:00-08:00"),
    ("the same day", "16:00-10:00", "T15:30:30", 29.5, "2026-12-01T16:00:00-08:00"),
]


@pytest.mark.parametrize(
    ("times", "check_in", "gap", "starts_at"),
    [pytest.param(*row, id=name) for name, *row in CIRCULAR],
)
def test_nearest_occurrence_may_be_on_another_date(times: str, check_in: str, gap: float, starts_at: str) -> None:
    """23:45 is thirty minutes before 00:15 of the next day, so the date changes."""
    found = match(stay(f"2026-12-01{check_in}", "2026-12-05T10:00"), door(slot(times)), ANY).as_json()
    assert found["check_in_gap_minutes"] == gap
    assert found["starts_at"] == starts_at


@pytest.mark.parametrize(
    ("times", "gap"),
    [
        pytest.param("06:00-10:00", -600, id="ten hours earlier"),
        pytest.param("02:00-10:00", 600, id="ten hours later"),
        pytest.param("04:00-10:00", -720, id="of two at twelve hours the earlier"),
        pytest.param("03:59:59-10:00", 720 - 1 / 60, id="a second less than twelve hours"),
    ],
)
def test_gaps_are_of_the_nearest_occurrence(times: str, gap: float) -> None:
    """Twelve hours at most."""
    (found,) = match(stay("2026-12-01T16:00", "2026-12-05T10:00"), door(slot(times)), ANY).considered
    assert found.check_in_gap is not None
    assert found.check_in_gap / timedelta(minutes=1) == pytest.approx(gap)


def test_check_out_gap_may_move_the_date_too() -> None:
    """The rule for the end is the same as for the start."""
    asked = stay("2026-12-01T16:00", "2026-12-05T00:15")
    assert window_of(asked, door(slot("16:00-23:30")))[1] == "2026-12-04T23:30:00-08:00"


KINDS: list[tuple[str, dict[str, Any], MatchPolicy, str, str]] = [
    ("master", {"is_master": True}, ANY, "12-05", "master"),
    ("one-shot", {"is_one_shot": True}, ANY, "12-05", "one_shot"),
    ("master goes first", {"is_master": True, "is_one_shot": True}, ANY, "12-05", "master"),
    ("biweekly", {"is_biweekly_mode": True}, ANY, "12-05", "biweekly"),
    ("biweekly allowed", {"is_biweekly_mode": True}, BIWEEKLY, "12-05", "fits"),
    ("biweekly, 14 days", {"is_biweekly_mode": True}, BIWEEKLY, "12-15T16:00", "fits"),
    ("biweekly, more", {"is_biweekly_mode": True}, BIWEEKLY, "12-15T16:00:01", "biweekly"),
    ("24-hour slots serve hourly stays", {"is_24_hour": True}, ANY, "12-05", "fits"),
    ("unreadable", {"unreadable": "why"}, ANY, "12-05", "unreadable"),
    ("no times", {"check_in": None, "unreadable": "why"}, ANY, "12-05", "unreadable"),
    ("no end", {"check_out": None, "unreadable": "why"}, ANY, "12-05", "unreadable"),
    ("unreadable master", {"check_in": None, "is_master": True}, ANY, "12-05", "master"),
]


@pytest.mark.parametrize(
    ("fields", "policy", "check_out", "verdict"),
    [pytest.param(*row, id=name) for name, *row in KINDS],
)
def test_kinds_of_slots(fields: dict[str, Any], policy: MatchPolicy, check_out: str, verdict: str) -> None:
    """Some slots are never used, whatever their times."""
    written = check_out if "T" in check_out else f"{check_out}T16:00"
    at = door(slot("16:00-16:00", **fields))
    assert verdict_of(stay("2026-12-01T16:00", f"2026-{written}"), at, policy) == verdict


LENGTHS = [
    ("31 days to the second", "16:00-16:00", "2027-01-01T16:00", "fits"),
    ("the slot makes it longer", "16:00-16:30", "2027-01-01T16:00", "too_long"),
    ("the slot makes it shorter", "16:00-15:30", "2027-01-01T16:00", "fits"),
    ("32 days", "16:00-16:00", "2027-01-02T16:00", "too_long"),
    ("a year", "16:00-16:00", "2027-12-01T16:00", "too_long"),
    ("too far goes before too long", "16:00-10:00", "2027-12-01T16:00", "check_out_too_far"),
]


@pytest.mark.parametrize(("times", "check_out", "verdict"), [pytest.param(*row, id=name) for name, *row in LENGTHS])
def test_length_is_the_windows_own(times: str, check_out: str, verdict: str) -> None:
    """31 times 24 hours on the wall clock, from start to end of the code, not of the booking."""
    assert verdict_of(stay("2026-12-01T16:00", check_out), door(slot(times))) == verdict


@pytest.mark.parametrize(
    ("check_in", "check_out"),
    [
        pytest.param("2027-03-01T16:00", "2027-04-01T16:00", id="743 real hours"),
        pytest.param("2026-10-20T16:00", "2026-11-20T16:00", id="745 real hours"),
    ],
)
def test_thirty_one_days_are_wall_days(check_in: str, check_out: str) -> None:
    """The limit is on the wall clock, also in months in which the clock changes."""
    assert verdict_of(stay(check_in, check_out), door(slot("16:00-16:00"))) == "fits"


@pytest.mark.parametrize(
    ("check_in", "check_out", "verdict"),
    [
        pytest.param("T10:00", "T10:30", "empty_window", id="both ends at one time"),
        pytest.param("T09:45", "T10:30", "empty_window", id="around it"),
        pytest.param("T09:30", "T23:59", "check_out_too_far", id="too far goes first"),
    ],
)
def test_empty_window(check_in: str, check_out: str, verdict: str) -> None:
    """A stay of minutes may fall on one moment of a slot: no code can be made for that."""
    asked = stay(f"2026-12-01{check_in}", f"2026-12-01{check_out}")
    assert verdict_of(asked, door(slot("10:00-10:00"))) == verdict


def test_window_that_ends_before_it_starts_is_empty() -> None:
    """The nearest times may even be in the wrong order."""
    asked = stay("2026-12-01T10:00", "2026-12-01T10:10")
    assert verdict_of(asked, door(slot("10:30-09:30"))) == "empty_window"


@pytest.mark.parametrize("end", ["03:15", "03:30"])
def test_window_that_the_clock_skips_is_empty(end: str) -> None:
    """In the night when the clock goes forward, 02:30 is used as 03:30: no time is left."""
    asked = stay("2027-03-14T02:30", f"2027-03-14T{end}")
    assert verdict_of(asked, door(slot(f"02:30-{end}"))) == "empty_window"
    assert verdict_of(asked, door(slot("02:30-03:45"))) == "fits"
    the_night_before = stay("2027-03-13T02:30", "2027-03-13T03:15")
    assert verdict_of(the_night_before, door(slot("02:30-03:15"))) == "fits"


@pytest.mark.parametrize("times", ["01:30-01:30", "01:45-01:15"])
def test_empty_window_in_the_doubled_hour(times: str) -> None:
    """There is an hour from the first 01:30 to the second, but the slot's clock shows none."""
    asked = stay("2026-11-01T01:30", "2026-11-01T01:31")
    assert verdict_of(asked, door(slot(times))) == "empty_window"


def test_shortest_window() -> None:
    """A window of a microsecond isn't empty."""
    asked = stay("2026-12-01T10:00", "2026-12-01T10:00:00.000001")
    assert verdict_of(asked, door(slot("10:00-10:00:00.000001"))) == "fits"


DAILY = [
    ("noon covers a hotel stay", "12:00", "T16:00", "T10:00", ("12-01T12:00", "12-05T12:00")),
    ("exact at both ends", "12:00", "T12:00", "T12:00", ("12-01T12:00", "12-05T12:00")),
    ("a second earlier", "12:00", "T11:59:59", "T12:00", ("11-30T12:00", "12-05T12:00")),
    ("a second later", "12:00", "T12:00", "T12:00:01", ("12-01T12:00", "12-06T12:00")),
    ("midnight", "00:00", "T16:00", "T10:00", ("12-01T00:00", "12-06T00:00")),
]


@pytest.mark.parametrize(
    ("at", "check_in", "check_out", "window"),
    [pytest.param(*row, id=name) for name, *row in DAILY],
)
def test_daily_covers_the_stay(at: str, check_in: str, check_out: str, window: tuple[str, str]) -> None:
    """The last start at or before the check-in, the first end at or after the check-out."""
    asked = daily(f"2026-12-01{check_in}", f"2026-12-05{check_out}")
    found = match(asked, door(day_slot(at)), ANY)
    expected = tuple(f"2026-{written}:00-08:00" for written in window)
    assert window_of(asked, door(day_slot(at))) == expected
    assert found.max_time_rounding == "1day"
    assert found.fit in {"exact", "covers"}


def test_daily_takes_only_24_hour_slots() -> None:
    """An hourly slot is never used for a daily code, however well its times fit."""
    asked = daily("2026-12-01T16:00", "2026-12-05T10:00")
    found = match(asked, door(slot("16:00-10:00"), day_slot("12:00")), ANY)
    assert [one.verdict.value for one in found.considered] == ["not_daily", "fits"]
    only_hourly = match(asked, door(slot("16:00-10:00")), ANY)
    assert only_hourly.outcome is Outcome.NO_SLOT
    assert only_hourly.problem == "this door has no 24-hour slot that can be used"


def test_daily_window_is_limited_to_31_days_after_rounding() -> None:
    """If rounding makes 31 days longer, they are too long."""
    at = door(day_slot("12:00"))
    assert verdict_of(daily("2026-12-01T12:00", "2027-01-01T12:00"), at) == "fits"
    assert outcome_of(daily("2026-12-01T12:00", "2027-01-01T12:01"), at) == "too_long"
