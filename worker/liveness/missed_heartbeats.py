"""Notices missed heartbeats, in a thread of the worker that needs no sweep.

When `beat` is dead nothing is swept, and no alert goes out. So this thread sweeps in its place until `beat` is started
again: then the alert of the missing sweeps goes out, and all else that is due.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from shared.clock import Clock
from shared.domain.alerting.missed_heartbeats import MISSED_HEARTBEATS, SWEEP, WEBHOOK, missed_heartbeat_notice
from shared.domain.code.webhook_gap import last_webhook_at
from shared.domain.versions import NewerVersionNeeded
from shared.ledger.alerts import AlertLedger
from shared.ledger.heartbeats import Heartbeats
from shared.ledger.processes import ProcessSigns
from shared.ledger.reconciliation import ReconciliationLedger
from shared.liveness.fleet import groups_of

_LOOK_EVERY: Final = timedelta(seconds=15)
# After a minute without a sweep this thread sweeps.
_SWEEP_AFTER: Final = timedelta(minutes=1)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class MissedHeartbeatWatch:
    """Compares beats with what is expected, and tells what changed."""

    def __init__(
        self,
        *,
        alerts: AlertLedger,
        beats: Heartbeats,
        signs: ProcessSigns,
        reconciliation: ReconciliationLedger,
        clock: Clock,
        sweep: Callable[[], object],
    ) -> None:
        self._alerts = alerts
        self._beats = beats
        self._signs = signs
        self._reconciliation = reconciliation
        self._clock = clock
        self._sweep = sweep
        self._was_blind = False

    def look(self) -> None:
        """Alert on heartbeats that are newly missed or back again; sweep where no other process does.

        Raises redis.RedisError, OSError; the first look after that judges nothing.
        """
        now = self._clock()
        try:
            beats = self._beats.last()
            beats |= self._last_signs(now, last_webhook_at(beats.get(WEBHOOK), self._reconciliation.load().gap))
        except (RedisError, OSError):
            self._was_blind = True
            raise
        if self._was_blind:
            # While the data server was away, nobody could note a heartbeat. They are judged at the next look.
            self._was_blind = False
            return
        for problem in MISSED_HEARTBEATS:
            try:
                self._compare(problem, beats, now)
            except NewerVersionNeeded as error:
                # A worker of that version misses it too.
                log.warning("heartbeat.left_to_newer", problem=problem, reason=str(error))
        last = beats.get(SWEEP)
        if last is not None and now - last > _SWEEP_AFTER:
            self._sweep()

    def _last_signs(self, now: datetime, webhook_at: datetime | None) -> dict[str, datetime]:
        """Return when a process of each name gave its last sign of life, as `process:` and the name.

        One of an older version gives none. It isn't missed, unless Seam's own list of events tells that webhooks don't
        come any more (`shared.domain.code.webhook_gap`).
        """
        groups = groups_of(self._signs.seen(), now, webhook_at=webhook_at)
        return {
            f"process:{it.process}": now if it.is_unknown else now - it.silent_for
            for it in groups
            if it.silent_for is not None
        }

    def _compare(self, problem: str, beats: Mapping[str, datetime], now: datetime) -> None:
        notice = missed_heartbeat_notice(problem, beats, now, silent_for=self._alerts.policy.silent_for.get(problem))
        if notice is not None and self._alerts.record_change(notice):
            log.warning("heartbeat.changed", problem=problem, missed=notice.raised)

    def run(self, stopping: threading.Event) -> None:
        """Look until told to stop; a look that fails is repeated."""
        while not stopping.wait(_LOOK_EVERY.total_seconds()):
            try:
                self.look()
            except (RedisError, OSError, OperationalError) as error:
                log.warning("heartbeats.unread", error=type(error).__name__)
            except Exception:
                # Any error: if this watch ended, nothing would be missed any more.
                log.exception("heartbeats.crashed")
