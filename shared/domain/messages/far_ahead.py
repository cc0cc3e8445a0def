"""Refuses check-ins so far ahead that the year must be a mistake. Pure."""

from datetime import UTC, datetime, time, timedelta
from typing import Final

from shared.domain.messages.message import InvalidMessage, Problem
from shared.domain.quoting import quoted
from shared.domain.stay.stay import BookingTime, DateOnly, Instant, WallTime

MOST_AHEAD: Final = timedelta(days=3 * 366)
"""Three years: hotels take bookings for up to two, and no code is made before the lead time (days)."""


def check_not_far_ahead(check_in: BookingTime | None, now: datetime) -> None:
    """Raise InvalidMessage for a check-in over three years from `now`: its year must be wrong."""
    if check_in is None:
        return
    at = _at_least(check_in)
    if at - now > MOST_AHEAD:
        wrong = f"{quoted(at.date().isoformat())} is over three years ahead"
        raise InvalidMessage((Problem("check_in", wrong, "correct the year; if it is right, send it again later"),))


def _at_least(check_in: BookingTime) -> datetime:
    """Return about when that is, to within a day."""
    match check_in:
        case Instant(at):
            return at
        case WallTime(at):
            return at.replace(tzinfo=UTC)
        case DateOnly(on):
            return datetime.combine(on, time(), UTC)
