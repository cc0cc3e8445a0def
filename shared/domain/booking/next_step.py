"""What is to be done next for one door of a booking. Pure: it follows from the record and the time."""

from datetime import datetime
from enum import Enum, auto
from typing import assert_never

from shared.domain.booking.door_state import (
    Cancelled,
    Creating,
    DoorState,
    Ended,
    Failed,
    Issued,
    Ready,
    Received,
    Scheduled,
    Waiting,
    state_of,
)
from shared.domain.booking.record import BookedDoor, Booking


class Step(Enum):
    """The steps. Logs and traces have them in small letters."""

    RESOLVE_CREATE = auto()
    """A create may have reached Seam: find that out before anything else."""
    REVOKE_CODE = auto()
    """The booking was cancelled, or this door left out of it: take its code back where that is possible."""
    END = auto()
    """Check-out has passed."""
    PLAN = auto()
    """Read the door, match, and make the code if its time has come."""
    CHECK = auto()
    """Read the code at Seam: is it confirmed, late, faulty, gone?"""
    ERASE = auto()
    """The stay is long over: erase its personal data."""
    NOTHING = auto()
    """Nothing is to be done at this moment."""


def next_step(booking: Booking, door: BookedDoor, now: datetime, *, prompted: bool = False) -> Step:
    """Return the step for `door`. `prompted` (by an event) looks at a code before its time has come."""
    is_due = door.due_at is None or door.due_at <= now
    state = state_of(door)
    if isinstance(state, Creating):
        return Step.RESOLVE_CREATE if is_due else Step.NOTHING
    if isinstance(state, Ended) or booking.cancelled or not door.wanted:
        return _step_when_closed(booking, door, now, prompted=prompted)
    if door.check_out is not None and now >= door.check_out:
        return Step.END
    if not is_due and not (prompted and door.code is not None):
        return Step.NOTHING
    if door.planned_revision != booking.revision:
        return Step.PLAN
    return _step_when_due(state)


def _step_when_closed(booking: Booking, door: BookedDoor, now: datetime, *, prompted: bool) -> Step:
    state = state_of(door)
    is_closed = isinstance(state, Ended) or (isinstance(state, Cancelled) and not (prompted and door.residual))
    if not is_closed:
        return Step.REVOKE_CODE
    is_due = door.due_at is not None and door.due_at <= now
    return Step.ERASE if is_due and not booking.is_forgotten else Step.NOTHING


def _step_when_due(state: DoorState) -> Step:
    match state:
        case Received() | Scheduled() | Waiting():
            return Step.PLAN
        case Creating():
            return Step.RESOLVE_CREATE
        case Issued() | Ready():
            return Step.CHECK
        case Failed(code) if code is not None:
            return Step.CHECK
        case Failed():
            # It is due because the latest possible end of the stay has passed.
            return Step.END
        case Cancelled() | Ended():
            return Step.NOTHING
        case _:
            assert_never(state)
