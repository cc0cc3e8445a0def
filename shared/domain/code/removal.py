"""The removal of a code at Seam: when the code is read next, and when its deletion counts as failed.

Seam only accepts a deletion: it answers with a pending action attempt. As long as Seam has the code, the code opens the
door, and counts as residual access. If a code can't be removed from its lock, it stays `set` with an error
(`failed_to_remove_from_device`, `failed_to_delete`), and the action attempt ends in `error`.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from shared.domain.booking.record import AccessCode, BookedDoor, Removal
from shared.domain.seam_issues import IssueKind, SeamIssue, issue_in_words

# A lock that Seam can reach deletes a code within minutes. If it takes longer, people are told.
LATE_AFTER: Final = timedelta(minutes=15)
_FIRST_PAUSE: Final = timedelta(seconds=5)
_LONGEST_PAUSE: Final = timedelta(minutes=5)
# Seam keeps trying a deletion that failed, and a person may remove the cause.
_PAUSE_AFTER_FAILURE: Final = timedelta(hours=1)
_FAILED: Final = ("failed_to_remove_from_device", "failed_to_delete", "failed_to_remove", "failed_to_expire")


def deletion_accepted(attempt_id: str, now: datetime) -> Removal:
    """Return a removal that Seam has just accepted."""
    return Removal(asked_at=now, look_at=now + _FIRST_PAUSE, attempt_id=attempt_id)


def deletion_refused(refusal: str, now: datetime) -> Removal:
    """Return a removal that Seam refused at once: Seam isn't asked again, and the code isn't read again."""
    return Removal(asked_at=now, failure=refusal)


def deletion_not_possible(now: datetime, why: str) -> Removal:
    """Return a removal that Seam was never asked for; `why` is the reason."""
    return Removal(asked_at=now, failure=why, asked=False)


def after_look(removal: Removal, *, errors: Collection[SeamIssue], attempt_error: str, now: datetime) -> Removal:
    """Return the removal after a look that found the code still there.

    `errors` are those of the code. `attempt_error` has Seam's words if the action attempt has failed.
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
    """Return the removal after a look that failed: only the time of the next look changes."""
    return _later(removal, now)


def next_look_at(door: BookedDoor) -> datetime | None:
    """Return when the next of the door's codes that are being deleted is read; None if there is none."""
    times = (look_at(code) for code in door.residual)
    return min((at for at in times if at is not None), default=None)


def look_at(code: AccessCode) -> datetime | None:
    """Return when a code that is being deleted, or is to be, is read next; None if it isn't to be read again.

    After its end a code opens no door, so it isn't read then.
    """
    at = code.removal.look_at if code.removal is not None else code.delete_at
    return at if at is not None and at < code.window.ends_at else None


def is_under_way(code: AccessCode) -> bool:
    """Say whether Seam is deleting the code, without a failure so far."""
    return code.removal is not None and not code.removal.failure


def may_not_be_adopted(code: AccessCode) -> bool:
    """Say whether no booking may take the code over: Seam accepted its deletion, or a person had it replaced."""
    return code.replaced_at is not None or (code.removal is not None and code.removal.look_at is not None)


def _later(removal: Removal, now: datetime) -> Removal:
    pause = _PAUSE_AFTER_FAILURE if removal.failure else min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(removal.looks, 8))
    return replace(removal, look_at=now + pause, looks=removal.looks + 1)
