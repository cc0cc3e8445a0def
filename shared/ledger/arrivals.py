"""Who arrives in the next hours, by the ledgers of bookings, alerts and door issues. Seam isn't asked."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.domain.alerting.arrivals import Arrival, arrivals_of, as_inside, is_inside_without_code
from shared.domain.alerting.door_gone import door_gone_key
from shared.domain.booking.record import Booking
from shared.ledger.alerts import AlertLedger
from shared.ledger.bookings import BookingLedger
from shared.ledger.door_issues import DoorIssues

# Guests may be late: shortly after check-in a guest may still be on the way to the door.
LOOK_BACK: Final = timedelta(hours=6)
_MOST_INSIDE: Final = 200
_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final = datetime(9999, 12, 1, tzinfo=UTC)
# So many bookings are looked at for the next arrival: a few first, because the first mostly is one.
_LOOKED_AT: Final = (10, 100, 400)


def arrivals_between(
    since: datetime, until: datetime, *, now: datetime, ledger: BookingLedger, alerts: AlertLedger, issues: DoorIssues
) -> list[Arrival]:
    """Return the arrivals from `since` to `until`, the nearest first, each with what is to be done now."""
    bookings = ledger.arriving(since, until)
    return _judged(bookings, since, until, now=now, alerts=alerts, issues=issues)


def next_arrival(
    after: datetime,
    *,
    is_wanted: Callable[[Arrival], bool],
    now: datetime,
    ledger: BookingLedger,
    alerts: AlertLedger,
    issues: DoorIssues,
) -> Arrival | None:
    """Return the first arrival after this moment that is wanted. None where the next 500 bookings have none."""
    offset = 0
    for most in _LOOKED_AT:
        bookings = ledger.arriving_after(after, offset=offset, most=most)
        found = _judged(bookings, after, _END, now=now, alerts=alerts, issues=issues)
        if wanted := next(filter(is_wanted, found), None):
            return wanted
        if not bookings:
            return None
        offset += most
    return None


def inside_without_code(
    since: datetime, *, now: datetime, ledger: BookingLedger, alerts: AlertLedger, issues: DoorIssues
) -> list[Arrival]:
    """Return the doors of guests who checked in before `since`, stay on, and have no code; the earliest first."""
    bookings = ledger.unfinished_since(since, most=_MOST_INSIDE)
    until = since - timedelta(microseconds=1)
    found = _judged(bookings, _EVER, until, now=now, alerts=alerts, issues=issues)
    stays = {booking.booking_id: booking for booking in bookings}
    return [as_inside(each) for each in found if is_inside_without_code(stays[each.booking_id], each, since, now)]


def _judged(
    bookings: list[Booking], since: datetime, until: datetime, *, now: datetime, alerts: AlertLedger, issues: DoorIssues
) -> list[Arrival]:
    device_ids = {door.device_id for booking in bookings for door in booking.doors}
    told = alerts.open_among(map(door_gone_key, device_ids))
    gone = {alert.notice.device_id for alert in told}
    return arrivals_of(bookings, since=since, until=until, gone=gone, known=issues.of_doors(device_ids), now=now)
