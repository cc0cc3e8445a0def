"""Hands over what a booking has to tell: outcomes to the booking system's stream, alerts to the alert ledger.

The notices were stored with the state that caused them. Each is handed over, then taken out of the outbox; a kill
between the two hands it over again, and both receivers drop the repeat.
"""

import json
from typing import Any

from shared.domain.lifecycle import told
from shared.domain.records import AlertNotice, Booking, Notice, OutcomeNotice
from shared.ledger.alerts import AlertLedger
from shared.ledger.bookings import BookingLedger
from shared.streams import OutcomeStream

_SOURCE = "/oracode-codes"


class Tell:
    """Empties outboxes, in order."""

    def __init__(self, *, ledger: BookingLedger, outcomes: OutcomeStream, alerts: AlertLedger) -> None:
        self._ledger = ledger
        self._outcomes = outcomes
        self._alerts = alerts

    def __call__(self, booking: Booking) -> Booking:
        """Hand over everything in the booking's outbox and return the booking without it."""
        notices = booking.outbox
        if not notices:
            return booking
        for notice in notices:
            self._hand_over(booking, notice)
        return self._ledger.update(booking, lambda it: told(it, notices))

    def _hand_over(self, booking: Booking, notice: Notice) -> None:
        match notice:
            case OutcomeNotice():
                event = cloud_event(booking.booking_id, notice)
                self._outcomes.publish(event["id"], json.dumps(event))
            case AlertNotice():
                self._alerts.tell(notice)


def cloud_event(booking_id: str, notice: OutcomeNotice) -> dict[str, Any]:
    """Return an outcome as a CloudEvents 1.0 object; its id names the booking and the place in its sequence."""
    return {
        "specversion": "1.0",
        "id": f"{booking_id}/{notice.sequence}",
        "source": _SOURCE,
        "type": notice.outcome,
        "subject": booking_id,
        "time": notice.at.isoformat(),
        "datacontenttype": "application/json",
        "data": notice.body,
    }
