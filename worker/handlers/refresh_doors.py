"""Reads doors that have bookings to come, so that a change of their slots is noticed before a guest notices it.

No event tells of changed time slots (Seam docs), and the door itself can't. The readings are spread over the interval:
a building's doors, or a hundred thousand of them, never all at once.
"""

from datetime import timedelta

import structlog

from shared.clock import Clock
from shared.ledger.bookings import BookingLedger
from shared.ledger.due import DueSet, refresh_item
from worker.seam.doors import Doors
from worker.seam.errors import SeamError

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class RefreshDoors:
    """Plans the readings of one interval, and takes each. What is noticed is the business of `Doors`."""

    def __init__(self, *, ledger: BookingLedger, due: DueSet, doors: Doors, every: timedelta, clock: Clock) -> None:
        self._ledger = ledger
        self._due = due
        self._doors = doors
        self._every = every
        self._clock = clock

    def plan(self) -> None:
        """Give every door with bookings to come a time in the interval that begins now."""
        doors = self._ledger.doors_with_bookings()
        now = self._clock()
        self._due.add_missing(
            (refresh_item(device_id), now + self._every * number / len(doors)) for number, device_id in enumerate(doors)
        )

    def __call__(self, device_id: str) -> None:
        """Read one door. A reading that fails isn't repeated: the next interval brings another."""
        try:
            self._doors.read(device_id, fresh=True)
        except SeamError as error:
            log.warning("door.not_read", device_id=device_id, kind=type(error).__name__, error=str(error))
        self._due.set([(refresh_item(device_id), None)])
