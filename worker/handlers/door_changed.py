"""What a change of a door's time slots means for its bookings.

A booking without a code of the door is planned again at once. For one with a code, people are told if its slot is gone.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial

import structlog

from shared.clock import Clock
from shared.domain.booking import transitions
from shared.domain.booking.record import BookedDoor, Booking, State
from shared.domain.door.door import Door
from shared.ledger.bookings import BookingLedger

_HAVE_CODES = (State.ISSUED, State.READY)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class DoorChanged:
    """Makes every booking that has no code of a door yet due now, and compares the codes of the others with it."""

    def __init__(
        self,
        *,
        ledger: BookingLedger,
        drift_of: Callable[[Booking, BookedDoor, Door], str],
        clock: Clock,
    ) -> None:
        """Use `drift_of` to say in words how a door no longer fits a code; empty where it does."""
        self._ledger = ledger
        self._drift_of = drift_of
        self._clock = clock

    def __call__(self, door: Door) -> None:
        """Go through the door's bookings. Idempotent; a kill in between is made up for by each booking's own looks."""
        now = self._clock()
        woken = 0
        for booking in self._ledger.of_door(door.device_id):
            for booked in booking.doors:
                if booked.device_id != door.device_id:
                    continue
                if booked.state in transitions.WITHOUT_A_CODE:
                    self._ledger.record(booking, partial(transitions.wake, key=booked.key, now=now))
                    woken += 1
                elif booked.state in _HAVE_CODES and booked.wanted and not booking.cancelled:
                    self._compare(booking, booked, door, now)
        log.info("door.changed", device_id=door.device_id, woken=woken)

    def _compare(self, booking: Booking, booked: BookedDoor, door: Door, now: datetime) -> None:
        drift = self._drift_of(booking, booked, door)
        if drift != booked.drift:
            self._ledger.record(booking, partial(transitions.record_drift, key=booked.key, drift=drift, now=now))
