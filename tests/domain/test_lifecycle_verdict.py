"""The state of a booking with several doors: the door that most needs a person decides, then the slowest."""

from dataclasses import replace
from itertools import combinations

import pytest

from shared.domain.booking.record import Booking, OutcomeNotice, State
from shared.domain.booking.transitions import clear_published, stop_polling
from tests.shared.stories import DOOR, NOW, SECOND, accepted, booking, issued, with_door

# From the state that decides before all others to the one that decides last.
ORDER = ["failed", "waiting", "creating", "received", "scheduled", "issued", "ready", "cancelled", "ended"]


def settled(**states: str) -> Booking:
    """Return a booking with doors in these states; its own state is computed again."""
    it = booking(*states)
    for device_id, state in states.items():
        it = with_door(it, device_id, state=State(state), reason=f"why_{device_id}", planned_revision=0)
    # The smallest transition there is: every transition computes the booking's state.
    return stop_polling(it, next(iter(states)), now=NOW).booking


@pytest.mark.parametrize(("worse", "better"), list(combinations(ORDER, 2)), ids="-".join)
def test_of_two_doors_the_worse_decides(worse: str, better: str) -> None:
    """In either order; the booking has its name and reason."""
    for states in ({"a": worse, "b": better}, {"b": better, "a": worse}):
        it = settled(**states)
        assert (it.state, it.held_back_by, it.reason) == (State(worse), "a", "why_a")


def test_it_is_ready_when_all_doors_are() -> None:
    """And only then."""
    assert settled(a="ready", b="ready", c="ready").state is State.READY
    assert settled(a="ready", b="issued", c="ready").state is State.ISSUED


@pytest.mark.parametrize("state", ["issued", "ready"])
@pytest.mark.parametrize("other", ["issued", "ready", "ended"])
def test_it_becomes_ready_when_all_doors_are_for_the_newest_revision(state: str, other: str) -> None:
    """A code of an earlier revision may not fit the stay any more: until its door is planned, nothing is told."""
    before = replace(settled(a=state, b="waiting"), revision=1)
    it = stop_polling(with_door(before, "b", state=State(other), planned_revision=1), "b", now=NOW).booking
    told = [each for each in it.outbox[len(before.outbox) :] if isinstance(each, OutcomeNotice)]
    assert (it.state, it.held_back_by, told) == (State.RECEIVED, "a", [])
    for_it = stop_polling(with_door(it, "a", planned_revision=1), "a", now=NOW).booking
    assert for_it.state is (State.ISSUED if "issued" in (state, other) else State.READY)
    (outcome,) = (each for each in for_it.outbox[len(it.outbox) :] if isinstance(each, OutcomeNotice))
    assert outcome.body["revision"] == 1


def test_it_stays_ready_while_a_door_is_planned_for_a_newer_revision() -> None:
    """A change that keeps all codes is no outcome."""
    before = settled(a="ready", b="ready")
    it = stop_polling(replace(before, revision=1), "a", now=NOW).booking
    assert (it.state, it.outbox) == (State.READY, before.outbox)


def test_a_booking_on_one_door_names_no_door() -> None:
    """There is no other."""
    assert settled(a="waiting").held_back_by is None


def test_a_door_that_is_not_wanted_does_not_count() -> None:
    """Whatever its state."""
    it = accepted(issued(DOOR, SECOND), 1, "updated", doors=(SECOND,)).booking
    it = with_door(with_door(it, DOOR, state=State.FAILED), SECOND, state=State.READY)
    assert stop_polling(it, SECOND, now=NOW).booking.state is State.READY


def test_a_cancelled_booking_is_cancelled_whatever_its_doors_are() -> None:
    """The booking's own state goes before that of its doors."""
    it = accepted(issued(DOOR, SECOND), 0, "cancelled").booking
    assert (it.state, it.held_back_by, it.reason) == (State.CANCELLED, None, "")


def test_published_outcomes_are_removed() -> None:
    """If two workers publish the same ones, they are removed once; those that came meanwhile stay."""
    before = accepted(issued(), 0, "cancelled").booking
    first = clear_published(before, before.outbox).booking
    assert first.outbox == ()
    assert clear_published(first, before.outbox).booking.outbox == ()
    late = replace(before.outbox[0], at=NOW.replace(year=NOW.year + 1))
    meanwhile = replace(before, outbox=(*before.outbox, late))
    assert clear_published(meanwhile, before.outbox).booking.outbox == (late,)
