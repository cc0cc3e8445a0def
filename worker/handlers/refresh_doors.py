"""Reads doors that have bookings to come, so that a change of their slots is noticed before a guest notices it.

No event tells of changed time slots (Seam docs), and the door itself can't. The readings are spread over the interval:
a building's doors, or a hundred thousand of them, never all at once. No event tells of a door that is gone either: who
reads it notices, and tells.
"""

from dataclasses import replace
from datetime import timedelta

import structlog

from shared.clock import Clock
from shared.domain.door_gone import door_gone, door_gone_key
from shared.ledger.alerts import AlertLedger
from shared.ledger.bookings import BookingLedger
from shared.ledger.due import DueSet, refresh_item
from worker.seam.doors import Doors
from worker.seam.errors import NotFound, SeamError

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class RefreshDoors:
    """Plans the readings of one interval, and takes each. What is noticed is the business of `Doors`."""

    def __init__(
        self,
        *,
        ledger: BookingLedger,
        alerts: AlertLedger,
        due: DueSet,
        doors: Doors,
        every: timedelta,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._alerts = alerts
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
        was_told = self._is_told(device_id)
        try:
            self._doors.read(device_id, fresh=True)
        except NotFound as error:
            log.warning("door.gone", device_id=device_id, error=str(error))
            self._tell_gone(device_id, was_told=was_told)
        except SeamError as error:
            log.warning("door.not_read", device_id=device_id, kind=type(error).__name__, error=str(error))
        else:
            if was_told:
                self._resolve(device_id)
        # What was told must be taken back some day, also where no booking brings another reading.
        again_at = self._clock() + self._every if self._is_told(device_id) else None
        self._due.set([(refresh_item(device_id), again_at)])

    def _is_told(self, device_id: str) -> bool:
        alert = self._alerts.get(door_gone_key(device_id))
        return alert is not None and alert.is_open

    def _tell_gone(self, device_id: str, *, was_told: bool) -> None:
        notice = door_gone(device_id, self._ledger.of_door(device_id), self._clock(), was_told=was_told)
        if notice is not None:
            self._alerts.tell(notice)
        elif was_told:
            self._resolve(device_id)

    def _resolve(self, device_id: str) -> None:
        alert = self._alerts.get(door_gone_key(device_id))
        if alert is not None:
            self._alerts.tell(replace(alert.notice, at=self._clock(), raised=False))
