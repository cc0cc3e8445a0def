"""Ends an outage as soon as Seam answers: the doors that wait for Seam are due at once."""

from functools import partial
from typing import Final

import structlog

from shared.clock import Clock
from shared.domain.alerting.alert import Alert
from shared.domain.alerting.inhibition import PARENTS_BY_KEY
from shared.domain.booking import transitions
from shared.domain.versions import NewerVersionNeeded
from shared.ledger.alerts import AlertLedger
from shared.ledger.bookings import BookingLedger, UnknownBooking

# After a long outage there may be thousands: the rest is taken up the next time.
_MOST_AT_ONCE: Final = 500

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class EndOutage:
    """Called when Seam has just answered. Idempotent; a kill in between leaves doors to their own next try."""

    def __init__(self, *, ledger: BookingLedger, alerts: AlertLedger, clock: Clock) -> None:
        self._ledger = ledger
        self._alerts = alerts
        self._clock = clock

    def __call__(self) -> None:
        """Make all doors due now for which the open alert stands. A success closes it."""
        for key in PARENTS_BY_KEY:
            parent = self._alerts.get(key)
            if parent is None or not parent.is_open:
                continue
            members = self._alerts.get_many(self._alerts.groups.members(key)).values()
            children = [alert for alert in members if alert.is_open and alert.notice.booking_id]
            for child in children[:_MOST_AT_ONCE]:
                self._resume(child)
            log.info("seam.back", alert=key, doors=len(children))

    def _resume(self, child: Alert) -> None:
        booking_id, now = child.notice.booking_id, self._clock()
        try:
            booking = self._ledger.get(booking_id)
            for door in booking.doors:
                booking = self._ledger.record(booking, partial(transitions.resume, key=door.key, now=now))
        except (UnknownBooking, KeyError):
            log.info("door.gone", booking_id=booking_id)
        except NewerVersionNeeded as error:
            # The door's next try, in a process of that version, does the same later.
            log.info("booking.left_to_newer", booking_id=booking_id, reason=str(error))
