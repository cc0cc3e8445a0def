"""How long a booking is kept: when its personal data is erased, and when its record is deleted."""

from datetime import datetime, timedelta

from shared.domain.booking.record import Booking
from shared.domain.booking.stay_times import last_check_out
from shared.domain.stay.instants import surely_over_at


def erased_at(booking: Booking, *, retention: timedelta, now: datetime) -> datetime:
    """Return when the personal data of a booking is erased, if its stay ends as it is booked now."""
    return max(last_check_out(booking) or now, now) + retention


def deleted_at(booking: Booking, *, retention: timedelta, now: datetime) -> datetime:
    """Return when everything of a booking is deleted: the same while its stay is, for record and indexes alike."""
    over_at = surely_over_at(booking.stay) if booking.stay is not None else now
    return max(over_at, now) + 2 * retention
