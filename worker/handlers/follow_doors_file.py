"""Follows DOORS_FILE: alerts on a broken file, and returns messages that waited for a new unit to their stream."""

from typing import Final

import structlog

from shared.clock import Clock
from shared.current_units import CurrentUnits
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.messages.parked_causes import unit_of
from shared.ledger.alerts import AlertLedger
from shared.ledger.due_set import DueSet, periodic_job_item
from shared.parked import ParkedList
from worker.parking import TELL_PARKED

_ALERT_KEY: Final = "settings/doors_file"

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class FollowDoorsFile:
    """Idempotent, and may run on several workers at once: a message goes back to its stream once."""

    def __init__(
        self, *, units: CurrentUnits, parked: ParkedList, alerts: AlertLedger, due: DueSet, clock: Clock
    ) -> None:
        self._units = units
        self._parked = parked
        self._alerts = alerts
        self._due = due
        self._clock = clock
        self._was_broken = False
        self._seen: object = None

    def __call__(self) -> None:
        """Compare the file with what is told, and with what is parked for want of a unit. Raises NewerVersionNeeded."""
        self._tell(self._units.problem)
        units = self._units.current()
        # A worker that read the file earlier may park a message after the unit was added.
        if (units, *self._parked.mark()) != self._seen:
            self._replay()
            self._seen = (units, *self._parked.mark())

    def _tell(self, problem: str) -> None:
        # The file may just be being written, so people are told when it was broken twice in a row.
        is_told, self._was_broken = bool(problem) and self._was_broken, bool(problem)
        if is_told:
            before = self._alerts.get(_ALERT_KEY)
            notice = alert_notice(
                Reason.DOORS_FILE_BROKEN,
                key=_ALERT_KEY,
                subject="DOORS_FILE",
                at=self._clock(),
                detail=problem,
                look_closer="oracode doors check",
            )
            if before is None or not before.is_open or before.notice.happened != notice.happened:
                self._alerts.record_notice(notice)
        elif not problem:
            # Nothing happens where it is not open.
            self._alerts.resolve(_ALERT_KEY)

    def _replay(self) -> None:
        replayed = 0
        for entry in self._parked.list():
            unit = unit_of(entry.parked.problems)
            if unit is not None and unit in self._units:
                replayed += self._parked.replay(entry)
        if replayed:
            log.info("parked.replayed", count=replayed)
            self._due.advance([periodic_job_item(TELL_PARKED)], self._clock())
