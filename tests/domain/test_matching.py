"""The matching rules, row by row: which slot serves a stay, its window, and why the others don't."""

from dataclasses import FrozenInstanceError
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.bookings import Instant, Stay, WallTime
from shared.domain.doors import Door
from shared.domain.matching import MatchPolicy, Outcome, SlotPreference, match
from tests.domain.building import (
    LOS_ANGELES,
    daily,
    day_slot,
    door,
    slot,
    stay,
    time_of_day,
    vendor_door,
    vendor_slot,
    wall,
)

ANY = MatchPolicy()
COVER = MatchPolicy(preference=SlotPreference.COVER)
BIWEEKLY = MatchPolicy(allow_biweekly=True)


def outcome_of(asked: Stay, at: Door, policy: MatchPolicy = ANY) -> str:
    """Return what became of the match."""
    return match(asked, at, policy).outcome.value


def verdict_of(asked: Stay, at: Door, policy: MatchPolicy = ANY) -> str:
    """Return the verdict on the only slot."""
    (only,) = match(asked, at, policy).considered
    return only.verdict.value


def window_of(asked: Stay, at: Door, policy: MatchPolicy = ANY) -> tuple[str, str]:
    """Return when the code starts and ends."""
    found = match(asked, at, policy)
    assert found.starts_at is not None, found.considered
    assert found.ends_at is not None
    return found.starts_at.isoformat(), found.ends_at.isoformat()


# --- the vendor's own examples -------------------------------------------------------------------

FOUR_TO_TEN = vendor_slot("16:00:00[America/Los_Angeles]", "10:00:00[America/Los_Angeles]")
SEVEN_TO_SEVEN = vendor_slot("07:00:00[America/Los_Angeles]", "19:00:00[America/Los_Angeles]")
HALF_PAST = vendor_slot("15:30:00[PST8PDT]", "10:30:00[PST8PDT]")
REDUNDANT = vendor_slot("16:00:00-08:00[America/Los_Angeles]", "10:00:00-08:00[America/Los_Angeles]")
ALL_DAY = vendor_slot("00:00:00[PST8PDT]", "23:59:00[PST8PDT]", is_24_hour=True)


@pytest.mark.parametrize(
    ("slots", "asked", "window"),
    [
        pytest.param(
            [FOUR_TO_TEN],
            stay("2026-12-01T15:45:00-08:00", "2026-12-05T10:15:00-08:00"),
            ("2026-12-01T16:00:00-08:00", "2026-12-05T10:00:00-08:00"),
            id="3:45 PM to 10:15 AM on 4 PM to 10 AM",
        ),
        pytest.param(
            [SEVEN_TO_SEVEN],
            stay("2024-09-10T07:00:00-07:00", "2024-09-15T19:00:00-07:00"),
            ("2024-09-10T07:00:00-07:00", "2024-09-15T19:00:00-07:00"),
            id="exactly 7 AM to 7 PM",
        ),
        pytest.param(
            [SEVEN_TO_SEVEN],
            stay("2024-09-10T14:00:00.000Z", "2024-09-16T02:00:00.000Z"),
            ("2024-09-10T07:00:00-07:00", "2024-09-15T19:00:00-07:00"),
            id="the same in UTC, as Seam returns it",
        ),
        pytest.param(
            [HALF_PAST],
            stay("2026-07-01T16:00", "2026-07-04T10:00"),
            ("2026-07-01T15:30:00-07:00", "2026-07-04T10:30:00-07:00"),
            id="PST8PDT has summer time",
        ),
        pytest.param(
            [HALF_PAST],
            stay("2026-12-01T16:00", "2026-12-04T10:00"),
            ("2026-12-01T15:30:00-08:00", "2026-12-04T10:30:00-08:00"),
            id="PST8PDT has winter time",
        ),
        pytest.param(
            [REDUNDANT],
            stay("2026-07-01T16:00", "2026-07-04T10:00"),
            ("2026-07-01T16:00:00-07:00", "2026-07-04T10:00:00-07:00"),
            id="an offset beside the zone is ignored in the other season",
        ),
        pytest.param(
            [ALL_DAY],
            daily("2024-09-16T00:00:00-07:00", "2024-09-18T23:59:00-07:00"),
            ("2024-09-16T00:00:00-07:00", "2024-09-18T23:59:00-07:00"),
            id="daily 00:00 to 23:59",
        ),
        pytest.param(
            [ALL_DAY],
            daily("2024-09-16T16:00:00-07:00", "2024-09-18T10:00:00-07:00"),
            ("2024-09-16T00:00:00-07:00", "2024-09-18T23:59:00-07:00"),
            id="daily is rounded outwards",
        ),
    ],
)
def test_vendor_example_matches(slots: list[Any], asked: Stay, window: tuple[str, str]) -> None:
    """Every example of Seam's Oracode pages comes out as the pages say."""
    assert window_of(asked, vendor_door(*slots)) == window


