"""The answer to `GET /bookings/{id}`: the `data` of an outcome as of now, and what is to be done."""

from datetime import datetime
from typing import Any

from shared.domain.booking.advice import earlier_code_of
from shared.domain.booking.notices import next_step_of, outcome_body, problems_of
from shared.domain.booking.record import BookedDoor, Booking


def status_of(booking: Booking, now: datetime) -> dict[str, Any]:
    """Return the status of a booking at `now`: never a PIN, nothing about the guest.

    `devices` are those of an outcome, each with `state` (the same as `status`), `problems` and `next_step`.
    """
    body = outcome_body(booking)
    wanted = [door for door in booking.doors if door.wanted]
    devices = [{**told, **_more(booking, door, now)} for told, door in zip(body["devices"], wanted, strict=True)]
    return {**body, "devices": devices}


def _more(booking: Booking, door: BookedDoor, now: datetime) -> dict[str, Any]:
    earlier = None if booking.cancelled else earlier_code_of(booking, door)
    problems = [] if booking.cancelled else [problem for problem, _ in problems_of(door)]
    return {
        "state": str(door.state),
        "name": door.name,
        "detail": door.detail,
        "due_at": door.due_at.isoformat() if door.due_at else None,
        "earlier_starts_at": earlier.starts_at.isoformat() if earlier else None,
        "earlier_ends_at": earlier.ends_at.isoformat() if earlier else None,
        "problems": problems,
        "next_step": next_step_of(booking, door, problems[0], now) if problems else "",
    }
