"""A person asks to try a booking again, by the command line or by a button."""

from datetime import datetime

from shared.domain.booking import transitions
from shared.domain.booking.record import Booking, Change
from shared.ledger.bookings import BookingLedger


def try_again(ledger: BookingLedger, seen: Booking, *, now: datetime, by: str = "", reason: str = "") -> bool:
    """Have every unfinished door of the booking planned again now; say whether there is any.

    `by` is who asked and `reason` why, for the story.

    Where there is none nothing is written, so that the story tells of no try that never was. Raises UnknownBooking.
    """
    is_roused = False

    def retried(it: Booking) -> Change:
        nonlocal is_roused
        change = transitions.retry(it, now=now, by=by, reason=reason)
        is_roused = change.booking.doors != it.doors
        return change if is_roused else Change(it)

    ledger.record(seen, retried)
    return is_roused
