"""Tells people of clocks that are far from the data server's: those of our machines, and the sender's of webhooks."""

from datetime import timedelta
from typing import Final

import structlog

from shared.clock import Clock
from shared.domain.alerting.clock_skew import clock_skew_notice
from shared.ledger.alerts import AlertLedger
from shared.ledger.clocks import ClockReading, ClockReadings

# Processes note theirs every few seconds: one without a reading for that long is gone, or can't reach the data server.
_LATELY: Final = timedelta(minutes=1)
# Webhooks may be rare.
_SENDER_LATELY: Final = timedelta(hours=1)
_FORGOTTEN_AFTER: Final = timedelta(hours=2)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class CheckClocks:
    """Compares what was noted with what was told. Idempotent; no clock but the data server's decides."""

    def __init__(self, *, readings: ClockReadings, alerts: AlertLedger, clock: Clock) -> None:
        self._readings = readings
        self._alerts = alerts
        self._clock = clock

    def __call__(self) -> None:
        """Raise an alert for each clock that is far off, resolve those of the others. Raises RedisError."""
        for reading in self._readings.latest():
            ahead = reading.ahead if is_current(reading) else timedelta()
            notice = clock_skew_notice(reading.name, ahead, is_of_sender=reading.is_of_sender, now=self._clock())
            if self._alerts.record_change(notice):
                log.warning("clock.changed", clock_of=reading.name, ahead=ahead.total_seconds())
            if reading.age > _FORGOTTEN_AFTER:
                self._readings.forget(reading.name)


def is_current(reading: ClockReading) -> bool:
    """Say whether a reading still tells how its clock stands."""
    return reading.age <= (_SENDER_LATELY if reading.is_of_sender else _LATELY)
