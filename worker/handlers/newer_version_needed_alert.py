"""Tells people where work waits for a newer version that nobody runs: after a roll back, or a roll-out that stopped."""

from typing import Final

import structlog

from shared.clock import Clock
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.problem_catalogue import Reason
from shared.ledger.alerts import AlertLedger
from shared.ledger.work_for_newer_version import WorkForNewerVersion

_PROBLEM: Final = "newer_version_needed"
_KEY: Final = f"versions/{_PROBLEM}"

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class NewerVersionNeededAlert:
    """Compares what is stuck with what was told. Idempotent."""

    def __init__(self, *, work: WorkForNewerVersion, alerts: AlertLedger, clock: Clock) -> None:
        self._work = work
        self._alerts = alerts
        self._clock = clock

    def __call__(self) -> None:
        """Raise the alert where something is stuck, resolve it where nothing is any more."""
        stuck = self._work.stuck()
        notice = alert_notice(
            Reason.NEWER_VERSION_NEEDED,
            key=_KEY,
            subject="Versions",
            at=self._clock(),
            raised=bool(stuck.count),
            look_closer="oracode doctor",
        )
        if self._alerts.record_change(notice):
            log.warning("left.changed", stuck=stuck.count)
