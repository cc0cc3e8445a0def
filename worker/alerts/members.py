"""The alerts of a group: reads them again, and changes them after a notification was sent or given up."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from shared.domain.alerting.alert import Alert
from shared.domain.alerting.notifications import Notification, View, without_notification
from shared.ledger.alerts import AlertLedger

ChangeMember = Callable[[Alert, int], Alert]
"""Takes an alert as it is now, and its sequence in the notification; returns the changed alert."""


def refreshed(ledger: AlertLedger, view: View) -> View:
    """Return the group with its alerts as they are now; those that have left it are missing."""
    alerts = {key: alert for key, alert in ledger.get_many(view.alerts).items() if alert.group == view.group}
    return replace(view, alerts=alerts)


def change_members(ledger: AlertLedger, view: View, members: Mapping[str, int], change: ChangeMember) -> View:
    """Change these alerts, each atomically, and return the group with the changed alerts."""
    alerts = dict(view.alerts)
    for key, number in members.items():
        after = ledger.update(key, partial(_changed, change=change, number=number))
        if after is not None:
            alerts[key] = after
    return replace(view, alerts=alerts)


def _changed(it: Alert, *, change: ChangeMember, number: int) -> Alert:
    return change(it, number)


def finish(ledger: AlertLedger, view: View, notification: Notification, change: ChangeMember) -> View:
    """Change the notification's alerts, remove it from its group, and return the group as it is then.

    If a worker is killed in between, the notification is still there, and all of this is done again.
    """
    after = change_members(ledger, view, notification.members, change)
    ledger.groups.update(view.group, lambda it: without_notification(it, notification))
    return after