def test_vendor_example_of_a_miss() -> None:
    """2 PM is two hours from 4 PM: nothing fits, and the gap says by how much."""
    found = match(stay("2026-12-01T14:00", "2026-12-05T10:00"), vendor_door(FOUR_TO_TEN), ANY).as_json()
    assert found["outcome"] == "no_slot"
    assert found["considered"][0]["verdict"] == "check_in_too_far"
    assert found["considered"][0]["check_in_gap_minutes"] == 120
    assert found["considered"][0]["check_out_gap_minutes"] == 0


def test_contract_example() -> None:
    """The whole object, as the contract prints it."""
    found = match(
        stay("2026-12-01T15:45:00-08:00", "2026-12-05T10:15:00-08:00"),
        vendor_door(FOUR_TO_TEN | {"name": "Guest 4pm-10am"}),
        ANY,
    )
    assert found.as_json() == {
        "outcome": "matched",
        "slot": {
            "name": "Guest 4pm-10am",
            "user_level_id": "f23721ec-6dce-4c54-8971-40d58449a366",
            "prefix": 0,
        },
        "starts_at": "2026-12-01T16:00:00-08:00",
        "ends_at": "2026-12-05T10:00:00-08:00",
        "max_time_rounding": "1hour",
        "fit": "locks_out",
        "check_in_gap_minutes": 15,
        "check_out_gap_minutes": -15,
        "time_zone": "America/Los_Angeles",
        "problem": "",
        "considered": [
            {
                "name": "Guest 4pm-10am",
                "user_level_id": "f23721ec-6dce-4c54-8971-40d58449a366",
                "check_in_gap_minutes": 15,
                "check_out_gap_minutes": -15,
                "verdict": "fits",
                "problem": "",
            }
        ],
    }


# --- one slot: its verdict -----------------------------------------------------------------------

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
    """Both ends within sixty minutes, measured around the clock."""
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
    """23:45 is thirty minutes before 00:15 of the next day: the distance moves the date."""
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
    """However far away it is: twelve hours at most."""
    (found,) = match(stay("2026-12-01T16:00", "2026-12-05T10:00"), door(slot(times)), ANY).considered
    assert found.check_in_gap is not None
    assert found.check_in_gap / timedelta(minutes=1) == pytest.approx(gap)


def test_check_out_gap_may_move_the_date_too() -> None:
    """The end follows the same rule as the start."""
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
    """31 times 24 wall hours between start and end of the code, not of the booking."""
    assert verdict_of(stay("2026-12-01T16:00", check_out), door(slot(times))) == verdict


@pytest.mark.parametrize(
    ("check_in", "check_out"),
    [
        pytest.param("2027-03-01T16:00", "2027-04-01T16:00", id="743 real hours"),
        pytest.param("2026-10-20T16:00", "2026-11-20T16:00", id="745 real hours"),
    ],
)
def test_thirty_one_days_are_wall_days(check_in: str, check_out: str) -> None:
    """The limit is one of the clock on the wall, in the months when it is changed too."""
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
    """The nearest times may even be the wrong way round."""
    asked = stay("2026-12-01T10:00", "2026-12-01T10:10")
    assert verdict_of(asked, door(slot("10:30-09:30"))) == "empty_window"


