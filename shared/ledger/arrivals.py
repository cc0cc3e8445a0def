"""Who arrives in the next hours, by what the ledgers know of bookings, alerts and doors. Seam isn't asked."""

from datetime import datetime, timedelta
from typing import Final

from shared.domain.alerting.arrivals import Arrival, arrivals_of
from shared.domain.alerting.door_gone import door_gone_key
from shared.ledger.alerts import AlertLedger
from shared.ledger.bookings import BookingLedger
from shared.ledger.door_issues import DoorIssues

# Guests may be late: one who should have checked in just now may stand before the door.
LOOK_BACK: Final = timedelta(hours=6)


def arrivals_between(
    since: datetime, until: datetime, *, now: datetime, ledger: BookingLedger, alerts: AlertLedger, issues: DoorIssues
) -> list[Arrival]:
    """Return the arrivals of this time, the nearest first, with what is to be done now."""
    bookings = ledger.arriving(since, until)
    device_ids = {door.device_id for booking in bookings for door in booking.doors}
    told = alerts.get_many(map(door_gone_key, device_ids))
    gone = {alert.notice.device_id for alert in told.values() if alert.is_open}
    return arrivals_of(bookings, since=since, until=until, gone=gone, known=issues.of_doors(device_ids), now=now)
