"""Compares a door's bookings with each other, and alerts where two guests have the door at the same time."""

from datetime import datetime
from typing import Final

import structlog

from shared.clock import Clock
from shared.domain.alerting.door_conflicts import MOST_PAIRS, conflicts_of, next_check_out, still_in_conflict
from shared.domain.booking.record import Booking
from shared.ledger.alerts import AlertLedger
from shared.ledger.bookings import BookingLedger
from shared.ledger.door_conflicts import DoorConflicts
from shared.ledger.due_set import DueSet, conflicts_item

_GOES_ON: Final = (
    f"The door has more than {MOST_PAIRS} pairs like this one, and only the nearest have an alert. It gets one again"
    " once it is among them. `oracode bookings list --door {device_id}` has all bookings of the door."
)

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
        """Raise the alert of each pair that is to be told, and end the others.

        Those are resolved, or closed as not solved where nearer pairs take their place.
        """
        item = conflicts_item(device_id)
        seen = self._due.time_of(item)
        bookings, now = self._ledger.of_door(device_id), self._clock()
        found = conflicts_of(bookings, device_id, now, with_double_bookings=self._with_double_bookings)
        self._conflicts.add(device_id, (conflict.key for conflict in found))
        for conflict in found:
            self._alerts.record_cause(conflict.cause)
        over = self._conflicts.open_for(device_id) - {conflict.key for conflict in found}
        # A door has few pairs, mostly: then all of them were found, and what isn't among them is over.
        goes_on = self._still_in_conflict(over, bookings, device_id, now) if len(found) >= MOST_PAIRS else set()
        for key in over:
            if key in goes_on:
                self._alerts.supersede(key, goes_on_in=_GOES_ON.format(device_id=device_id))
            else:
                self._alerts.resolve(key)
        self._conflicts.remove(device_id, over)
        if found or over:
            resolved = len(over) - len(goes_on)
            log.info("door.conflicts_checked", device_id=device_id, open=len(found), resolved=resolved)
        ends = [conflict.over_at for conflict in found]
        self._rest(device_id, bookings, now, ends, seen)

    def _still_in_conflict(
        self, over: frozenset[str], bookings: list[Booking], device_id: str, now: datetime
    ) -> set[str]:
        with_double = self._with_double_bookings
        return still_in_conflict(over, bookings, device_id, now, with_double_bookings=with_double) if over else set()

    def _rest(self, device_id: str, bookings: list[Booking], now: datetime, ends: list[datetime], seen: str) -> None:
        """Come back when something told is over, or a stay; or at once, where a booking changed meanwhile."""
        check_out = next_check_out(bookings, device_id, now)
        again_at = min([*ends, *([check_out] if check_out is not None else [])], default=None)
        item = conflicts_item(device_id)
        if not self._due.finish(item, again_at, seen=seen):
            # The bookings may have been read before that change, and their alerts written after it.
            self._due.advance([item], self._clock())