@pytest.mark.parametrize("end", ["03:15", "03:30"])
def test_window_that_the_clock_skips_is_empty(end: str) -> None:
    """02:30 is taken as 03:30 on the night when the clock goes forward: no time is left."""
    asked = stay("2027-03-14T02:30", f"2027-03-14T{end}")
    assert verdict_of(asked, door(slot(f"02:30-{end}"))) == "empty_window"
    assert verdict_of(asked, door(slot("02:30-03:45"))) == "fits"
    the_night_before = stay("2027-03-13T02:30", "2027-03-13T03:15")
    assert verdict_of(the_night_before, door(slot("02:30-03:15"))) == "fits"


@pytest.mark.parametrize("times", ["01:30-01:30", "01:45-01:15"])
def test_empty_window_in_the_doubled_hour(times: str) -> None:
    """From the first 01:30 to the second it is an hour, but none that the slot's clock shows."""
    asked = stay("2026-11-01T01:30", "2026-11-01T01:31")
    assert verdict_of(asked, door(slot(times))) == "empty_window"


def test_shortest_window() -> None:
    """A microsecond is not nothing."""
    asked = stay("2026-12-01T10:00", "2026-12-01T10:00:00.000001")
    assert verdict_of(asked, door(slot("10:00-10:00:00.000001"))) == "fits"


# --- daily ---------------------------------------------------------------------------------------

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
    """31 days that rounding makes longer are too long."""
    at = door(day_slot("12:00"))
    assert verdict_of(daily("2026-12-01T12:00", "2027-01-01T12:00"), at) == "fits"
    assert outcome_of(daily("2026-12-01T12:00", "2027-01-01T12:01"), at) == "too_long"


# --- which of several ----------------------------------------------------------------------------

CHOICES = [
    ("nearest", ANY, ["15:30-10:00", "16:15-10:00"], "16:15-10:00"),
    ("cover", COVER, ["15:30-10:00", "16:15-10:00"], "15:30-10:00"),
    ("less lock-out at the same distance", ANY, ["16:30-10:00", "15:30-10:00"], "15:30-10:00"),
    ("end: less lock-out", ANY, ["16:00-09:30", "16:00-10:30"], "16:00-10:30"),
    ("cover: nearest of those that cover", COVER, ["15:00-10:00", "15:30-10:00"], "15:30-10:00"),
    ("cover: least of those that lock out", COVER, ["16:30-10:00", "16:10-10:59"], "16:10-10:59"),
    ("lock-out at both ends adds up", COVER, ["16:30-09:30", "16:45-10:00"], "16:45-10:00"),
    ("the sum counts", ANY, ["16:30-10:00", "16:20-10:20"], "16:30-10:00"),
    ("cover: exact rather than early", COVER, ["15:30-10:00", "16:00-10:00"], "16:00-10:00"),
    ("cover: exact rather than late", COVER, ["16:00-10:30", "16:00-10:00"], "16:00-10:00"),
    ("both ends count", ANY, ["16:20-10:20", "16:00-10:30"], "16:00-10:30"),
]


@pytest.mark.parametrize("backwards", [False, True], ids=["as listed", "backwards"])
@pytest.mark.parametrize(("policy", "times", "chosen"), [pytest.param(*row, id=name) for name, *row in CHOICES])
def test_choice(policy: MatchPolicy, times: list[str], chosen: str, *, backwards: bool) -> None:
    """The preference decides, and never the order in which the slots came."""
    slots = [slot(one) for one in times]
    at = door(*(reversed(slots) if backwards else slots))
    found = match(stay("2026-12-01T16:00", "2026-12-05T10:00"), at, policy)
    assert found.slot is not None
    assert found.slot.name == chosen


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"is_master": True}, id="master"),
        pytest.param({"is_one_shot": True}, id="one-shot"),
        pytest.param({"is_biweekly_mode": True}, id="biweekly"),
        pytest.param({"unreadable": "why"}, id="unreadable"),
        pytest.param({"check_in": time_of_day("18:00")}, id="check-in too far"),
        pytest.param({"check_out": time_of_day("14:00")}, id="check-out too far"),
    ],
)
def test_what_fits_is_chosen_though_another_is_nearer(fields: dict[str, Any]) -> None:
    """A slot that is ruled out doesn't take part in the choice."""
    at = door(slot("16:00-10:00", name="a", **fields), slot("16:59-10:59", name="b"))
    found = match(stay("2026-12-01T16:00", "2026-12-05T10:00"), at, ANY)
    assert found.slot is at.slots[1]


