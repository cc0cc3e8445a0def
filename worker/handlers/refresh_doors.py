"""Reads doors that have bookings to come, so that a change of their slots is noticed before a guest notices it.

No event tells of changed time slots (Seam docs). The readings are spread over the interval: a building's doors, or a
hundred thousand of them, never all at once. Where one door is found changed, the others are read soon: an installer
often changes several, and people should hear of all of them together. Events of a door prompt a reading too
(`worker.handlers.prompt_readings`). Each reading compares the door's issues, or that it is gone, with what people are
told.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

import structlog

from shared.clock import Clock
from shared.domain.door.door import Door
from shared.domain.door.issues import Issue
from shared.domain.seam_issues import IssueKind
from shared.ledger.bookings import BookingLedger
from shared.ledger.door_issues import DoorIssues
from shared.ledger.due_set import DueSet, account_item, conflicts_item, refresh_item
from shared.ledger.heartbeats import Heartbeats
from shared.ledger.prompted_readings import PromptedReadings
from shared.seam.doors import Doors
from shared.seam.errors import NoSuchDevice, SeamError
from worker.handlers.door_problem_alerts import DoorProblemAlerts

# So few doors can all be read within this time. Of more it isn't known which are in the same building.
_MOST_HURRIED: Final = 200
_HURRIED_WITHIN: Final = timedelta(seconds=15)
# The others of a building change with the first: they must not each bring all forward again.
_HURRIED_EVERY: Final = timedelta(minutes=5)
# A reading that was prompted and failed: Seam may be away for a moment.
_TRIED_AGAIN_AFTER: Final = timedelta(minutes=1)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class RefreshDoors:
    """Plans the readings of one interval, and takes each. A change of the slots is the business of `Doors`."""

    def __init__(
        self,
        *,
        ledger: BookingLedger,
        due: DueSet,
        doors: Doors,
        issues: DoorIssues,
        readings: PromptedReadings,
        troubles: DoorProblemAlerts,
        every: timedelta,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._due = due
        self._doors = doors
        self._issues = issues
        self._readings = readings
        self._troubles = troubles
        self._every = every
        self._clock = clock

    def plan(self) -> None:
        """Give every door with bookings to come a time in the interval that begins now."""
        doors = self._ledger.doors_with_bookings()
        now = self._clock()
        self._due.add_missing(
            (refresh_item(device_id), now + self._every * number / len(doors)) for number, device_id in enumerate(doors)
        )
        # The place is there as long as there is anything to compare, unless an older version wrote the bookings.
        self._due.add_missing(
            (conflicts_item(device_id), now + self._every * number / len(doors))
            for number, device_id in enumerate(doors)
        )

    def __call__(self, device_id: str) -> None:
        """Read one door. A reading that fails is repeated soon where something prompted it; else the next interval is.

        Idempotent; a kill leaves the door in the due-set.
        """
        item = refresh_item(device_id)
        prompts = self._readings.begin(item)
        is_read = self._read(device_id)
        again_at = None
        if not is_read and prompts:
            again_at = self._clock() + _TRIED_AGAIN_AFTER
        elif self._troubles.is_told_of_door(device_id):
            # An alert of the door must be resolved some day, also where no booking brings another reading.
            again_at = self._clock() + self._every
        self._readings.reschedule(item, again_at, begun=prompts)

    def _read(self, device_id: str) -> bool:
        """Read the door and compare; say whether Seam answered."""
        try:
            door = self._doors.refresh(device_id)
        except NoSuchDevice as error:
            log.warning("door.gone", device_id=device_id, error=str(error))
            self._troubles.of_missing_door(device_id)
        except SeamError as error:
            log.warning("door.not_read", device_id=device_id, kind=type(error).__name__, error=str(error))
            return False
        else:
            self._troubles.of_door(door)
            self._consider_account(door)
        return True

    def _consider_account(self, door: Door) -> None:
        """Have the door's account read: once in each interval, and at once where the door says other things of it."""
        account_id = door.connected_account_id
        if not account_id:
            return
        item = account_item(account_id)
        known = self._issues.of_accounts([account_id]).get(account_id)
        if known is None or _errors(known.issues) != _errors(door.issues):
            self._readings.prompt([item])
        elif known.unreadable and self._troubles.is_told_of_account(account_id):
            # Its doors alone tell of its errors, and so that they are gone.
            self._readings.prompt([item])
        else:
            self._due.add_missing([(item, self._clock())])


def _errors(issues: Iterable[Issue]) -> set[str]:
    """Return the codes of the account's errors, which Seam repeats at its doors; warnings are not repeated."""
    return {issue.code for issue in issues if issue.is_of_account and issue.kind is IssueKind.DOOR_ERROR}


class ReadDoorsSooner:
    """Reads all other doors sooner if one has changed, unless they are too many."""

    def __init__(self, *, ledger: BookingLedger, due: DueSet, beats: Heartbeats, clock: Clock) -> None:
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
