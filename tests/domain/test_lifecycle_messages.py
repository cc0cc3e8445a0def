"""The effect of booking messages on a booking: revisions, repeats, cancellations, doors that come and go."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.booking.record import State
from shared.domain.booking.transitions import Repeated, Superseded, retry
from shared.domain.messages.message import InvalidMessage
from tests.shared.stories import (
    CHECK_OUT,
    DOOR,
    NOW,
    SECOND,
    SOON,
    STAY,
    accepted,
    booking,
    code,
    issued,
    lines_of,
    quiet,
    told_of,
    with_door,
)


def test_a_first_message_makes_the_booking() -> None:
    """The state is received, every door is due at once, and nothing is told yet."""
    change = accepted(doors=(DOOR, SECOND), revision=3)
    it = change.booking
    assert (it.booking_id, it.revision, it.state, it.stay) == ("BK-1", 3, State.RECEIVED, STAY)
    assert [(door.device_id, door.due_at, door.state) for door in it.doors] == [
        (DOOR, NOW, State.RECEIVED),
        (SECOND, NOW, State.RECEIVED),
    ]
    assert it.outbox == ()
    assert lines_of(change) == ["message.applied", "booking.received"]


REVISIONS = [
    pytest.param("created", 1, "updated", 2, True, id="a newer revision"),
    pytest.param("created", 1, "updated", 9, True, id="some left out"),
    pytest.param("created", 1, "created", 2, True, id="created again, newer"),
    pytest.param("created", 1, "updated", 1, False, id="an equal revision: the first wins"),
    pytest.param("created", 1, "updated", 0, False, id="an older revision"),
    pytest.param("created", 1, "cancelled", 1, True, id="cancelled at an equal revision"),
    pytest.param("created", 1, "cancelled", 2, True, id="cancelled by a newer revision"),
    pytest.param("created", 1, "cancelled", 0, False, id="cancelled by an older revision"),
    pytest.param("cancelled", 1, "cancelled", 1, False, id="cancelled twice"),
    pytest.param("cancelled", 1, "created", 0, False, id="cancelled, then an older one"),
    pytest.param("cancelled", 1, "created", 1, False, id="cancelled, then an equal one"),
    pytest.param("cancelled", 1, "updated", 2, True, id="cancelled, then booked again"),
]


@pytest.mark.parametrize(("first", "had", "then", "has", "wins"), REVISIONS)
def test_which_revision_wins(first: str, had: int, then: str, has: int, wins: bool) -> None:  # noqa: FBT001 - a table
    """The highest; of equal ones the first, unless the later one cancels."""
    before = accepted(None, had, first, message_id="first").booking
    if not wins:
        with pytest.raises(Superseded):
            accepted(before, has, then, message_id="then")
        return
    after = accepted(before, has, then, message_id="then").booking
    assert (after.revision, after.cancelled) == (has, then == "cancelled")


def test_a_repeat_changes_nothing() -> None:
    """Same source and id, also after other messages. If an older version stored no contents, whatever it contains."""
    before = accepted(message_id="m-1").booking
    with pytest.raises(Repeated):
        accepted(before, message_id="m-1")
    with pytest.raises(Repeated):
        accepted(replace(before, seen_contents=()), 9, "updated", message_id="m-1")
    after = accepted(before, 1, "updated", message_id="m-2").booking
    with pytest.raises(Repeated):
        accepted(after, 0, message_id="m-1")


@pytest.mark.parametrize(("revision", "kind"), [(9, "updated"), (0, "updated"), (0, "cancelled")])
def test_an_id_with_other_content_needs_a_person(revision: int, kind: str) -> None:
    """It is never ignored: a system that gives every message the same id would change nothing, and not know."""
    before = accepted(message_id="m-1").booking
    with pytest.raises(InvalidMessage, match="id: 'm-1' is that of an earlier message"):
        accepted(before, revision, kind, message_id="m-1")


def test_a_cancellation_may_come_before_its_booking() -> None:
    """It is kept, and its booking is cancelled when it comes."""
    tombstone = accepted(None, 5, "cancelled").booking
    assert (tombstone.state, tombstone.doors, tombstone.cancelled) == (State.CANCELLED, (), True)
    with pytest.raises(Superseded):
        accepted(tombstone, 5)
    reborn = accepted(tombstone, 6).booking
    assert (reborn.state, reborn.cancelled, len(reborn.doors)) == (State.RECEIVED, False, 1)


def test_an_update_lets_every_door_be_planned_again() -> None:
    """It is due at once and its failed tries are reset; the code stays until the new window is known."""
    before = with_door(issued(), attempts=7, due_at=NOW + timedelta(days=1))
    after = accepted(before, 1, "updated").booking
    door = after.door(DOOR)
    assert (door.due_at, door.attempts, door.planned_revision, door.code) == (NOW, 0, 0, code())


def test_a_door_that_is_added_and_one_that_is_dropped() -> None:
    """The new one is received; the dropped one is kept, unwanted, until its code is dealt with."""
    after = accepted(issued(DOOR), 1, "updated", doors=(SECOND,)).booking
    assert [(door.device_id, door.wanted) for door in after.doors] == [(SECOND, True), (DOOR, False)]
    assert after.door(DOOR).code == code()
    assert (after.state, after.held_back_by) == (State.RECEIVED, SECOND)


def test_a_door_that_comes_back_is_wanted_again() -> None:
    """Closed meanwhile or not, it is planned again, with its known codes."""
    dropped = accepted(issued(DOOR, SECOND), 1, "updated", doors=(SECOND,)).booking
    closed = with_door(dropped, DOOR, state=State.CANCELLED, code=None, residual=(code(),))
    for before in (dropped, closed):
        back = accepted(before, 2, "updated", doors=(SECOND, DOOR)).booking.door(DOOR)
        assert back.wanted
        assert back.state is not State.CANCELLED
    assert accepted(closed, 2, "updated", doors=(DOOR,)).booking.door(DOOR).residual == (code(),)


def test_a_cancellation_keeps_stay_and_doors() -> None:
    """They say which codes still work, and until when; the booking system is told at once."""
    before = issued(DOOR, SECOND)
    change = accepted(before, 0, "cancelled")
    it = change.booking
    assert (it.state, it.stay, len(it.doors)) == (State.CANCELLED, STAY, 2)
    assert it.residual_access_until == CHECK_OUT
    assert told_of(change, before) == ["access-code.cancelled"]
    (notice,) = it.outbox
    assert notice.kind == "outcome"
    assert notice.body["residual_access_until"] == CHECK_OUT.isoformat()


def test_a_code_that_is_over_is_no_residual_access() -> None:
    """Only codes that still open the door count."""
    after = accepted(issued(), 0, "cancelled", now=CHECK_OUT).booking
    assert after.residual_access_until is None


def test_a_booking_remembers_a_bounded_number_of_messages() -> None:
    """The latest ones; older ones are refused by their revision anyway."""
    it = booking()
    for revision in range(1, 200):
        it = quiet(accepted(it, revision, "updated").booking)
    assert len(it.seen_messages) <= 100
    with pytest.raises(Superseded):
        accepted(it, 1, "updated", message_id="late")


def test_a_person_can_have_everything_unfinished_tried_again() -> None:
    """Waiting, failed and scheduled doors are due at once; ready and closed ones are left alone."""
    it = booking("failed", "waiting", "ready", "ended", "dropped")
    for device_id, state in (("failed", State.FAILED), ("waiting", State.WAITING), ("ready", State.READY)):
        it = with_door(it, device_id, state=state, planned_revision=0, attempts=5, due_at=NOW + SOON)
    it = with_door(it, "ended", state=State.ENDED, planned_revision=0, due_at=None)
    it = with_door(it, "dropped", state=State.SCHEDULED, planned_revision=0, wanted=False, due_at=None)
    after = retry(it, now=NOW).booking

    planned_again = {door.device_id for door in after.doors if door.planned_revision is None}
    assert planned_again == {"failed", "waiting"}
    assert all(after.door(each).due_at == NOW and after.door(each).attempts == 0 for each in planned_again)
