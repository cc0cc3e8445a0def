"""A person has a code replaced that is lost or compromised: the code becomes residual access, and another is made.

The new code is made first. Seam is asked to delete the old one only after it has confirmed the new one, so that the
guest always has a code that works.
"""

from dataclasses import replace
from datetime import datetime

from shared.domain.booking.door_state import Received
from shared.domain.booking.record import OVER, AccessCode, BookedDoor, Booking, Change, HistoryEntry
from shared.domain.booking.transitions.change import change_door, enter, with_door


class NotReissued(Exception):
    """The code can't be replaced; the text says why. Nothing was written."""


def why_not_reissued(booking: Booking, door: BookedDoor, now: datetime) -> str:
    """Say why the door's code can't be replaced; empty where it can."""
    if booking.cancelled or booking.stay is None:
        return f"the booking is {booking.state}"
    if not door.wanted:
        return "the booking is not on this door"
    if door.state in OVER:
        return f"the door is {door.state}"
    if door.intent is not None:
        return "a code was asked for, and it isn't known yet whether it exists"
    if door.code is None:
        return f"there is no code for this door: it is {door.state}"
    ends_at = max(door.code.window.ends_at, door.check_out or door.code.window.ends_at)
    return "" if now < ends_at else "the time of its code is over"


def is_replaced(door: BookedDoor, access_code_id: str) -> bool:
    """Say whether a person had this code of the door replaced already."""
    return any(code.access_code_id == access_code_id and code.replaced_at is not None for code in door.residual)


def reissue_code(booking: Booking, key: str, *, access_code_id: str, by: str, reason: str, now: datetime) -> Change:
    """Set the door's code aside because `by` says that it is lost or compromised, and have another made.

    The order is for the code that the person was shown. Ordered again for the same code, nothing changes. Raises
    NotReissued, and KeyError for a door that isn't the booking's.
    """
    door = booking.door(key)
    if is_replaced(door, access_code_id):
        return Change(booking)
    if why := why_not_reissued(booking, door, now):
        raise NotReissued(why)
    code = door.code
    if code is None or code.access_code_id != access_code_id:
        raise NotReissued(f"the door has another code by now: {code.access_code_id if code else 'none'}")
    door = replace(
        enter(door, Received()),
        planned_revision=None,
        reason="",
        detail="",
        is_muted=False,
        drift="",
        inherited="",
        last_code_id=code.access_code_id,
        residual=(*door.residual, replace(code, replaced_at=now)),
        attempts=0,
        due_at=now,
    )
    why = f": {reason}" if reason else "."
    text = (
        f"{by or 'A person'} asked for a new code in place of access code {code.access_code_id}, which opens the door"
        f" until {code.window.ends_at.isoformat(timespec='minutes')} unless Seam deletes it{why}"
    )
    entry = HistoryEntry(at=now, what="code.reissue_asked", text=text, facts={"access_code_id": code.access_code_id})
    return change_door(booking, door, now, entry)


def ask_deletions(booking: Booking, key: str, *, at: datetime) -> Booking:
    """Return the booking with Seam to be asked at `at` to delete the codes of a door that were replaced.

    Those that Seam was asked to delete already, or is to be asked, stay as they are.
    """
    door = booking.door(key)
    residual = tuple(replace(code, delete_at=at) if _is_to_go(code) else code for code in door.residual)
    if residual == door.residual:
        return booking
    return replace(booking, doors=with_door(booking, replace(door, residual=residual)))


def _is_to_go(code: AccessCode) -> bool:
    return code.replaced_at is not None and code.removal is None and code.delete_at is None
