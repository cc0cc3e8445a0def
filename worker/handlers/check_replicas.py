"""Tells people where too few replicas are in step: nothing is accepted then, and no code is made."""

from collections.abc import Callable
from typing import Final

import structlog

from shared.clock import Clock
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.problem_catalogue import Reason
from shared.ledger.alerts import AlertLedger

_KEY: Final = f"data-server/{Reason.REPLICAS_MISSING}"
# Each try takes a second where they are missing. A failover leaves a primary alone for some.
_TRIES: Final = 10

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class CheckReplicas:
    """Asks, for ten seconds, whether a promise could be kept. Idempotent."""

    def __init__(
        self, *, are_there: Callable[[], bool], needed: int, alerts: AlertLedger, clock: Clock, tries: int = _TRIES
    ) -> None:
        self._are_there = are_there
        self._needed = needed
        self._alerts = alerts
        self._clock = clock
        self._tries = tries

    def __call__(self) -> None:
        """Raise the alert where they are missing all the while, resolve it where they aren't. Raises RedisError."""
        is_missing = not any(self._are_there() for _ in range(self._tries))
        notice = alert_notice(
            Reason.REPLICAS_MISSING,
            key=_KEY,
            subject="Replicas of the data server",
            at=self._clock(),
            raised=is_missing,
            detail=f"SYNC_REPLICAS asks for {self._needed}.",
            look_closer="oracode doctor",
        )
        if self._alerts.record_change(notice):
            log.warning("replicas.changed", missing=is_missing)
