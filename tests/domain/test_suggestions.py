"""What would make a stay fit: which changes, in which order, with which texts."""

from typing import Any

import pytest

from shared.domain.door.door import Door
from shared.domain.matching.match import TOO_LONG_TOO, MatchPolicy, Outcome, match
from shared.domain.matching.suggestions import MOST_MOVES, suggest
from shared.domain.stay.stay import Stay
from tests.domain.building import LOS_ANGELES, daily, day_slot, door, slot, stay, stay_time

ANY = MatchPolicy()


def suggested(asked: Stay, at: Door) -> list[dict[str, Any]]:
    """Return the suggestions in the printed form."""
    return [dict(one.as_json()) for one in suggest(asked, at, ANY, match(asked, at, ANY))]


def test_a_check_in_moves_to_when_the_code_window() -> None:
    """The whole object and its text: a guest who comes then doesn't wait outside."""
    (move, new_slot) = suggested(stay("2026-12-01T14:00", "2026-12-05T10:15"), door(slot("16:00-10:00")))
    assert move == {
        "kind": "move_check_in",
        "text": "Move the check-in 2 h later, to 2026-12-01 16:00: a code of “16:00-10:00” then works from"
        " 2026-12-01 16:00 to 2026-12-05 10:00 America/Los_Angeles.",
        "check_in": "2026-12-01T16:00:00-08:00",
        "check_in_moved_minutes": 120,
        "slot": {"name": "16:00-10:00", "user_level_id": "level 16:00-10:00", "prefix": 0},
        "starts_at": "2026-12-01T16:00:00-08:00",
        "ends_at": "2026-12-05T10:00:00-08:00",
    }
    assert new_slot == {
        "kind": "add_slot",
        "text": "Ask the dormakaba installer for a time slot 14:00 to 10:30: a code then works from"
        " 2026-12-01 14:00 to 2026-12-05 10:30 America/Los_Angeles.",
        "check_in_time": "14:00",
        "check_out_time": "10:30",
        "is_24_hour": False,
        "starts_at": "2026-12-01T14:00:00-08:00",
        "ends_at": "2026-12-05T10:30:00-08:00",
    }


