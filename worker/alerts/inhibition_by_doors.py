"""Alerts that only repeat what the alert of their door or account tells: they are recorded, and held back.

A booking's `code_problem` with an error that Seam repeats from the door or the account is inhibited while an alert of
the door or the account tells that error. It is told by itself where none does, or once that alert is over and the
booking's problem isn't. While Seam is away other rules hold: `shared.domain.alerting.inhibition`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from shared.clock import Clock
from shared.domain.alerting.alert import Alert
from shared.domain.alerting.door_problems import telling_key
from shared.ledger.alerts import AlertLedger
from shared.ledger.door_issues import DoorIssues

# The process that ends the other alert wakes those that it held back (`worker.handlers.door_problem_alerts`). If that
# process is killed in between, they are looked at again after this time.
_LOOKED_AT_EVERY: Final = timedelta(minutes=10)


class Inhibition:
    """Says which alerts are inhibited, and by which."""

    def __init__(self, *, alerts: AlertLedger, issues: DoorIssues, clock: Clock) -> None:
        self._alerts = alerts
        self._issues = issues
        self._clock = clock

    def inhibitors(self, alerts: Iterable[Alert]) -> Mapping[str, str]:
        """Return, for those of the alerts that are inhibited, the key of the alert that tells of them."""
        children = [alert for alert in alerts if alert.is_open and alert.notice.inherited and alert.notice.device_id]
        if not children:
            return {}
        known = self._issues.of_doors(alert.notice.device_id for alert in children)
        telling = {
            child.key: telling_key(known[child.notice.device_id], child.notice.device_id, child.notice.inherited)
            for child in children
            if child.notice.device_id in known
        }
        parents = self._alerts.get_many({key for key in telling.values() if key})
        return {child: parent for child, parent in telling.items() if parent in parents and parents[parent].is_open}

    def held_until(self, alerts: Iterable[Alert]) -> Mapping[str, datetime]:
        """Return, for those of the alerts that are inhibited, until when they are held back before the next look."""
        until = self._clock() + _LOOKED_AT_EVERY
        return dict.fromkeys(self.inhibitors(alerts), until)
