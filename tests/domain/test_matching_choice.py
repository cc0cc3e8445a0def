"""Which of several fitting slots serves a stay, and the effect of a slot that a booking prescribes."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.matching.match import MatchPolicy, Outcome, match
from tests.domain.building import (
    door,
    slot,
    stay,
    time_of_day,
)
from tests.domain.matches import ANY, COVER

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
def test_a_fitting_slot_is_chosen_even_if_another_is_nearer(fields: dict[str, Any]) -> None:
    """A slot that is ruled out isn't chosen."""
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
def test_slots_with_the_same_times(
    first: dict[str, Any], second: dict[str, Any], chosen: dict[str, Any], *, backwards: bool
) -> None:
    """Their names decide."""
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
    """At the same distance the slot that covers the stay is taken, although its name comes later."""
    at = door(slot(locks_out, name="a"), slot(covers, name="b"))
    found = match(stay("2026-12-01T16:00", "2026-12-05T10:00"), at, ANY)
    assert found.slot is at.slots[1]


def test_mirrored_gaps_do_not_depend_on_order() -> None:
    """Two slots with one name, equally far and generous at different ends."""
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
    """What the gaps mean for the guest."""
    asked = stay(f"2026-12-01{check_in}", f"2026-12-05{check_out}")
    assert match(asked, door(slot("16:00-10:00")), ANY).fit == fit


@pytest.mark.parametrize("wanted", ["level 15:30-10:00", "15:30-10:00"], ids=["by id", "by name"])
def test_prescribed_slot_is_used_though_another_is_nearer(wanted: str) -> None:
    """The others are considered, with the verdict that they weren't requested."""
    at = door(slot("16:00-10:00"), slot("15:30-10:00"))
    found = match(stay("2026-12-01T16:00", "2026-12-05T10:00", slot=wanted), at, ANY)
    assert found.slot is at.slots[1]
    assert [one.verdict.value for one in found.considered] == ["not_requested", "fits"]
    assert found.considered[0].check_in_gap == timedelta(0)


@pytest.mark.parametrize("prefix", ["level ", ""], ids=["by id", "by name"])
def test_only_the_prescribed_slot_is_asked_for(prefix: str) -> None:
    """Not slots with names before or after it."""
    at = door(slot("15:30-10:00"), slot("16:00-10:00"), slot("16:30-10:00"))
    found = match(stay("2026-12-01T15:30", "2026-12-05T10:00", slot=f"{prefix}16:00-10:00"), at, ANY)
    assert [one.verdict.value for one in found.considered] == ["not_requested", "fits", "not_requested"]


def test_a_prescribed_id_goes_before_the_same_name() -> None:
    """An id names one user level; any slot may have that name."""
    at = door(slot("16:00-10:00", name="7"), slot("15:30-10:00", user_level_id="7"))
    found = match(stay("2026-12-01T16:00", "2026-12-05T10:00", slot="7"), at, ANY)
    assert found.slot is at.slots[1]


def test_unknown_prescribed_slot() -> None:
    """A slot that the door doesn't have is never replaced, and the reason names it."""
    found = match(stay("2026-12-01T16:00", "2026-12-05T10:00", slot="No such"), door(slot()), ANY)
    assert found.outcome is Outcome.NO_SLOT
    assert found.problem == "the prescribed slot 'No such' is not on this door"


def test_prescribed_slot_obeys_the_rules() -> None:
    """A prescription doesn't make a master slot usable."""
    at = door(slot("16:00-10:00", name="m", is_master=True), slot("16:00-10:00"))
    found = match(stay("2026-12-01T16:00", "2026-12-05T10:00", slot="m"), at, ANY)
    assert [one.verdict.value for one in found.considered] == ["master", "not_requested"]
    assert found.problem == "the prescribed slot 'm' can't be used for this stay"
