"""A door was changed (an installer, at last): whoever has no code of it yet is planned again at once."""

from functools import partial

import structlog

from shared.clock import Clock
from shared.domain import lifecycle
from shared.ledger.bookings import BookingLedger
from shared.ledger.due import DueSet, door_item

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class WakeDoor:
    """Makes every booking that has no code of a door yet due now."""

    def __init__(self, *, ledger: BookingLedger, due: DueSet, clock: Clock) -> None:
        self._ledger = ledger
        self._due = due
        self._clock = clock

    def __call__(self, device_id: str) -> None:
        """Wake the door's bookings that wait or are scheduled."""
        waiting = [
            (booking, door.key)
            for booking in self._ledger.of_door(device_id)
            for door in booking.doors
            if door.device_id == device_id and door.state in lifecycle.PLANNED_AGAIN
        ]
        log.info("door.changed", device_id=device_id, woken=len(waiting))
        now = self._clock()
        for booking, key in waiting:
            self._ledger.update(booking, partial(lifecycle.wakes, key=key, now=now))
        self._due.set((door_item(booking.booking_id, key), now) for booking, key in waiting)
