"""Inhibition of alerts that only repeat the alert of their door or account: they are recorded, but held back.

A booking may have a `code_problem` with an error that Seam repeats from the door or the account. It is inhibited while
an alert of that door or account tells the same error. Without such an alert it is told; also if that alert ends before
the booking's problem. The rules for an outage of Seam: `shared.domain.alerting.inhibition`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from shared.clock import Clock
from shared.domain.alerting.alert import Alert
from shared.domain.alerting.door_problems import key_of_inhibiting_alert
from shared.ledger.alerts import AlertLedger
from shared.ledger.door_issues import DoorIssues

# The process that ends the other alert wakes the alerts that it inhibited (`worker.handlers.door_problem_alerts`). If
# that process is killed in between, they are checked again after this time.
_LOOKED_AT_EVERY: Final = timedelta(minutes=10)


class Inhibition:
    """Says which alerts are inhibited, and by which."""

    def __init__(self, *, alerts: AlertLedger, issues: DoorIssues, clock: Clock) -> None:
        self._alerts = alerts
        self._issues = issues
        self._clock = clock

    def inhibitors(self, alerts: Iterable[Alert]) -> Mapping[str, str]:
        """Return the inhibited ones of these alerts, by key; the value is the key of the alert that inhibits it."""
        children = [alert for alert in alerts if alert.is_open and alert.notice.inherited and alert.notice.device_id]
        if not children:
            return {}
        known = self._issues.of_doors(alert.notice.device_id for alert in children)
        telling = {
            child.key: key_of_inhibiting_alert(
                known[child.notice.device_id], child.notice.device_id, child.notice.inherited
            )
            for child in children
            if child.notice.device_id in known
        }
        parents = self._alerts.get_many({key for key in telling.values() if key})
        return {child: parent for child, parent in telling.items() if parent in parents and parents[parent].is_open}

    def held_until(self, alerts: Iterable[Alert]) -> Mapping[str, datetime]:
        """Return the inhibited ones of these alerts, by key; the value is the time of the next check."""
        until = self._clock() + _LOOKED_AT_EVERY
        return dict.fromkeys(self.inhibitors(alerts), until)
