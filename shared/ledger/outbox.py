"""Publishes a booking's outbox: outcomes to the booking system's stream, alerts to the alert ledger."""

import json
from collections.abc import Callable

from shared.domain.booking.outcome import cloud_event
from shared.domain.booking.record import AlertNotice, Notice, OutcomeNotice
from shared.ledger.alerts import AlertLedger


class OutboxPublisher:
    """Publishes one notice at a time. A repeat does no harm: an outcome keeps its id, and an alert its key."""

    def __init__(
        self,
        *,
        publish_outcome: Callable[[str, str], object],
        alerts: AlertLedger,
        queue_outcome: Callable[[str, int, str], object],
    ) -> None:
        """Use `publish_outcome` to append a CloudEvent, as JSON, under its id.

        `queue_outcome` queues it for webhooks: booking_id, sequence, event. It has no default: without it the outbox
        would be emptied, and receivers of webhooks would never get the outcome.
        """
        self._publish_outcome = publish_outcome
        self._queue_outcome = queue_outcome
        self._alerts = alerts

    def publish(self, booking_id: str, notice: Notice) -> None:
        """Publish one notice of a booking. Idempotent. Raises RedisError, OSError, Conflict."""
        match notice:
            case OutcomeNotice():
                event = cloud_event(booking_id, notice)
                text = json.dumps(event)
                self._publish_outcome(event["id"], text)
                self._queue_outcome(booking_id, notice.sequence, text)
            case AlertNotice():
                self._alerts.record_notice(notice)
