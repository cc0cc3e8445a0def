"""The outcome of a match is the first one that applies; and stays that are invalid."""

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from shared.domain.door.door import Door
from shared.domain.matching.match import Outcome, match
from shared.domain.stay.stay import Instant, Stay, WallTime
from tests.domain.building import (
    LOS_ANGELES,
    door,
    slot,
    stay,
    wall,
)
from tests.domain.matches import ANY, ORDINARY, outcome_of, verdict_of, window_of

BACKWARDS = stay("2026-12-05T10:00", "2026-12-01T16:00")
NOT_CAPABLE: dict[str, Any] = {"can_program_offline_access_codes": False}

OUTCOMES = [
    ("invalid goes first", BACKWARDS, door(**NOT_CAPABLE, time_zone=None), "invalid_booking"),
    ("incapable", ORDINARY, door(**NOT_CAPABLE, time_zone=None), "offline_codes_unsupported"),
    ("incapable, slot fits", ORDINARY, door(slot(), **NOT_CAPABLE), "offline_codes_unsupported"),
    ("no slots", ORDINARY, door(time_zone=None), "no_slots_configured"),
    ("no zone", ORDINARY, door(slot(), time_zone=None), "no_time_zone"),
    ("unknown zone", ORDINARY, door(slot(), time_zone="PST"), "no_time_zone"),
    ("zone in the slot", ORDINARY, door(slot(zone=LOS_ANGELES), time_zone=None), "matched"),
    ("zone of a master is no help", ORDINARY, door(
        slot(zone=LOS_ANGELES, is_master=True), slot(), time_zone=None), "no_time_zone"),
    ("masters alone", ORDINARY, door(
        slot(zone=LOS_ANGELES, is_master=True), time_zone=None), "no_slot"),
    ("one slot has a zone", ORDINARY, door(
        slot(zone=LOS_ANGELES), slot(), time_zone=None), "matched"),
    ("that slot is too far", ORDINARY, door(
        slot("12:00-12:00", zone=LOS_ANGELES), slot(), time_zone=None), "no_slot"),
    ("all unreadable", ORDINARY, door(slot(check_in=None, unreadable="why")), "no_slot"),
    ("matched beside too long", stay("2026-12-01T16:00", "2027-01-01T16:00"), door(
        slot("16:00-16:30"), slot("16:00-16:00")), "matched"),
    ("too long beside too far", stay("2026-12-01T16:00", "2027-02-01T16:00"), door(
        slot("16:00-16:00"), slot("10:00-10:00")), "too_long"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "at", "outcome"), [pytest.param(*row, id=name) for name, *row in OUTCOMES])
def test_first_outcome_that_applies(asked: Stay, at: Door, outcome: str) -> None:
    """The order is that of the contract; every outcome but a match has a sentence."""
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
    """A prescribed slot is mentioned only if there is one."""
    assert says in match(ORDINARY, at, ANY).problem


def test_slots_of_an_incapable_door_are_considered() -> None:
    """People want to know whether enabling offline codes would be enough."""
    assert verdict_of(ORDINARY, door(slot(), **NOT_CAPABLE)) == "fits"


def test_slot_without_any_zone_is_unreadable_and_says_so() -> None:
    """The other slots aren't affected."""
    at = door(slot(zone=LOS_ANGELES), slot("15:00-10:00"), time_zone=None)
    found = match(ORDINARY, at, ANY).as_json()["considered"]
    assert [one["verdict"] for one in found] == ["fits", "unreadable"]
    assert found[1]["problem"] == "no time zone is known"
    assert found[1]["check_in_gap_minutes"] is None


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
    """The booking is wrong, not the door; nothing raises, and no slot is judged."""
    found = match(asked, door(slot()), ANY)
    assert found.outcome is Outcome.INVALID_BOOKING
    assert found.problem
    assert found.considered == ()


@pytest.mark.parametrize("year", ["0002", "9998"])
def test_far_away_years(year: str) -> None:
    """Only the very last dates, where a slot could be a day too late, aren't possible."""
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
    """Its order can't be known without the zone."""
    asked = stay("2026-12-01T16:00:00-08:00", "2026-12-01T15:59")
    assert outcome_of(asked, door(slot(), time_zone=None)) == "no_time_zone"


def test_mixed_stay_may_last_a_microsecond() -> None:
    """It is in order, but no slot serves it."""
    asked = stay("2026-12-01T16:00:00-08:00", "2026-12-01T16:00:00.000001")
    assert outcome_of(asked, door(slot())) == "no_slot"


def test_a_match_is_immutable() -> None:
    """It can be stored and compared."""
    found = match(ORDINARY, door(slot()), ANY)
    with pytest.raises(FrozenInstanceError):
        found.outcome = Outcome.NO_SLOT  # type: ignore[misc]


def test_match_of_nothing_has_every_key() -> None:
    """A reader of the JSON finds the same keys for every outcome."""
    matched = match(ORDINARY, door(slot()), ANY).as_json()
    assert match(BACKWARDS, door(slot()), ANY).as_json().keys() == matched.keys()
    assert match(ORDINARY, door(), ANY).as_json() == dict.fromkeys(matched) | {
        "outcome": "no_slots_configured",
        "time_zone": LOS_ANGELES,
        "problem": "no time slot is configured on this door",
        "considered": [],
    }
