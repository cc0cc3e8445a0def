"""Stays of more than 31 days as consecutive codes."""

import json
from datetime import datetime

import pytest

from shared.domain.door.door import Door
from shared.domain.matching.long_stays import Plan, plan
from shared.domain.matching.match import MatchPolicy, Outcome, SlotPreference
from shared.domain.stay.stay import Stay
from tests.domain.building import daily, day_slot, door, slot, stay

ANY = MatchPolicy()


def windows_of(found: Plan) -> list[tuple[str, str]]:
    """Return the windows in wall times of the lock."""
    return [(shown(code.starts_at), shown(code.ends_at)) for code in found.codes]


def shown(at: datetime) -> str:
    """Return month, day, hour and minute."""
    return f"{at:%m-%dT%H:%M}"


PLANS: list[tuple[str, Stay, Door, list[tuple[str, str]]]] = [
    ("one is enough", stay("2026-12-01T16:00", "2026-12-31T10:00"), door(slot()),
     [("12-01T16:00", "12-31T10:00")]),
    ("two, overlapping by a night", stay("2026-12-01T16:00", "2027-01-20T10:00"), door(slot()),
     [("12-01T16:00", "01-01T10:00"), ("12-31T16:00", "01-20T10:00")]),
    ("three", stay("2026-12-01T16:00", "2027-02-20T10:00"), door(slot()),
     [("12-01T16:00", "01-01T10:00"), ("12-31T16:00", "01-31T10:00"), ("01-30T16:00", "02-20T10:00")]),
    ("around the clock: no overlap", stay("2026-12-01T12:00", "2027-01-20T12:00"), door(slot("12:00-12:00")),
     [("12-01T12:00", "01-01T12:00"), ("01-01T12:00", "01-20T12:00")]),
    ("daily", daily("2026-12-01T16:00", "2027-01-20T10:00"), door(day_slot("12:00")),
     [("12-01T12:00", "01-01T12:00"), ("01-01T12:00", "01-20T12:00")]),
    ("no single slot fits both ends", stay("2026-12-01T16:00", "2027-01-20T12:00"),
     door(slot("16:00-10:00"), slot("09:00-12:00")),
     [("12-01T16:00", "01-01T10:00"), ("01-01T09:00", "01-20T12:00")]),
    ("another slot in between reaches further", stay("2026-12-01T16:00", "2027-02-01T15:00"),
     door(slot("16:00-15:00"), slot("12:00-12:00", name="between")),
     [("12-01T16:00", "01-01T15:00"), ("01-01T12:00", "02-01T12:00"), ("01-31T16:00", "02-01T15:00")]),
    ("day slot alone leaves holes", stay("2026-12-01T09:00", "2027-01-20T17:00"), door(slot("09:00-17:00")),
     [("12-01T09:00", "12-31T17:00"), ("12-31T09:00", "01-20T17:00")]),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "at", "windows"), [pytest.param(*row, id=name) for name, *row in PLANS])
def test_plan(asked: Stay, at: Door, windows: list[tuple[str, str]]) -> None:
    """Each window is one that its slot has, and each starts before the one before it ends."""
    assert windows_of(plan(asked, at, ANY)) == windows


@pytest.mark.parametrize(
    ("asked", "at", "outcome"),
    [
        pytest.param(stay("2026-12-01T16:00", "2026-12-05T10:00"), door(), "no_slots_configured", id="none"),
        pytest.param(stay("2026-12-01T12:00", "2026-12-05T10:00"), door(slot()), "no_slot", id="short"),
        pytest.param(stay("2026-12-01T12:00", "2027-02-05T10:00"), door(slot()), "no_slot", id="start"),
        pytest.param(stay("2026-12-01T16:00", "2027-02-05T14:00"), door(slot()), "no_slot", id="end"),
        pytest.param(
            stay("2026-12-01T16:00", "2027-02-05T10:00"),
            door(slot(is_biweekly_mode=True)),
            "no_slot",
            id="biweekly",
        ),
        pytest.param(stay("2026-12-01T16:00", "2026-11-05T10:00"), door(slot()), "invalid_booking", id="invalid"),
    ],
)
def test_no_plan(asked: Stay, at: Door, outcome: str) -> None:
    """The match says why there is none."""
    found = plan(asked, at, MatchPolicy(allow_biweekly=True))
    assert found.codes == ()
    assert found.match.outcome == outcome
    assert found.as_json() == {"codes": []}


def test_hand_over() -> None:
    """The plan says when the guest must have each code at the latest."""
    first, second = plan(stay("2026-12-01T16:00", "2027-01-20T10:00"), door(slot()), ANY).codes
    assert first.hand_over_by == first.starts_at
    assert second.hand_over_by == first.ends_at
    assert first.text == ("“16:00-10:00”, 2026-12-01 16:00 to 2027-01-01 10:00: the guest must have it at check-in.")
    assert second.text == (
        "“16:00-10:00”, 2026-12-31 16:00 to 2027-01-20 10:00: the guest must have it before"
        " 2027-01-01 10:00, when the one before it ends."
    )


def test_json_of_the_whole() -> None:
    """Start, end and gaps of the stay, and the codes."""
    found = plan(stay("2026-12-01T16:15", "2027-01-20T10:00"), door(slot()), ANY)
    whole = found.as_json()
    assert json.dumps(whole)
    assert whole["starts_at"] == "2026-12-01T16:00:00-08:00"
    assert whole["ends_at"] == "2027-01-20T10:00:00-08:00"
    assert whole["fit"] == "covers"
    assert whole["check_in_gap_minutes"] == -15
    assert [code["max_time_rounding"] for code in whole["codes"]] == ["1hour", "1hour"]
    assert found.match.outcome is Outcome.TOO_LONG


def test_fewest_codes_go_before_the_nearest_slot() -> None:
    """A nearer slot that needs one more code isn't worth it."""
    near, wide = slot("16:00-10:00", name="near"), slot("15:45-10:00", name="wide")
    between = slot("16:30-09:10", name="between")
    asked = stay("2026-12-01T16:00", "2027-01-20T10:00")
    codes = plan(asked, door(near, wide, between), MatchPolicy(SlotPreference.NEAREST)).codes
    assert [code.slot.name for code in codes] == ["near", "near"]


def test_a_skipped_start_leaves_no_hole() -> None:
    """In the night of the change 02:30 happens at 03:30: that is after 03:00, when the previous code ends."""
    asked = stay("2027-02-11T04:00", "2027-03-20T05:00")
    found = plan(asked, door(slot("04:00-03:00"), slot("02:30-05:00")), ANY)
    first, second = found.codes
    assert shown(first.ends_at) == "03-14T03:00"
    assert shown(second.starts_at) == "03-13T02:30"
