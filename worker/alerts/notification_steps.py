"""What is stored around the sending of a notification: it is stored before that, and removed after it.

In between its alerts are read again; afterwards it is recorded in them.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

from shared.domain.alerting.alert import Alert
from shared.domain.alerting.notifications import (
    Group,
    Notification,
    View,
    priority_of,
    with_notification,
    without_notification,
)
from shared.ledger.alert_channels import ChannelBudgets
from shared.ledger.alerts import AlertLedger

ChangeMember = Callable[[Alert, int], Alert]
"""Takes an alert as it is now, and its sequence in the notification; returns the changed alert."""


def read_again(ledger: AlertLedger, view: View) -> View:
    """Return the group with its alerts as they are now, without those that have left it."""
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


def store_leased(
    ledger: AlertLedger,
    budgets: ChannelBudgets,
    view: View,
    stored: tuple[Group, int],
    notification: Notification,
    *,
    place: str,
) -> datetime | None:
    """Take the channel's budget for the notification and store it, leased; it is then to be sent.

    Return when to come again if the budget is used up; then nothing is stored. `place` is the notification's name in
    the channel's queue. Raises Conflict if the group has changed since `stored` was loaded.
    """
    state, version = stored
    priority = priority_of(notification, view.alerts)
    no_room_until = budgets.spend(notification.channel, view.now, name=place, priority=priority)
    if no_room_until is None:
        ledger.groups.save(view.group, with_notification(state, notification), version=version)
    return no_room_until


def record_and_remove(ledger: AlertLedger, view: View, notification: Notification, change: ChangeMember) -> View:
    """Change the notification's alerts, remove it from its group, and return the group as it is then.

    If a worker is killed in between, the notification is still there, and all of this is done again.
    """
    after = change_members(ledger, view, notification.members, change)
    ledger.groups.update(view.group, lambda it: without_notification(it, notification))
    return after
