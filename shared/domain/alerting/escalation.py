"""Escalation: an open alert gets more severe as check-in nears, and is told again at growing intervals.

New members of a known cause are told with its next notification, or after a pause that grows, too.

The time of the next change is in the due-set: nothing polls, and nothing is lost if a process dies.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from shared.domain.alerting.alert import Alert, add_reminder, announce_new_members, raise_severity
from shared.domain.alerting.inhibition import parent_of
from shared.domain.alerting.timing_policy import AlertPolicy


def reminder_at(alert: Alert, policy: AlertPolicy) -> datetime | None:
    """Return when the next reminder is due: counted from the last news, unless somebody handles it."""
    if not alert.is_open or alert.handled_by or parent_of(alert.notice):
        return None
    pause = policy.pause(alert.severity, alert.reminders)
    return alert.news_at + pause if pause else None


def newcomers_due_at(alert: Alert, policy: AlertPolicy) -> datetime | None:
    """Return when newcomers are told: also if somebody handles the cause, because that person doesn't know of them."""
    if not alert.is_open or not alert.newcomers or parent_of(alert.notice):
        return None
    return alert.news_at + policy.newcomer_pause(alert.severity, alert.joins)


def next_change_at(alert: Alert, policy: AlertPolicy, now: datetime) -> datetime | None:
    """Return when the alert next changes by time alone; None if it doesn't."""
    if not alert.is_open or parent_of(alert.notice):
        return None
    moments = (reminder_at(alert, policy), newcomers_due_at(alert, policy), policy.changes_at(alert.notice, now))
    return min((moment for moment in moments if moment is not None), default=None)


def escalate(alert: Alert, policy: AlertPolicy, now: datetime) -> Alert:
    """Return the alert as it is at `now`; the same object if time changed nothing."""
    if not alert.is_open or parent_of(alert.notice):
        return alert
    level = policy.severity(alert.notice, now)
    if level.rank > alert.severity.rank:
        return raise_severity(alert, level, now)
    if level is not alert.severity:
        # A stay that was moved to a later time is less urgent; that is no news.
        return replace(alert, severity=level, reminders=0)
    join_due, due = newcomers_due_at(alert, policy), reminder_at(alert, policy)
    if join_due is not None and join_due <= now:
        return announce_new_members(alert, now)
    return add_reminder(alert, now) if due is not None and due <= now else alert


def escalate_group(alerts: Iterable[Alert], policy: AlertPolicy, now: datetime) -> dict[str, Alert]:
    """Return the alerts of a group that time changed, by key.

    When a reminder is due, other alerts of the same level are reminded with it if theirs is due within half of their
    pause. So a group sends one reminder instead of many.
    """
    before = {alert.key: alert for alert in alerts}
    after = {key: escalate(alert, policy, now) for key, alert in before.items()}
    in_step = {each.severity for key, each in after.items() if each.reminders > before[key].reminders}
    for key, alert in before.items():
        pause = policy.pause(alert.severity, alert.reminders)
        due = reminder_at(alert, policy)
        if after[key] is alert and alert.severity in in_step and pause and due and due - now <= pause / 2:
            after[key] = add_reminder(alert, now)
    return {key: alert for key, alert in after.items() if alert is not before[key]}
