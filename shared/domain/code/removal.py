"""A code that Seam was asked to delete: when it is looked at next, and from when the deletion counts as failed.

Seam only accepts a deletion: its answer is a pending action attempt. Until Seam has the code no more, the code opens
the door, and counts as residual access. The vendor has a code that could not be removed from its lock stay `set`, with
an error (`failed_to_remove_from_device`, `failed_to_delete`); the attempt then ends in `error`.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from shared.domain.booking.record import AccessCode, BookedDoor, Removal
from shared.domain.seam_issues import IssueKind, SeamIssue, issue_in_words

# A lock that Seam reaches deletes a code within minutes; a deletion that takes longer is told.
LATE_AFTER: Final = timedelta(minutes=15)
_FIRST_PAUSE: Final = timedelta(seconds=5)
_LONGEST_PAUSE: Final = timedelta(minutes=5)
# Seam goes on trying a deletion that failed, and a person may mend its cause.
_PAUSE_AFTER_FAILURE: Final = timedelta(hours=1)
_FAILED: Final = ("failed_to_remove_from_device", "failed_to_delete", "failed_to_remove", "failed_to_expire")


def accepted(attempt_id: str, now: datetime) -> Removal:
    """Return a removal that Seam has just accepted."""
    return Removal(asked_at=now, look_at=now + _FIRST_PAUSE, attempt_id=attempt_id)


def refused(refusal: str, now: datetime) -> Removal:
    """Return a removal that Seam refused at once: it isn't asked again, and nothing more comes of it."""
    return Removal(asked_at=now, failure=refusal)


def not_possible(now: datetime, why: str) -> Removal:
    """Return a removal that Seam isn't even asked for."""
    return Removal(asked_at=now, failure=why, asked=False)


def after_look(removal: Removal, *, errors: Collection[SeamIssue], attempt_error: str, now: datetime) -> Removal:
    """Return the removal after a look that found the code still there.

    `errors` are those of the code, `attempt_error` has Seam's words where the action attempt has failed.
    """
    said = [issue_in_words(IssueKind.CODE_ERROR, it.code, it.message) for it in errors if it.code in _FAILED]
    said += [f"Seam says: {attempt_error}"] if attempt_error and not said else []
    if said:
        failure = ". ".join(each.rstrip(".") for each in said)
    elif now - removal.asked_at >= LATE_AFTER:
        failure = f"Seam accepted the deletion at {removal.asked_at:%Y-%m-%d %H:%M} UTC, and the code is still there"
    else:
        failure = removal.failure
    return _later(replace(removal, failure=failure), now)


def after_failed_look(removal: Removal, now: datetime) -> Removal:
    """Return the removal after a look that failed: nothing is known that wasn't known before."""
    return _later(removal, now)


def next_look_at(door: BookedDoor) -> datetime | None:
    """Return when a code of the door that is being deleted is looked at next; None where there is no such code."""
    times = (look_at(code) for code in door.residual)
    return min((at for at in times if at is not None), default=None)


def look_at(code: AccessCode) -> datetime | None:
    """Return when a code that is (to be) deleted is looked at next; None where that isn't before its end, or no matter.

    A code whose time is over opens no door.
    """
    at = code.removal.look_at if code.removal is not None else code.delete_at
    return at if at is not None and at < code.window.ends_at else None


def is_under_way(code: AccessCode) -> bool:
    """Say whether Seam is deleting the code, and nothing has gone wrong so far."""
    return code.removal is not None and not code.removal.failure


def is_ours_no_more(code: AccessCode) -> bool:
    """Say whether no booking may take the code over: its deletion was accepted, or a person had it replaced."""
    return code.replaced_at is not None or (code.removal is not None and code.removal.look_at is not None)


def _later(removal: Removal, now: datetime) -> Removal:
    pause = _PAUSE_AFTER_FAILURE if removal.failure else min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(removal.looks, 8))
    return replace(removal, look_at=now + pause, looks=removal.looks + 1)
