"""Reads doors that have bookings to come, so that a change of their slots is noticed before a guest notices it.

No event tells of changed time slots (Seam docs), and the door itself can't. The readings are spread over the interval:
a building's doors, or a hundred thousand of them, never all at once. Only where one door is found changed the others
are read soon: whoever changed one was hardly done with it, and people should hear of the whole, not of single doors. No
event tells of a door that is gone either: who reads it notices, and tells.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from shared.clock import Clock
from shared.domain.door_gone import door_gone, door_gone_key
from shared.domain.doors import Door
from shared.ledger.alerts import AlertLedger
from shared.ledger.beats import Beats
from shared.ledger.bookings import BookingLedger
from shared.ledger.due import DueSet, refresh_item
from worker.seam.doors import Doors
from worker.seam.errors import NoSuchDevice, SeamError

# So few doors can all be read within this time; of more it isn't known which are in the same building.
_MOST_HURRIED: Final = 200
_HURRIED_WITHIN: Final = timedelta(seconds=15)
# The others of a building change with the first: they must not each bring all forward again.
_HURRIED_EVERY: Final = timedelta(minutes=5)

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
        except NoSuchDevice as error:
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


class HurryDoors:
    """Brings the readings of all other doors forward when one has changed, where they are few enough."""

    def __init__(self, *, ledger: BookingLedger, due: DueSet, beats: Beats, clock: Clock) -> None:
        self._ledger = ledger
        self._due = due
        self._beats = beats
        self._clock = clock

    def __call__(self, door: Door) -> None:
        """Plan the readings. Once in a while only; a kill in between leaves the others to their own turns."""
        others = [device_id for device_id in self._ledger.doors_with_bookings() if device_id != door.device_id]
        now = self._clock()
        if not 0 < len(others) < _MOST_HURRIED:
            return
        if self._beats.take_turn("hurry-doors", now, every=_HURRIED_EVERY):
            for number, device_id in enumerate(others, start=1):
                self._due.advance([refresh_item(device_id)], now + _HURRIED_WITHIN * number / len(others))
            log.info("doors.hurried", device_id=door.device_id, count=len(others))
