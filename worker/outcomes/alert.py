"""Tells people of outcomes that a receiver didn't take for three days: one alert a receiver."""

from shared.clock import Clock
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import AlertNotice
from shared.ledger.alerts import AlertLedger
from shared.ledger.outcome_queues import OutcomeQueues


class NotTakenAlert:
    """Raises the alert with the first outcome that is given up, and resolves it when none is left."""

    def __init__(self, *, queues: OutcomeQueues, alerts: AlertLedger, clock: Clock) -> None:
        self._queues = queues
        self._alerts = alerts
        self._clock = clock

    def raise_alert(self, receiver: str) -> None:
        """Raise the alert; if it is open, its count grows."""
        self._alerts.record_notice(self._notice(receiver, raised=True))

    def resolve_if_over(self, receiver: str) -> None:
        """Resolve the alert if no outcome is left that this receiver didn't take."""
        alert = self._alerts.get(_key(receiver))
        if alert is None or not alert.is_open:
            return
        if receiver not in {queue.receiver for queue in self._queues.not_taken()}:
            self._alerts.record_notice(self._notice(receiver, raised=False))

    def _notice(self, receiver: str, *, raised: bool) -> AlertNotice:
        return alert_notice(
            Reason.OUTCOMES_NOT_TAKEN,
            key=_key(receiver),
            subject=f"Booking system {receiver}",
            at=self._clock(),
            raised=raised,
            look_closer="oracode outcomes list",
        )


def _key(receiver: str) -> str:
    return f"outcomes/{receiver}"