@pytest.mark.parametrize("backwards", [False, True], ids=["as listed", "backwards"])
@pytest.mark.parametrize(
    ("first", "second", "chosen"),
    [
        pytest.param({"name": "b"}, {"name": "a"}, {"name": "a"}, id="by name"),
        pytest.param(
            {"name": "a", "user_level_id": "2"},
            {"name": "a", "user_level_id": "1"},
            {"user_level_id": "1"},
            id="by user level id",
        ),
        pytest.param(
            {"name": "a", "user_level_id": "1", "prefix": 0},
            {"name": "a", "user_level_id": "1", "prefix": None},
            {"prefix": None},
            id="by prefix at last",
        ),
    ],
)
def test_twins(first: dict[str, Any], second: dict[str, Any], chosen: dict[str, Any], *, backwards: bool) -> None:
    """Slots with the same times are told apart by what they are called."""
    twins = [slot("16:00-10:00", **first), slot("16:00-10:00", **second)]
    at = door(*(reversed(twins) if backwards else twins))
    found = match(stay("2026-12-01T16:00", "2026-12-05T10:00"), at, ANY)
    assert found.slot is not None
    assert {name: getattr(found.slot, name) for name in chosen} == chosen


@pytest.mark.parametrize(
    ("locks_out", "covers"),
    [
        pytest.param("16:00:00.000001-10:00", "15:59:59.999999-10:00", id="start"),
        pytest.param("16:00-09:59:59.999999", "16:00-10:00:00.000001", id="end"),
    ],
)
def test_a_microsecond_of_lock_out_counts(locks_out: str, covers: str) -> None:
    """At the same distance the slot that covers is taken, though its name comes later."""
    at = door(slot(locks_out, name="a"), slot(covers, name="b"))
    found = match(stay("2026-12-01T16:00", "2026-12-05T10:00"), at, ANY)
    assert found.slot is at.slots[1]


def test_mirrored_gaps_are_told_apart_too() -> None:
    """Two slots of one name, as far and as generous at different ends, don't depend on order."""
    early, late = (
        slot("15:45-10:00", name="a", user_level_id="1"),
        slot("16:00-10:15", name="a", user_level_id="1"),
    )
    asked = stay("2026-12-01T16:00", "2026-12-05T10:00")
    assert match(asked, door(early, late), ANY).slot is match(asked, door(late, early), ANY).slot


@pytest.mark.parametrize(
    ("check_in", "check_out", "fit"),
    [
        pytest.param("T16:00", "T10:00", "exact", id="exact"),
        pytest.param("T16:10", "T10:00", "covers", id="early start"),
        pytest.param("T16:00", "T09:50", "covers", id="late end"),
        pytest.param("T16:10", "T09:50", "covers", id="both"),
        pytest.param("T15:59", "T10:00", "locks_out", id="guest waits"),
        pytest.param("T16:00", "T10:01", "locks_out", id="guest is cut off"),
        pytest.param("T16:10", "T10:01", "locks_out", id="early start, cut off"),
        pytest.param("T15:50", "T09:50", "locks_out", id="the same gap at both ends, later"),
        pytest.param("T16:10", "T10:10", "locks_out", id="the same gap at both ends, earlier"),
    ],
)
def test_fit(check_in: str, check_out: str, fit: str) -> None:
    """What the guest will notice of the gaps."""
    asked = stay(f"2026-12-01{check_in}", f"2026-12-05{check_out}")
    assert match(asked, door(slot("16:00-10:00")), ANY).fit == fit


# --- a prescribed slot ---------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", ["level 15:30-10:00", "15:30-10:00"], ids=["by id", "by name"])
def test_prescribed_slot_is_used_though_another_is_nearer(wanted: str) -> None:
    """The others are considered, and say that they weren't asked for."""
    at = door(slot("16:00-10:00"), slot("15:30-10:00"))
    found = match(stay("2026-12-01T16:00", "2026-12-05T10:00", slot=wanted), at, ANY)
    assert found.slot is at.slots[1]
    assert [one.verdict.value for one in found.considered] == ["not_requested", "fits"]
    assert found.considered[0].check_in_gap == timedelta(0)


