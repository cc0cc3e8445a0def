"""Does what people ordered by a button: the same levers as in the command line. They bear being pulled twice."""

from functools import partial
from typing import Any, cast

import structlog
from redis import Redis

from shared.clock import Clock
from shared.contracts import OPS_STREAM
from shared.domain.alerting.alert import handled
from shared.ledger.alerts import AlertLedger
from shared.ledger.bookings import BookingLedger, UnknownBooking
from shared.ops_commands import COMMAND_FIELD, HANDLE, OpsCommand, command_from
from shared.streams import acknowledge
from worker.handlers.retry import try_again

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Obey:
    """The task behind `ops.obey`."""

    def __init__(self, *, redis: Redis, ledger: BookingLedger, alerts: AlertLedger, clock: Clock) -> None:
        self._redis = redis
        self._ledger = ledger
        self._alerts = alerts
        self._clock = clock

    def __call__(self, entry_id: str) -> None:
        """Do what the entry orders, then acknowledge it. What can't be read is logged and left behind."""
        found = cast(Any, self._redis.xrange(OPS_STREAM, min=entry_id, max=entry_id))
        if not found:
            return
        try:
            self._do(command_from(str(found[0][1].get(COMMAND_FIELD, ""))))
        except ValueError as error:
            log.warning("command.unreadable", entry_id=entry_id, error=str(error))
        acknowledge(self._redis, OPS_STREAM, [entry_id])

    def _do(self, command: OpsCommand) -> None:
        if command.action == HANDLE:
            alert = self._alerts.update(command.target, partial(handled, by=command.by))
            log.info("alert.handled", key=command.target, by=command.by, known=alert is not None)
        else:
            self._retry(command)

    def _retry(self, command: OpsCommand) -> None:
        try:
            before = self._ledger.get(command.target)
        except UnknownBooking:
            log.info("booking.unknown", booking_id=command.target)
            return
        is_roused = try_again(self._ledger, before, now=self._clock())
        log.info("booking.retried", booking_id=command.target, by=command.by, anything=is_roused)
