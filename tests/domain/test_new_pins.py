"""When the guest needs another PIN: outcomes and the story say so, and the person who gave the old one out is told."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.booking import transitions
from shared.domain.booking.notices import alerts_of, outcome_body
from shared.domain.booking.problem_catalogue import PROBLEMS
from shared.domain.booking.record import Booking, Change
from tests.shared.stories import (
    CHECK_OUT,
    DOOR,
    ERASE_AT,
    NOW,
    SECOND,
    WINDOW,
    accepted,
    booking,
    code,
    issued,
    quiet,
    told_of,
    with_door,
)

LATER = NOW + timedelta(hours=1)


def gets(it: Booking, access_code_id: str, device_id: str = DOOR, at: Any = LATER) -> Change:
    """Record a code."""
    revision = it.revision
    return transitions.record_code(
        it, device_id, code(access_code_id), revision=revision, asked=WINDOW, adopted=False, now=at
    )


def loses(it: Booking, device_id: str = DOOR, *, is_gone: bool) -> Booking:
    """Set the code aside, because another window is wanted."""
    return quiet(transitions.supersede_code(it, device_id, revision=it.revision, is_gone=is_gone, now=NOW).booking)


def given(*doors: str) -> Booking:
    """Return a booking with the first code on every door."""
    it = booking(*doors)
    for number, door in enumerate(it.doors, start=1):
        it = quiet(gets(it, f"c-{number}", door.device_id, NOW).booking)
    return it


def moved(it: Booking) -> Booking:
    """Move a booking to another door, and close the first."""
    it = quiet(accepted(it, 1, doors=(SECOND,)).booking)
    closed = transitions.close_door(it, DOOR, gone=frozenset({"c-1"}), erase_at=ERASE_AT, now=NOW)
    return quiet(closed.booking)


CASES: dict[str, tuple[Booking, str]] = {
    "a longer stay, the old code stays": (loses(given(), is_gone=False), DOOR),
    "a longer stay, the old code is deleted": (loses(given(), is_gone=True), DOOR),
    "the code was gone, and is made anew": (transitions.drop_code(given(), DOOR, now=NOW).booking, DOOR),
    "another door": (moved(given()), SECOND),
    "a record of an older version": (replace(loses(with_door(issued(), last_code_id=""), is_gone=False)), DOOR),
}


@pytest.mark.parametrize("name", CASES)
def test_another_code_is_another_pin(name: str) -> None:
    """The outcome says so for that door, with the time, and the story has the next step."""
    before, device_id = CASES[name]
    change = gets(before, "c-9", device_id)
    (device,) = outcome_body(change.booking)["devices"]
    assert (device["access_code_id"], device["pin_changed"]) == ("c-9", True)
    assert device["pin_changed_at"] == LATER.isoformat()
    assert "access-code.issued" in told_of(change, before)
    (line,) = [entry for entry in change.history if entry.what == "pin.changed"]
    assert line.text.startswith("Tell the guest: a new PIN. Access code c-9 takes the place of c-1")


def test_the_first_code_is_no_new_pin() -> None:
    """Nor is the same code, found or changed again."""
    first = gets(booking(), "c-1")
    assert [each["pin_changed"] for each in outcome_body(first.booking)["devices"]] == [False]
    again = gets(quiet(first.booking), "c-1")
    assert [each["pin_changed"] for each in outcome_body(again.booking)["devices"]] == [False]
    assert not [entry for entry in (*first.history, *again.history) if entry.what == "pin.changed"]


def test_a_pin_that_seam_replaced_is_an_outcome() -> None:
    """State and reason are unchanged; the booking system is told nevertheless, once."""
    before = given(DOOR, SECOND)
    change = transitions.record_pin_change(before, "c-2", at=LATER, now=LATER)
    assert told_of(change, before) == ["access-code.issued", f"+pin_changed/{SECOND}"]
    assert [each["pin_changed"] for each in outcome_body(change.booking)["devices"]] == [False, True]
    assert change.history[0].text.startswith("Tell the guest: a new PIN.")
    after = quiet(change.booking)
    assert told_of(transitions.record_pin_change(after, "c-2", at=LATER, now=LATER), after) == []
    assert told_of(transitions.record_pin_reveal(after, SECOND, by="ann", now=LATER), after) == [
        f"-pin_changed/{SECOND}"
    ]


def test_a_new_pin_is_told_even_if_another_door_waits() -> None:
    """The booking's state is unchanged then."""
    before = loses(loses(given(DOOR, SECOND), is_gone=True), SECOND, is_gone=True)
    waits = transitions.wait(
        before, SECOND, revision=0, reason="no_slot", detail="", until=LATER, facts={}, now=NOW
    ).booking
    assert "access-code.waiting" in told_of(gets(quiet(waits), "c-9"), quiet(waits))


def test_people_are_told_if_they_gave_the_old_pin_out() -> None:
    """Until somebody reads the new one. If nobody read the old one here, only the booking system is told."""
    unread = gets(loses(given(), is_gone=True), "c-9").booking
    assert alerts_of(unread, LATER) == {}

    read = transitions.record_pin_reveal(given(), DOOR, by="ann", now=NOW).booking
    renewed = gets(loses(read, is_gone=True), "c-9").booking
    (alert,) = alerts_of(renewed, LATER).values()
    assert (alert.problem, alert.happened[:29]) == ("pin_changed", "Tell the guest: a new PIN. Th")
    assert "oracode codes reveal" in alert.next_step
    told = transitions.record_pin_reveal(renewed, DOOR, by="ann", now=LATER + timedelta(minutes=1)).booking
    assert alerts_of(told, LATER) == {}
    assert PROBLEMS["pin_changed"].happened.startswith("Tell the guest: a new PIN.")


def test_a_cancelled_booking_needs_no_new_pin() -> None:
    """A code that comes after the cancellation is told to nobody."""
    cancelled = quiet(accepted(loses(given(), is_gone=True), 1, "cancelled").booking)
    change = gets(cancelled, "c-9")
    assert "pin.changed" not in [entry.what for entry in change.history]
    assert CHECK_OUT > LATER
