"""Alerts on parked messages, one alert a cause: compares the parked list with the open alerts."""

from typing import Final

import structlog

from shared.clock import Clock
from shared.domain.alerting.parked_messages import ParkedMessage, parked_causes
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.messages.hints import hints_of
from shared.ledger.alerts import AlertLedger
from shared.parked import ParkedEntry, ParkedList

_PROBLEMS: Final = (Reason.BOOKING_PARKED, Reason.MESSAGE_PARKED)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class TellParked:
    """Brings the alerts in line with the parked list. Idempotent."""

    def __init__(self, *, parked: ParkedList, alerts: AlertLedger, clock: Clock) -> None:
        self._parked = parked
        self._alerts = alerts
        self._clock = clock

    def __call__(self) -> None:
        """Raise an alert a cause, and resolve those whose messages are gone. Raises OfNewerVersion."""
        entries = list(self._parked.list())
        causes = parked_causes(map(_message_of, entries), self._clock())
        for cause in causes:
            self._alerts.tell_cause(cause)
        told = {cause.notice.key for cause in causes}
        over = [
            alert.key for alert in self._alerts.open() if alert.notice.problem in _PROBLEMS and alert.key not in told
        ]
        for key in over:
            self._alerts.resolve(key)
        if entries or over:
            log.info("parked.told", parked=len(entries), causes=len(causes), resolved=len(over))


def _message_of(entry: ParkedEntry) -> ParkedMessage:
    parked = entry.parked
    return ParkedMessage(
        parked_id=entry.parked_id,
        stream=parked.stream,
        problems=parked.problems or ("its problem is not known",),
        hints=hints_of(parked.message),
    )
