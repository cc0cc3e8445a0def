"""A deletion that Seam has only accepted: when the code is read again, and when the deletion counts as failed."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.domain.booking import transitions
from shared.domain.booking.record import Booking, Removal
from shared.domain.code import removal
from shared.domain.seam_issues import SeamIssue
from tests.shared.stories import DOOR, ERASE_AT, NOW, code, issued, lines_of, with_door

NOT_REMOVED = SeamIssue("failed_to_remove_from_device", "The lock says no.")
ACCEPTED = removal.deletion_accepted("attempt-1", NOW)
JUST_LATE = NOW + removal.LATE_AFTER


def closed(it: Removal = ACCEPTED) -> Booking:
    """Return a cancelled booking whose code Seam was asked to delete."""
    cancelled = replace(issued(), cancelled=True)
    return transitions.close_door(
        cancelled, DOOR, gone=frozenset(), removals={"c-1": it}, erase_at=ERASE_AT, now=NOW
    ).booking


@pytest.mark.parametrize(
    ("errors", "attempt_error", "now", "failure"),
    [
        pytest.param((), "", NOW, "", id="under way"),
        pytest.param((), "", JUST_LATE - timedelta(seconds=1), "", id="not late yet"),
        pytest.param((), "", JUST_LATE, "Seam accepted the deletion at", id="removing for ever"),
        pytest.param((NOT_REMOVED,), "", NOW, "The lock says no.", id="an error of the code"),
        pytest.param((), "provider_issue: Not today.", NOW, "Seam says: provider_issue: Not today", id="attempt"),
        pytest.param((NOT_REMOVED,), "x: y", NOW, "The lock says no.", id="the code's own words come first"),
        pytest.param((SeamIssue("account_disconnected", "Gone."),), "", NOW, "", id="an error of something else"),
    ],
)
def test_how_it_stands_after_a_look(
    errors: tuple[SeamIssue, ...], attempt_error: str, now: datetime, failure: str
) -> None:
    """The code still exists: the deletion is under way, has failed, or takes too long."""
    after = removal.after_look(ACCEPTED, errors=errors, attempt_error=attempt_error, now=now)
    assert bool(after.failure) == bool(failure)
    assert failure in after.failure
    assert after.look_at is not None
    assert after.look_at > now


def test_pauses_between_looks_grow_and_looks_go_on_until_the_code_ends() -> None:
    """From seconds to minutes; after a failure every hour."""
    it, now, pauses = ACCEPTED, NOW, []
    for _ in range(200):
        assert it.look_at is not None
        pauses.append(it.look_at - now)
        now = it.look_at
        it = removal.after_look(it, errors=(), attempt_error="", now=now)
    assert pauses[0] < timedelta(seconds=10)
    assert pauses == sorted(pauses)
    assert max(pauses) == timedelta(hours=1)
    failed_look = removal.after_failed_look(it, now)
    assert failed_look.look_at == now + timedelta(hours=1)
    assert failed_look.failure == it.failure


def test_a_code_that_is_being_deleted_is_residual_access() -> None:
    """Until a look finds that it is gone; the looks are in the due-set."""
    it = closed()
    door = it.door(DOOR)
    assert it.residual_access_until == code("c-1").window.ends_at
    assert removal.next_look_at(door) == ACCEPTED.look_at
    assert (removal.is_under_way(door.residual[0]), removal.may_not_be_adopted(door.residual[0])) == (True, True)
    gone = transitions.record_removals(it, DOOR, gone=frozenset({"c-1"}), removals={}, now=NOW)
    assert (gone.booking.door(DOOR).residual, gone.booking.residual_access_until) == ((), None)
    assert lines_of(gone)[0] == "code.removed"
    assert removal.next_look_at(gone.booking.door(DOOR)) is None


def test_the_story_says_that_a_code_is_gone_whichever_look_finds_it() -> None:
    """A scheduled look, or one that an event of the deletion prompted."""
    change = transitions.close_door(closed(), DOOR, gone=frozenset({"c-1"}), erase_at=ERASE_AT, now=NOW)
    assert lines_of(change)[:2] == ["code.removed", "door.closed"]
    assert (change.booking.door(DOOR).residual, change.booking.residual_access_until) == ((), None)


def test_after_a_refused_deletion_the_code_is_not_read_again() -> None:
    """If the booking comes back, it may take the code over again."""
    (it,) = closed(removal.deletion_refused("no", NOW)).door(DOOR).residual
    assert (removal.look_at(it), removal.is_under_way(it), removal.may_not_be_adopted(it)) == (None, False, False)


def test_no_look_after_the_code_has_ended() -> None:
    """It opens no door then."""
    late = replace(ACCEPTED, look_at=code("c-1").window.ends_at)
    assert removal.next_look_at(closed(late).door(DOOR)) is None


def test_a_failure_is_told_once() -> None:
    """The same text again is no news; another text is."""
    it, told = closed(), []
    for words in ("x: one", "x: one", "x: two"):
        before = it.door(DOOR).residual[0].removal
        assert before is not None
        after = removal.after_look(before, errors=(), attempt_error=words, now=NOW)
        change = transitions.record_removals(it, DOOR, gone=frozenset(), removals={"c-1": after}, now=NOW)
        it = change.booking
        told += [entry.text for entry in change.history if entry.what == "code.not_revoked"]
    assert len(told) == 2
    assert "Access code c-1 was not deleted, and opens the door until" in told[0]
    assert "Seam says: x: one." in told[0]


def test_a_look_changes_nothing_if_the_door_uses_the_code_again() -> None:
    """A booking that came back may have this code or another one."""
    it = with_door(issued(), residual=())
    change = transitions.record_removals(it, DOOR, gone=frozenset({"c-1"}), removals={}, now=NOW)
    assert change.booking.door(DOOR).code == issued().door(DOOR).code