MOVES: list[tuple[str, str, str, str, dict[str, Any]]] = [
    ("check-in later", "16:00-10:00", "T14:30", "T10:00", {"check_in_moved_minutes": 90}),
    ("check-in earlier", "16:00-10:00", "T18:00", "T10:00", {"check_in_moved_minutes": -60}),
    ("check-out later", "16:00-10:00", "T16:00", "T08:00", {"check_out_moved_minutes": 60}),
    ("check-out earlier", "16:00-10:00", "T16:00", "T12:30", {"check_out_moved_minutes": -150}),
    ("both", "16:00-10:00", "T14:00", "T12:00",
     {"check_in_moved_minutes": 120, "check_out_moved_minutes": -120}),
    ("over midnight", "00:30-10:00", "T22:30", "T10:00", {"check_in_moved_minutes": 120}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("times", "check_in", "check_out", "moved"), [pytest.param(*row, id=name) for name, *row in MOVES]
)
def test_moves(times: str, check_in: str, check_out: str, moved: dict[str, Any]) -> None:
    """Only a time that is too far away moves, and only until the code works then."""
    first = suggested(stay(f"2026-12-01{check_in}", f"2026-12-05{check_out}"), door(slot(times)))[0]
    ends = {name for name in first if name.endswith("_moved_minutes")}
    assert {name: first[name] for name in ends} == moved
    kinds = {1: {"check_in": "move_check_in", "check_out": "move_check_out"}, 2: {}}
    one = next(iter(moved)).removesuffix("_moved_minutes")
    assert first["kind"] == kinds[len(moved)].get(one, "move_both")


def test_smallest_move_first_and_not_too_many() -> None:
    """Slots that are far away don't help."""
    at = door(*(slot(f"{hour:02}:00-10:00") for hour in range(10)))
    moves = [
        one["check_in_moved_minutes"]
        for one in suggested(stay("2026-12-01T16:00", "2026-12-05T10:00"), at)
        if one["kind"] == "move_check_in"
    ]
    assert moves == [-360, -420, 480][:MOST_MOVES]


def test_a_move_never_makes_the_guest_wait() -> None:
    """After a move to 16:00 the slot from 16:30 would be the nearest, and the guest would wait for it."""
    at = door(slot("16:00-11:00", name="a"), slot("16:30-10:00", name="b"))
    moves = [one for one in suggested(stay("2026-12-01T14:00", "2026-12-05T10:00"), at) if one["kind"] != "add_slot"]
    assert [(one["check_in"], one["slot"]["name"]) for one in moves] == [("2026-12-01T16:30:00-08:00", "b")]


def test_slots_with_the_same_times_give_one_suggestion() -> None:
    """The same move twice doesn't help."""
    at = door(slot("16:00-10:00", name="a"), slot("16:00-10:00", name="b"))
    kinds = [one["kind"] for one in suggested(stay("2026-12-01T14:00", "2026-12-05T10:00"), at)]
    assert kinds == ["move_check_in", "add_slot"]


def test_booking_by_the_day() -> None:
    """If a 24-hour slot covers the stay."""
    at = door(day_slot("12:00"))
    found = suggested(stay("2026-12-01T16:00", "2026-12-05T10:00"), at)
    (by_day,) = [one for one in found if one["kind"] == "book_daily"]
    assert by_day["text"] == (
        "Book it by the day: a code of “12:00-12:00” then works from 2026-12-01 12:00 to"
        " 2026-12-05 12:00 America/Los_Angeles."
    )


@pytest.mark.parametrize(
    ("asked", "at", "kinds"),
    [
        pytest.param(stay("2026-12-01T16:00", "2026-12-05T10:00"), door(), ["add_slot"], id="no slots"),
        pytest.param(daily("2026-12-01T16:00", "2026-12-05T10:00"), door(slot()), ["add_slot"], id="no 24 hours"),
        pytest.param(
            stay("2026-12-01T16:00", "2026-12-05T10:00"),
            door(slot("12:00-12:00", is_master=True)),
            ["add_slot"],
            id="masters can't be moved to",
        ),
        pytest.param(
            stay("2026-12-01T12:00", "2026-12-05T10:00", slot="16:00-10:00"),
            door(slot("16:00-10:00"), slot("12:00-10:00")),
            ["move_check_in"],
            id="only the prescribed slot",
        ),
        pytest.param(stay("2026-12-01T16:00", "2026-12-05T10:00", slot="x"), door(slot()), [], id="unknown slot"),
        pytest.param(stay("2026-12-01T16:00", "2026-12-05T10:00"), door(slot()), [], id="matched"),
        pytest.param(stay("2026-12-05T16:00", "2026-12-01T10:00"), door(slot()), [], id="invalid"),
        pytest.param(stay("2026-12-01T16:00", "2026-12-05T10:00"), door(slot(), time_zone=None), [], id="no zone"),
        pytest.param(stay("2026-12-01T16:00", "2026-12-05T10:00"), door(time_zone=None), [], id="no slots, no zone"),
        pytest.param(
            stay("2026-12-01T12:00", "2026-12-05T10:00"),
            door(slot(), can_program_offline_access_codes=False),
            [],
            id="no offline codes",
        ),
        pytest.param(
            stay("2026-12-01T16:00", "2027-01-01T16:00"),
            door(slot("16:00-16:30")),
            ["move_check_out", "add_slot"],
            id="a little too long",
        ),
    ],
)
def test_kinds(asked: Stay, at: Door, kinds: list[str]) -> None:
    """The suggestions depend on what is wrong."""
    assert [one["kind"] for one in suggested(asked, at)] == kinds


def test_too_long_ends_earlier_at_the_slots_own_time() -> None:
    """A guest who leaves days early must not be locked out for an hour as well."""
    (move,) = suggested(stay("2026-12-01T16:00", "2027-02-05T10:10"), door(slot("16:00-10:00")))
    assert move["check_out"] == "2027-01-01T10:00:00-08:00"
    assert "35 days 10 min earlier" in move["text"]


def test_new_24_hour_slot_is_noon_to_noon() -> None:
    """As in Seam's guide."""
    (ask,) = suggested(daily("2026-12-01T16:00", "2026-12-05T10:00"), door(slot()))
    assert (ask["check_in_time"], ask["check_out_time"], ask["is_24_hour"]) == ("12:00", "12:00", True)


def test_a_new_24_hour_slot_has_another_time_if_noon_would_be_too_long() -> None:
    """31 days exactly need a slot at their own time."""
    (ask,) = suggested(daily("2026-12-01T16:00", "2027-01-01T16:00"), door(slot()))
    assert ask["check_in_time"] == "16:00"


def test_move_into_the_night_of_the_change() -> None:
    """A move to a time that the clock skips is replaced by one that works."""
    at = door(slot("03:30-10:00"))
    asked = stay("2027-03-14T01:15", "2027-03-16T10:00")
    first = suggested(asked, at)[0]
    moved = Stay(check_in=stay_time(first["check_in"]), check_out=asked.check_out)
    assert match(moved, at, ANY).as_json()["outcome"] == "matched"
    assert first["check_in"].startswith("2027-03-14T03:30")


def test_names_are_made_harmless() -> None:
    """Slot names come from outside; the text is for terminals and chats."""
    at = door(slot("16:00-10:00", name="\x1b[31mred\n", zone=LOS_ANGELES))
    text = suggested(stay("2026-12-01T14:00", "2026-12-05T10:00"), at)[0]["text"]
    assert text.isprintable()


@pytest.mark.parametrize("zone", ["PST8PDT", "US/Pacific"])
def test_a_clock_has_the_doors_name(zone: str) -> None:
    """Also where the slot's own times name it otherwise; without the door's zone there is only the slot's."""
    asked = stay("2026-12-01T14:00", "2026-12-05T10:00")
    texts = [one["text"] for one in suggested(asked, door(slot("16:00-10:00", zone=zone)))]
    assert all(text.endswith(f"{LOS_ANGELES}.") for text in texts)
    (move, *_) = suggested(asked, door(slot("16:00-10:00", zone=zone), time_zone=None))
    assert move["text"].endswith(f"{zone}.")


@pytest.mark.parametrize(("check_in", "moved"), [("14:00", "2 h later"), ("18:00", "1 h earlier")])
def test_too_long_and_at_the_wrong_time(check_in: str, moved: str) -> None:
    """Both are told, once each, and the times that fit are both nearer to the slot and within 31 days."""
    asked, at = stay(f"2026-12-01T{check_in}", "2027-02-05T12:00"), door(slot("16:00-10:00"))
    found = match(asked, at, ANY)
    assert (found.outcome, found.note) == (Outcome.NO_SLOT, TOO_LONG_TOO)
    (move,) = suggested(asked, at)
    assert move["kind"] == "move_both"
    assert f"Move the check-in {moved}" in move["text"]
    assert move["check_out"] == "2027-01-01T10:00:00-08:00"
    assert match(stay(f"2026-12-01T{check_in}", "2026-12-05T12:00"), at, ANY).note == ""
    assert match(stay("2026-12-01T16:00", "2027-02-05T10:00"), at, ANY).note == ""
