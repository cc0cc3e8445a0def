"""Compares a door's bookings with each other, and alerts where two guests have the door at the same time."""

from datetime import datetime

import structlog

from shared.clock import Clock
from shared.domain.alerting.door_conflicts import conflicts_of, next_check_out
from shared.domain.booking.record import Booking
from shared.ledger.alerts import AlertLedger
from shared.ledger.bookings import BookingLedger
from shared.ledger.door_conflicts import DoorConflicts
from shared.ledger.due_set import DueSet, conflicts_item

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class CheckConflicts:
    """The task behind `doors.check_conflicts`: prompted by a write of a booking, and due when a stay is over.

    Idempotent, and may run twice at once. A kill at any line leaves the door in the due-set.
    """

    def __init__(
        self,
        *,
        ledger: BookingLedger,
        alerts: AlertLedger,
        conflicts: DoorConflicts,
        due: DueSet,
        with_double_bookings: bool,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._alerts = alerts
        self._conflicts = conflicts
        self._due = due
        self._with_double_bookings = with_double_bookings
        self._clock = clock

    def __call__(self, device_id: str) -> None:
        """Raise the alert of each pair that is to be told, and resolve those that are over."""
        item = conflicts_item(device_id)
        seen = self._due.time_of(item)
        bookings, now = self._ledger.of_door(device_id), self._clock()
        found = conflicts_of(bookings, device_id, now, with_double_bookings=self._with_double_bookings)
        self._conflicts.add(device_id, (conflict.key for conflict in found))
        for conflict in found:
            self._alerts.tell_cause(conflict.cause)
        over = self._conflicts.open_for(device_id) - {conflict.key for conflict in found}
        for key in over:
            self._alerts.resolve(key)
        self._conflicts.remove(device_id, over)
        if found or over:
            log.info("door.conflicts_checked", device_id=device_id, open=len(found), resolved=len(over))
        ends = [conflict.over_at for conflict in found]
        self._rest(device_id, bookings, now, ends, seen)

    def _rest(self, device_id: str, bookings: list[Booking], now: datetime, ends: list[datetime], seen: str) -> None:
        """Come back when something told is over, or a stay; or at once, where a booking changed meanwhile."""
        check_out = next_check_out(bookings, device_id, now)
        again_at = min([*ends, *([check_out] if check_out is not None else [])], default=None)
        item = conflicts_item(device_id)
        if not self._due.finish(item, again_at, seen=seen):
            # The bookings may have been read before that change, and their alerts written after it.
            self._due.advance([item], self._clock())
