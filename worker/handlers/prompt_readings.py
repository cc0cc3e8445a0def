"""Prompts readings of doors and connected accounts beside the interval: for their events, and for signs of trouble.

An event prompts a reading, and never more than that. An event of a door without bookings to come prompts nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

import structlog

from shared.domain.alerting.door_problems import issues_for_account_alert, key_of_inhibiting_alert
from shared.domain.code.event_types import EventMeaning, Subject, meaning_of, subject_of
from shared.domain.door.door import Door
from shared.ledger.bookings import BookingLedger
from shared.ledger.door_issues import DoorIssues
from shared.ledger.due_set import account_item, refresh_item
from shared.ledger.prompted_readings import PromptedReadings

# The doors of one account are read at this pace, so that one event of a large account is no burst of calls.
_DOORS_A_SECOND: Final = 10

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class PromptReadings:
    """Turns them into places in the due-set. Idempotent."""

    def __init__(self, *, ledger: BookingLedger, issues: DoorIssues, readings: PromptedReadings) -> None:
        self._ledger = ledger
        self._issues = issues
        self._readings = readings

    def of_troubled(self, door: Door) -> None:
        """Prompt a reading of a door that was found in trouble, or well again: that reading tells people."""
        items = [refresh_item(door.device_id)]
        if door.connected_account_id and issues_for_account_alert(door.issues):
            items.append(account_item(door.connected_account_id))
        self._readings.prompt(items)

    def of_inherited(self, device_id: str, code: str) -> None:
        """Prompt a reading of a door whose access code repeats an error of it, unless that is known already."""
        known = self._issues.of_doors([device_id]).get(device_id)
        if known is None or not key_of_inhibiting_alert(known, device_id, code):
            self._readings.prompt([refresh_item(device_id)])

    def of_events(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Prompt a reading of each door and account that these events are about, once for all events of the batch."""
        doors: dict[str, None] = {}
        accounts: dict[str, None] = {}
        for event in events:
            event_type = event["event_type"]
            meaning, subject = meaning_of(event_type), subject_of(event_type)
            log.info(
                "event.heard",
                event_id=event["event_id"],
                event_type=event_type,
                meaning=meaning.name.lower(),
                about=event.get(subject.id_field) if subject else None,
            )
            if meaning is not EventMeaning.RECORD_ONLY:
                match subject:
                    case Subject.DOOR:
                        doors[event["device_id"]] = None
                    case Subject.ACCOUNT:
                        accounts[event["connected_account_id"]] = None
                    case Subject.CODE | None:
                        pass
        self._readings.prompt(map(refresh_item, self._ledger.having_bookings(doors)))
        for account_id in accounts:
            of_account = self._ledger.having_bookings(self._issues.doors_of_account(account_id))
            if of_account:
                self._readings.prompt([account_item(account_id)])
                within = timedelta(seconds=len(of_account) / _DOORS_A_SECOND)
                self._readings.prompt(map(refresh_item, of_account), within=within)