@pytest.mark.parametrize("prefix", ["level ", ""], ids=["by id", "by name"])
def test_only_the_prescribed_slot_is_asked_for(prefix: str) -> None:
    """Not those whose names come before or after it."""
    at = door(slot("15:30-10:00"), slot("16:00-10:00"), slot("16:30-10:00"))
    found = match(stay("2026-12-01T15:30", "2026-12-05T10:00", slot=f"{prefix}16:00-10:00"), at, ANY)
    assert [one.verdict.value for one in found.considered] == ["not_requested", "fits", "not_requested"]


def test_prescribed_id_goes_before_a_name_that_reads_the_same() -> None:
    """An id names one user level; a name may be anybody's."""
    at = door(slot("16:00-10:00", name="7"), slot("15:30-10:00", user_level_id="7"))
    found = match(stay("2026-12-01T16:00", "2026-12-05T10:00", slot="7"), at, ANY)
    assert found.slot is at.slots[1]


def test_unknown_prescribed_slot() -> None:
    """A slot that the door hasn't got is no slot, and the reason names it."""
    found = match(stay("2026-12-01T16:00", "2026-12-05T10:00", slot="No such"), door(slot()), ANY)
    assert found.outcome is Outcome.NO_SLOT
    assert found.problem == "the prescribed slot 'No such' is not on this door"


def test_prescribed_slot_obeys_the_rules() -> None:
    """A prescription doesn't make a master slot usable."""
    at = door(slot("16:00-10:00", name="m", is_master=True), slot("16:00-10:00"))
    found = match(stay("2026-12-01T16:00", "2026-12-05T10:00", slot="m"), at, ANY)
    assert [one.verdict.value for one in found.considered] == ["master", "not_requested"]
    assert found.problem == "the prescribed slot 'm' can't be used for this stay"


# --- outcomes, the first that applies ------------------------------------------------------------

NOW = stay("2026-12-01T16:00", "2026-12-05T10:00")
BACKWARDS = stay("2026-12-05T10:00", "2026-12-01T16:00")
NOT_CAPABLE: dict[str, Any] = {"can_program_offline_access_codes": False}

OUTCOMES = [
    ("invalid goes first", BACKWARDS, door(**NOT_CAPABLE, time_zone=None), "invalid_booking"),
    ("incapable", NOW, door(**NOT_CAPABLE, time_zone=None), "offline_codes_unsupported"),
    ("incapable, slot fits", NOW, door(slot(), **NOT_CAPABLE), "offline_codes_unsupported"),
    ("no slots", NOW, door(time_zone=None), "no_slots_configured"),
    ("no zone", NOW, door(slot(), time_zone=None), "no_time_zone"),
    ("unknown zone", NOW, door(slot(), time_zone="PST"), "no_time_zone"),
    ("zone in the slot", NOW, door(slot(zone=LOS_ANGELES), time_zone=None), "matched"),
    ("zone of a master is no help", NOW, door(
        slot(zone=LOS_ANGELES, is_master=True), slot(), time_zone=None), "no_time_zone"),
    ("masters alone", NOW, door(
        slot(zone=LOS_ANGELES, is_master=True), time_zone=None), "no_slot"),
    ("one slot has a zone", NOW, door(
        slot(zone=LOS_ANGELES), slot(), time_zone=None), "matched"),
    ("that slot is too far", NOW, door(
        slot("12:00-12:00", zone=LOS_ANGELES), slot(), time_zone=None), "no_slot"),
    ("all unreadable", NOW, door(slot(check_in=None, unreadable="why")), "no_slot"),
    ("matched beside too long", stay("2026-12-01T16:00", "2027-01-01T16:00"), door(
        slot("16:00-16:30"), slot("16:00-16:00")), "matched"),
    ("too long beside too far", stay("2026-12-01T16:00", "2027-02-01T16:00"), door(
        slot("16:00-16:00"), slot("10:00-10:00")), "too_long"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "at", "outcome"), [pytest.param(*row, id=name) for name, *row in OUTCOMES])
