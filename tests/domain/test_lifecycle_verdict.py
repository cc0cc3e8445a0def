"""The verdict over several doors: the one that needs a person most, then the one that is furthest behind."""

from dataclasses import replace
from itertools import combinations

import pytest

from shared.domain.booking.record import Booking, State
from shared.domain.booking.transitions import clear_published, stop_polling
from tests.shared.stories import DOOR, NOW, SECOND, accepted, booking, issued, with_door

# From the one that decides before all others to the one that decides last.
ORDER = ["failed", "waiting", "creating", "received", "scheduled", "issued", "ready", "cancelled", "ended"]


def settled(**states: str) -> Booking:
    """Return a booking whose doors are in these states, judged anew."""
    it = booking(*states)
    for device_id, state in states.items():
        it = with_door(it, device_id, state=State(state), reason=f"why_{device_id}", planned_revision=0)
    # The smallest transition there is: every one ends in a verdict.
    return stop_polling(it, next(iter(states)), now=NOW).booking


@pytest.mark.parametrize(("worse", "better"), list(combinations(ORDER, 2)), ids="-".join)
def test_of_two_doors_the_worse_decides(worse: str, better: str) -> None:
    """Whichever stands first; the booking names it, with its reason."""
    for states in ({"a": worse, "b": better}, {"b": better, "a": worse}):
        it = settled(**states)
        assert (it.state, it.held_back_by, it.reason) == (State(worse), "a", "why_a")


def test_it_is_ready_when_all_doors_are() -> None:
    """And only then."""
    assert settled(a="ready", b="ready", c="ready").state is State.READY
    assert settled(a="ready", b="issued", c="ready").state is State.ISSUED


def test_a_booking_on_one_door_names_none() -> None:
    """There is nothing to choose from."""
    assert settled(a="waiting").held_back_by is None


def test_a_door_that_is_not_wanted_counts_for_nothing() -> None:
    """Whatever became of it."""
    it = accepted(issued(DOOR, SECOND), 1, "updated", doors=(SECOND,)).booking
    it = with_door(with_door(it, DOOR, state=State.FAILED), SECOND, state=State.READY)
    assert stop_polling(it, SECOND, now=NOW).booking.state is State.READY


def test_a_cancelled_booking_is_cancelled_whatever_its_doors_are() -> None:
    """The booking's own word goes before its doors'."""
    it = accepted(issued(DOOR, SECOND), 0, "cancelled").booking
    assert (it.state, it.held_back_by, it.reason) == (State.CANCELLED, None, "")


def test_handing_over_takes_out_what_was_handed_over() -> None:
    """Two workers that published the same take it out once; what came meanwhile stays."""
    before = accepted(issued(), 0, "cancelled").booking
    first = clear_published(before, before.outbox).booking
    assert first.outbox == ()
    assert clear_published(first, before.outbox).booking.outbox == ()
    late = replace(before.outbox[0], at=NOW.replace(year=NOW.year + 1))
    meanwhile = replace(before, outbox=(*before.outbox, late))
    assert clear_published(meanwhile, before.outbox).booking.outbox == (late,)
