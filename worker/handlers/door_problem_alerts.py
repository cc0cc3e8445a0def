"""Raises and resolves the alerts of doors and accounts by what Seam says of them, with the bookings that are affected.

What an issue means: `shared.domain.seam_issues`. What people are told: `shared.domain.alerting.door_problems`.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from shared.clock import Clock
from shared.domain.alerting.affected_bookings import AffectedDoor, affected_doors
from shared.domain.alerting.causes import Cause
from shared.domain.alerting.door_gone import door_gone_cause, door_gone_key
from shared.domain.alerting.door_problems import (
    account_problem_cause,
    account_problem_key,
    door_problem_cause,
    door_problem_key,
    is_removed,
    issues_for_account_alert,
    issues_for_door_alert,
)
from shared.domain.booking.notices import alert_key
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.door.door import Door
from shared.domain.door.issues import REMOVED, merge_issues
from shared.ledger.alerts import AlertLedger
from shared.ledger.bookings import BookingLedger
from shared.ledger.door_issues import DoorIssues
from shared.ledger.due_set import DueSet, door_item

# When the door's alert is over, a look at each of its codes is prompted. It comes before the codes' own alerts are
# told.
_LOOK_FIRST: Final = timedelta(seconds=30)
# The problem of a booking that an alert of its door or account may inhibit.
_INHIBITED: Final = Reason.CODE_PROBLEM
# Why the problem of a door is over.
_REMOVED: Final = "The door was removed at Seam, which is an alert of its own."

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class DoorProblemAlerts:
    """Compares what is told of a door or an account with what should be. Idempotent; may be called at any time."""

    def __init__(
        self, *, ledger: BookingLedger, alerts: AlertLedger, issues: DoorIssues, due: DueSet, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._alerts = alerts
        self._issues = issues
        self._due = due
        self._clock = clock

    def is_told_of_door(self, device_id: str) -> bool:
        """Say whether an alert of the door is open."""
        alerts = self._alerts.get_many((door_gone_key(device_id), door_problem_key(device_id)))
        return any(alert.is_open for alert in alerts.values())

    def is_told_of_account(self, account_id: str) -> bool:
        """Say whether the account's alert is open."""
        alert = self._alerts.get(account_problem_key(account_id))
        return alert is not None and alert.is_open

    def of_door(self, door: Door) -> None:
        """Tell of a door as it was read just now."""
        gone_key, problem_key = door_gone_key(door.device_id), door_problem_key(door.device_id)
        told = {key for key, alert in self._alerts.get_many((gone_key, problem_key)).items() if alert.is_open}
        own = issues_for_door_alert(door.issues, door.connected_account_id)
        removed = is_removed(door.issues)
        if not (told or own or removed):
            return
        bookings, now = self._ledger.of_door(door.device_id), self._clock()
        affected = affected_doors(bookings, {door.device_id}, now)
        gone = None
        if removed:
            detail = " ".join(f"{issue.text}." for issue in door.issues if issue.code == REMOVED)
            gone = door_gone_cause(door.device_id, bookings, now, was_told=gone_key in told, detail=detail)
        self._tell(gone_key, gone, affected)
        problem = door_problem_cause(door.device_id, door.name, own, bookings, now)
        self._tell(problem_key, problem, affected, solved=_REMOVED if gone else "")

    def of_missing_door(self, device_id: str) -> None:
        """Tell of a door that Seam answers 404 for."""
        bookings, now = self._ledger.of_door(device_id), self._clock()
        key = door_gone_key(device_id)
        before = self._alerts.get(key)
        told = before.notice if before is not None and before.is_open else None
        cause = door_gone_cause(device_id, bookings, now, was_told=told is not None)
        if cause is not None and told is not None:
            # Seam may have listed the door as removed before it answered 404: the same problem in other words is no
            # news.
            cause = replace(cause, notice=replace(cause.notice, happened=told.happened))
        affected = affected_doors(bookings, {device_id}, now)
        self._tell(key, cause, affected)
        self._tell(door_problem_key(device_id), None, affected, solved=_REMOVED)

    def of_account(self, account_id: str) -> bool:
        """Tell of an account as it is known now; say whether there are stays to come on its doors."""
        known = self._issues.of_doors(self._ledger.having_bookings(self._issues.doors_of_account(account_id)))
        doors = {device_id: each for device_id, each in known.items() if each.account_id == account_id}
        account = self._issues.of_accounts([account_id]).get(account_id)
        issues = list(account.issues) if account is not None else []
        if account is None or account.unreadable:
            # What Seam doesn't show of the account, its doors repeat: the errors alone.
            issues += [issue for each in doors.values() for issue in each.of_door if issue.is_of_account]
        told = issues_for_account_alert(merge_issues(issues))
        if told or self.is_told_of_account(account_id):
            bookings, now = self._ledger.of_doors(doors), self._clock()
            cause = account_problem_cause(account_id, told, doors.keys(), bookings, now)
            self._tell(account_problem_key(account_id), cause, affected_doors(bookings, doors, now))
        return bool(doors)

    def _tell(self, key: str, cause: Cause | None, affected: Sequence[AffectedDoor], *, solved: str = "") -> None:
        """Raise the alert, or resolve it by what is `solved`."""
        before = self._alerts.get(key)
        if cause is not None:
            after = self._alerts.record_cause(cause)
        elif before is not None and before.is_open:
            after = self._alerts.resolve(key, solved=solved)
        else:
            return
        if before is not None and before.is_open and (after is None or after.sequence != before.sequence):
            log.info("door.trouble_changed", alert=key, is_open=after is not None and after.is_open)
            self._look_at_codes(affected)

    def _look_at_codes(self, affected: Sequence[AffectedDoor]) -> None:
        """Have the codes read that repeat an error of their door: what inhibits their alerts has changed."""
        keys = {alert_key(each.booking_id, _INHIBITED, each.door.key): each for each in affected if each.door.inherited}
        alerts = [alert for alert in self._alerts.get_many(keys).values() if alert.is_open]
        now = self._clock()
        self._due.advance((door_item(keys[alert.key].booking_id, keys[alert.key].door.key) for alert in alerts), now)
        self._alerts.wake({alert.group for alert in alerts}, now + _LOOK_FIRST)