def test_first_outcome_that_applies(asked: Stay, at: Door, outcome: str) -> None:
    """The order of the contract, and a sentence for whatever is not a match."""
    found = match(asked, at, ANY)
    assert found.outcome.value == outcome
    assert bool(found.problem) == (outcome != "matched")
    assert (found.slot is None) == (outcome != "matched")


@pytest.mark.parametrize(
    ("at", "says"),
    [
        pytest.param(door(slot(unreadable="why")), "no usable slot lies within 60 minutes", id="unreadable"),
        pytest.param(door(slot(is_one_shot=True)), "no usable slot lies within 60 minutes", id="one-shot"),
        pytest.param(door(slot("12:00-12:00")), "no usable slot lies within 60 minutes", id="too far"),
    ],
)
def test_reason_of_a_miss(at: Door, says: str) -> None:
    """A prescription is spoken of only where there is one."""
    assert says in match(NOW, at, ANY).problem


def test_slots_of_an_incapable_door_are_considered() -> None:
    """Whether enabling offline codes would be enough is worth knowing."""
    assert verdict_of(NOW, door(slot(), **NOT_CAPABLE)) == "fits"


def test_slot_without_any_zone_is_unreadable_and_says_so() -> None:
    """One slot's missing zone doesn't spoil the others."""
    at = door(slot(zone=LOS_ANGELES), slot("15:00-10:00"), time_zone=None)
    found = match(NOW, at, ANY).as_json()["considered"]
    assert [one["verdict"] for one in found] == ["fits", "unreadable"]
    assert found[1]["problem"] == "no time zone is known"
    assert found[1]["check_in_gap_minutes"] is None


# --- zones ---------------------------------------------------------------------------------------


def test_zone_in_the_slot_goes_before_the_doors() -> None:
    """Precedence: the slot's own string, then the device."""
    at = door(slot(zone="America/New_York"))
    assert window_of(NOW, at)[0] == "2026-12-01T16:00:00-05:00"
    assert match(NOW, at, ANY).time_zone == "America/New_York"


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
    assert window_of(NOW, at) == ("2026-12-01T16:00:00-05:00", "2026-12-05T10:00:00-05:00")


def test_two_names_of_one_clock_are_one_clock() -> None:
    """Zones are compared by what their clocks show."""
    at = door(slot(check_in=time_of_day("16:00", "PST8PDT"), check_out=time_of_day("10:00", "US/Pacific")))
    assert verdict_of(NOW, at) == "fits"


def test_two_names_of_one_clock_mend_nothing_else() -> None:
    """What made the slot unreadable stays."""
    times: dict[str, Any] = {
        "check_in": time_of_day("16:00", "PST8PDT"),
        "check_out": time_of_day("10:00", "US/Pacific"),
    }
    (found,) = match(NOW, door(slot(**times, unreadable="why")), ANY).considered
    assert (found.verdict.value, found.problem) == ("unreadable", "why")


def test_two_clocks_in_one_slot_are_unreadable() -> None:
    """Which of them the lock goes by can't be told, and a code can't be taken back."""
    mixed = slot(check_in=time_of_day("16:00", LOS_ANGELES), check_out=time_of_day("10:00", "America/Denver"))
    (found,) = match(NOW, door(mixed), ANY).considered
    assert found.verdict.value == "unreadable"
    assert found.problem == "its times name two time zones, America/Los_Angeles and America/Denver"


def test_instants_are_measured_on_each_slots_own_clock() -> None:
    """Slots of several zones each see the booking on their own wall."""
    at = door(slot(zone="America/New_York"), slot(zone=LOS_ANGELES))
    found = match(stay("2026-12-01T16:00:00-08:00", "2026-12-05T10:00:00-08:00"), at, ANY)
    assert found.slot is at.slots[1]
    assert found.considered[0].check_in_gap == timedelta(hours=-3)


# --- daylight saving -----------------------------------------------------------------------------

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
    """Distances are of the wall; the offset is that of each moment."""
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
    """Nothing assumes whole hours."""
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


# --- stays that make no sense --------------------------------------------------------------------

