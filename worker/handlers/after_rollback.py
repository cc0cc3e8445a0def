"""After a failover that may have lost writes, or a restored backup: tells people, and looks at Seam.

It looks when the calls of lost intents must have ended.
"""

from datetime import timedelta
from typing import Final

import structlog

from shared.clock import Clock
from shared.contracts import is_id
from shared.domain.alerting.rolled_back import KEY, TOLD_FOR, FoundAtSeam, StrayCode, rolled_back_notice
from shared.ledger.alerts import AlertLedger
from shared.ledger.bookings import BookingLedger
from shared.ledger.due_set import DueSet, periodic_job_item
from shared.ledger.rollback import LedgerPrimary, Rollback
from shared.seam.events import Events
from worker.handlers.compare_ledger import CompareLedger, Kind

_CREATED: Final = "access_code.created"
_RECONCILE: Final = "reconcile"

# Between the clocks of the data server and of Seam.
_MARGIN: Final = timedelta(minutes=1)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class AfterRollback:
    """Run every few seconds. Idempotent; what is cut off is done again."""

    def __init__(
        self,
        *,
        primary: LedgerPrimary,
        ledger: BookingLedger,
        compare: CompareLedger,
        events: Events,
        alerts: AlertLedger,
        due: DueSet,
        near: timedelta,
        loses_promises: bool,
        clock: Clock,
    ) -> None:
        """Look at doors to which somebody comes within `near`, and at those for which Seam says a code was made.

        `loses_promises`: what is promised to somebody needn't be on a replica first (SYNC_REPLICAS is 0), so people are
        told of each rollback; else only where something is known to be missing, or codes without a booking are found.
        """
        self._primary = primary
        self._ledger = ledger
        self._compare = compare
        self._events = events
        self._alerts = alerts
        self._due = due
        self._near = near
        self._loses_promises = loses_promises
        self._clock = clock

    def __call__(self) -> None:
        """Do what is left to do after the last rollback. Raises SeamError; then all of the look is done again."""
        state = self._primary.note()
        rollback = state.rollback
        if rollback is None:
            return
        if rollback.is_done:
            self._close(rollback)
            return
        if state.pause:
            self._tell(rollback, None)
            return
        found = self._look(rollback)
        self._tell(rollback, found)
        # What webhooks brought in that time is fetched from Seam's own list.
        self._due.advance([periodic_job_item(_RECONCILE)], self._clock())
        self._primary.finish(rollback)
        log.warning(
            "rollback.looked_at",
            since=rollback.since.isoformat(),
            until=rollback.noticed_at.isoformat(),
            taken_over=found.taken_over,
            strays=len(found.strays),
        )

    def _look(self, rollback: Rollback) -> FoundAtSeam:
        """Compare the doors; what the worker can take over is made due. Raises SeamError."""
        now = self._clock()
        created = {
            str(event["access_code_id"]): str(event["device_id"])
            for event in self._events.ours(rollback.since - _MARGIN, now)
            if event["event_type"] == _CREATED and is_id(event.get("access_code_id")) and is_id(event.get("device_id"))
        }
        near = self._ledger.arriving(now - timedelta(days=1), now + self._near)
        doors = dict.fromkeys([*(door.device_id for booking in near for door in booking.doors), *created.values()])
        differences = self._compare.of_doors(doors).differences
        unknown = {each.access_code_id for each in differences if each.kind is Kind.NO_BOOKING}
        return FoundAtSeam(
            taken_over=sum(each.kind is Kind.NOT_RECORDED for each in differences),
            strays=[StrayCode(*code) for code in reversed(created.items()) if code[0] in unknown],
        )

    def _tell(self, rollback: Rollback, found: FoundAtSeam | None) -> None:
        notice = rolled_back_notice(
            rollback.since,
            rollback.noticed_at,
            is_certain=rollback.is_certain,
            found=found,
            now=self._clock(),
            is_restore=rollback.is_restore,
        )
        known = self._alerts.get(KEY)
        if not (self._loses_promises or rollback.is_certain or (found and found.strays)):
            return
        if known is None or not known.is_open or known.notice.happened != notice.happened:
            self._alerts.record_notice(notice)

    def _close(self, rollback: Rollback) -> None:
        if self._clock() >= rollback.noticed_at + TOLD_FOR:
            known = self._alerts.get(KEY)
            if known is not None and known.is_open:
                self._alerts.resolve(KEY)
