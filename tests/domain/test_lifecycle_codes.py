"""Transitions of a door that has a code: confirmed, in trouble, gone, closed, ended."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.booking import transitions
from shared.domain.booking.record import State, Window
from shared.domain.code.removal import deletion_refused
from tests.shared.stories import (
    CHECK_IN,
    CHECK_OUT,
    DOOR,
    ERASE_AT,
    NOW,
    SECOND,
    SOON,
    code,
    issued,
    lines_of,
    told_of,
    with_door,
)

LATER = NOW + timedelta(days=1)
NEWER = Window(CHECK_IN, CHECK_OUT + timedelta(days=1))


def test_a_confirmed_code_is_due_again_at_check_out() -> None:
    """The door is ready; that is told once."""
    change = transitions.confirm_code(issued(), DOOR, reason="", detail="", due_at=CHECK_OUT, now=NOW)
    assert (change.booking.state, change.booking.door(DOOR).due_at) == (State.READY, CHECK_OUT)
    assert lines_of(change) == ["code.confirmed", "booking.ready"]
    assert (
        lines_of(transitions.confirm_code(change.booking, DOOR, reason="", detail="", due_at=CHECK_OUT, now=NOW)) == []
    )


@pytest.mark.parametrize(("failed", "state"), [(True, State.FAILED), (False, State.ISSUED)], ids=["final", "for now"])
def test_a_code_that_is_not_confirmed(failed: bool, state: State) -> None:  # noqa: FBT001 - a table
    """Failed if Seam has given up; otherwise issued, counted, and looked at again."""
    change = transitions.record_unconfirmed_code(
        issued(), DOOR, reason="code_problem", detail="x", failed=failed, due_at=LATER, now=NOW
    )  # fmt: skip
    door = change.booking.door(DOOR)
    assert (door.state, door.reason, door.due_at, door.attempts) == (state, "code_problem", LATER, 1)
    again = transitions.record_unconfirmed_code(
        change.booking, DOOR, reason="code_problem", detail="x", failed=failed, due_at=LATER, now=NOW
    )  # fmt: skip
    assert lines_of(again) == []


def test_a_code_that_is_gone_needs_a_person() -> None:
    """The door has failed, without a code, until check-out."""
    change = transitions.drop_code(issued(), DOOR, now=NOW)
    door = change.booking.door(DOOR)
    assert (door.state, door.reason, door.code, door.due_at) == (State.FAILED, "code_gone", None, CHECK_OUT)
    assert "c-1" in door.detail


def test_a_withdrawn_door_keeps_its_codes_as_residual_access() -> None:
    """Nothing is due any more but the end; the booking says how long the door can be opened."""
    it = with_door(replace(issued(), cancelled=True), residual=(code("c-0", NEWER),))
    change = transitions.close_door(it, DOOR, gone=frozenset(), erase_at=ERASE_AT, now=NOW)
    door = change.booking.door(DOOR)
    assert (door.state, door.code, door.due_at) == (State.CANCELLED, None, ERASE_AT)
    assert [each.access_code_id for each in door.residual] == ["c-0", "c-1"]
    assert change.booking.residual_access_until == NEWER.ends_at


def test_a_withdrawn_door_forgets_what_is_gone() -> None:
    """Codes that Seam took back open no door."""
    it = with_door(replace(issued(), cancelled=True), residual=(code("c-0", NEWER),))
    change = transitions.close_door(it, DOOR, gone=frozenset({"c-0", "c-1"}), erase_at=ERASE_AT, now=NOW)
    assert (change.booking.door(DOOR).residual, change.booking.residual_access_until) == ((), None)


def test_a_withdrawn_door_tells_which_codes_seam_refused_to_delete() -> None:
    """One line for each code, with Seam's text and the end of the code; it still counts as residual access."""
    it = with_door(replace(issued(), cancelled=True), residual=(code("c-0", NEWER),))
    removals = {"c-0": deletion_refused("the override budget is exhausted", NOW)}
    change = transitions.close_door(
        it, DOOR, gone=frozenset({"c-1"}), removals=removals, erase_at=ERASE_AT, now=NOW
    )  # fmt: skip
    assert lines_of(change)[:2] == ["code.not_revoked", "door.closed"]
    text = change.history[0].text
    assert "c-0" in text
    assert "the override budget is exhausted" in text
    assert NEWER.ends_at.isoformat(timespec="minutes") in text
    assert change.booking.residual_access_until == NEWER.ends_at
    again = transitions.close_door(
        change.booking, DOOR, gone=frozenset(), removals=removals, erase_at=ERASE_AT, now=NOW
    )  # fmt: skip
    assert again.history == ()