UNUSABLE = [
    ("backwards", BACKWARDS),
    ("the same moment", stay("2026-12-01T16:00", "2026-12-01T16:00")),
    ("the same instant", stay("2026-12-02T00:00Z", "2026-12-01T16:00:00-08:00")),
    ("instants backwards", stay("2026-12-05T10:00Z", "2026-12-01T16:00Z")),
    ("mixed, on the lock's clock", stay("2026-12-01T16:00:00-08:00", "2026-12-01T15:59")),
    ("mixed, the same minute", stay("2026-12-01T16:00:00-08:00", "2026-12-01T16:00")),
    ("unknown zone", stay("2026-12-01T16:00", "2026-12-05T10:00", "PST")),
    ("first day of the calendar", Stay(
        check_in=WallTime(wall("0001-01-01T00:00")), check_out=WallTime(wall("0001-01-05T00:00")))),
    ("last day of the calendar", Stay(
        check_in=WallTime(wall("9999-12-01T00:00")), check_out=WallTime(wall("9999-12-31T23:59")))),
    ("beyond the calendar", Stay(
        check_in=Instant(wall("0001-01-01T00:00:00+14:00")),
        check_out=Instant(wall("0001-01-05T00:00:00+14:00")))),
    ("instant without an offset", Stay(
        check_in=Instant(wall("2026-12-01T16:00")), check_out=Instant(wall("2026-12-05T10:00")))),
    ("wall time with an offset", Stay(
        check_in=WallTime(wall("2026-12-01T16:00Z")), check_out=WallTime(wall("2026-12-05T10:00Z")))),
]  # fmt: skip


@pytest.mark.parametrize("asked", [pytest.param(row, id=name) for name, row in UNUSABLE])
def test_unusable_stay(asked: Stay) -> None:
    """It is the booking's fault, not the door's; nothing is raised and no slot is judged."""
    found = match(asked, door(slot()), ANY)
    assert found.outcome is Outcome.INVALID_BOOKING
    assert found.problem
    assert found.considered == ()


@pytest.mark.parametrize("year", ["0002", "9998"])
def test_far_away_years(year: str) -> None:
    """As long as a slot can lie a day further out, dates are only dates."""
    asked = Stay(check_in=WallTime(wall(f"{year}-01-01T00:00")), check_out=WallTime(wall(f"{year}-12-31T23:59")))
    assert outcome_of(asked, door(slot("00:00-23:30"))) == "too_long"


def test_instants_in_the_doubled_hour_are_in_order_though_the_wall_says_otherwise() -> None:
    """01:45 summer time is before 01:15 winter time of the same night."""
    asked = stay("2026-11-01T01:45:00-07:00", "2026-11-01T01:15:00-08:00")
    assert window_of(asked, door(slot("01:00-02:00"))) == (
        "2026-11-01T01:00:00-07:00",
        "2026-11-01T02:00:00-08:00",
    )


def test_mixed_stay_without_any_zone_is_the_doors_fault() -> None:
    """Whether it is in order can't be told before the zone is known."""
    asked = stay("2026-12-01T16:00:00-08:00", "2026-12-01T15:59")
    assert outcome_of(asked, door(slot(), time_zone=None)) == "no_time_zone"


def test_mixed_stay_may_last_a_microsecond() -> None:
    """It is in order, and no slot serves it."""
    asked = stay("2026-12-01T16:00:00-08:00", "2026-12-01T16:00:00.000001")
    assert outcome_of(asked, door(slot())) == "no_slot"


def test_a_match_can_be_kept() -> None:
    """Nobody changes a decision behind the back of whoever holds it."""
    found = match(NOW, door(slot()), ANY)
    with pytest.raises(FrozenInstanceError):
        found.outcome = Outcome.NO_SLOT  # type: ignore[misc]


def test_match_of_nothing_has_every_key() -> None:
    """Readers of the JSON find the same keys whatever the outcome."""
    matched = match(NOW, door(slot()), ANY).as_json()
    assert match(BACKWARDS, door(slot()), ANY).as_json().keys() == matched.keys()
    assert match(NOW, door(), ANY).as_json() == dict.fromkeys(matched) | {
        "outcome": "no_slots_configured",
        "time_zone": LOS_ANGELES,
        "problem": "no time slot is configured on this door",
        "considered": [],
    }