def test_a_door_that_is_wanted_again_is_not_withdrawn() -> None:
    """A revision that came while its codes were being taken back takes precedence."""
    with pytest.raises(transitions.StaleRead):
        transitions.close_door(issued(), DOOR, gone=frozenset(), erase_at=ERASE_AT, now=NOW)


def test_nothing_is_due_for_an_ended_door() -> None:
    """No reason, no due time."""
    it = with_door(issued(), reason="late_set", detail="x")
    door = transitions.end_stay(it, DOOR, erase_at=ERASE_AT, now=CHECK_OUT).booking.door(DOOR)
    assert (door.state, door.reason, door.detail, door.due_at) == (State.ENDED, "", "", ERASE_AT)


def test_a_door_is_due_at_check_out_when_its_code_is_over() -> None:
    """Seam isn't asked any more."""
    it = with_door(issued(), due_at=NOW)
    assert transitions.stop_polling(it, DOOR, now=NOW).booking.door(DOOR).due_at == CHECK_OUT


def test_a_transition_leaves_other_doors_alone() -> None:
    """Each door has its own state."""
    it = issued(DOOR, SECOND)
    change = transitions.drop_code(it, DOOR, now=NOW + SOON)
    assert change.booking.door(SECOND) == it.door(SECOND)
    assert all(line.device_id == DOOR for line in change.history if not line.what.startswith(("booking.", "alert.")))


def test_a_replaced_pin_is_told_until_somebody_reads_the_new_one() -> None:
    """A repeat, or an older change after it, changes nothing; a later one counts again."""
    first = transitions.record_pin_change(issued(), "c-1", at=NOW, now=NOW)
    assert told_of(first, issued()) == ["access-code.issued", f"+pin_changed/{DOOR}"]
    assert transitions.record_pin_change(first.booking, "c-1", at=NOW - SOON, now=NOW).booking is first.booking
    revealed = transitions.record_pin_reveal(first.booking, DOOR, by="anna", now=NOW + SOON)
    assert told_of(revealed, first.booking) == [f"-pin_changed/{DOOR}"]
    assert any("anna" in line.text for line in revealed.history)
    again = transitions.record_pin_change(revealed.booking, "c-1", at=LATER, now=LATER)
    assert told_of(again, revealed.booking) == ["access-code.issued", f"+pin_changed/{DOOR}"]


@pytest.mark.parametrize("fields", [{"code": None}, {"wanted": False}, {"code": code("c-2")}])
def test_a_pin_change_of_another_code_or_an_unwanted_door_changes_nothing(fields: dict[str, Any]) -> None:
    """Of another code, or of a door that the booking doesn't want any more."""
    it = with_door(issued(), **fields)
    assert transitions.record_pin_change(it, "c-1", at=NOW, now=NOW).booking is it


def test_slot_drift_is_told_once_and_resolved_once() -> None:
    """The state stays that of the code."""
    drifted = transitions.record_drift(issued(), DOOR, "Its slot is gone.", now=NOW)
    assert (told_of(drifted, issued()), drifted.booking.state) == ([f"+slot_changed/{DOOR}"], State.ISSUED)
    assert transitions.record_drift(drifted.booking, DOOR, "Its slot is gone.", now=NOW).booking is drifted.booking
    back = transitions.record_drift(drifted.booking, DOOR, "", now=NOW)
    assert told_of(back, drifted.booking) == [f"-slot_changed/{DOOR}"]


def test_alerts_are_part_of_the_story() -> None:
    """One line when raised, one when resolved."""
    lost = transitions.drop_code(issued(), DOOR, now=NOW)
    assert "alert.raised" in [line.what for line in lost.history]
    ended = transitions.end_stay(lost.booking, DOOR, erase_at=ERASE_AT, now=NOW)
    assert "alert.resolved" in [line.what for line in ended.history]


def test_residual_codes_that_are_gone_are_removed() -> None:
    """Only these."""
    it = with_door(issued(), residual=(code("c-0", NEWER), code("c-9", NEWER)))
    assert transitions.remove_residual_codes(it, DOOR, frozenset()) is it
    left = transitions.remove_residual_codes(it, DOOR, frozenset({"c-0"})).door(DOOR).residual
    assert [each.access_code_id for each in left] == ["c-9"]
