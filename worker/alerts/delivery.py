"""Delivers one group of alerts: escalates them, and sends each channel what it lacks, at least once.

Each channel has its own notifications and retries: one that fails delays no other. A notification is stored with a
lease before it is sent. So two workers don't send the same, and if a worker is killed, the next one sends it.
"""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog

from shared import metrics
from shared.clock import Clock
from shared.domain.alerting.alert import Alert
from shared.domain.alerting.escalation import escalate_group, next_change_at
from shared.domain.alerting.inhibition import PARENTS_BY_KEY
from shared.domain.alerting.message_versions import record_shown_version, version_with_news
from shared.domain.alerting.next_notification import next_notification
from shared.domain.alerting.notifications import (
    STATUSES,
    Group,
    Notification,
    Status,
    View,
    is_given_up,
    is_stuck,
    maybe_delivered,
    record_failed_try,
    remove_finished,
    with_notification,
)
from shared.domain.alerting.parent_alert import parent_alert
from shared.domain.alerting.receipts import record_delivery, record_failed_delivery, record_possible_delivery
from shared.domain.alerting.silences import silent_until
from shared.ledger.alert_channels import ChannelBudgets
from shared.ledger.alerts import AlertLedger
from shared.ledger.records import Conflict
from shared.ledger.silences import Silences
from worker.alerts.attempt import attempt
from worker.alerts.channel import Channel, NotDelivered, Updating
from worker.alerts.composing import message_of, thread_for
from worker.alerts.inhibition_by_doors import Inhibition
from worker.alerts.message_updates import MessageUpdates
from worker.alerts.notification_steps import change_members, read_again, record_and_remove, store_leased

# Alerts that came meanwhile may need further notifications of the same status. After so many the group is due again.
_MOST_NOTIFICATIONS: Final = 5

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class AlertDelivery:
    """The task behind `alerts.deliver`. May be called at any time, any number of times, for any group."""

    def __init__(
        self,
        *,
        ledger: AlertLedger,
        silences: Silences,
        inhibition: Inhibition,
        budgets: ChannelBudgets,
        channels: tuple[Channel, ...],
        lease: timedelta,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._silences = silences
        self._inhibition = inhibition
        self._budgets = budgets
        self._channels = channels
        self._updating = [channel for channel in channels if isinstance(channel, Updating)]
        self._message_updates = MessageUpdates(ledger=ledger, budgets=budgets, lease=lease, clock=clock)
        self._lease = lease
        self._clock = clock

    def __call__(self, group: str) -> None:
        """Send what is to be sent now, and put the time of the group's next change into the due-set."""
        seen = self._with_parent(group, self._ledger.groups.members(group))
        found = self._ledger.get_many(seen)
        moved = frozenset(key for key, alert in found.items() if alert.group != group)
        view = self._escalate(self._view(group, found))
        moments: list[datetime | None] = []
        for channel in self._channels:
            for status in STATUSES:
                view, later = self._bring_up_to_date(view, channel, status)
                moments.append(later)
        for updating in self._updating:
            view, later = self._message_updates.bring_up_to_date(view, updating)
            moments.append(later)
        now = self._clock()
        moments += [
            view.held_until.get(key) or next_change_at(alert, view.policy, now) for key, alert in view.alerts.items()
        ]
        seen = self._remove_finished(view, seen, moved)
        until = min((moment for moment in moments if moment is not None), default=None)
        self._ledger.groups.reschedule(group, until, seen=seen)

    def _with_parent(self, group: str, seen: dict[str, int]) -> dict[str, int]:
        """If the group has a parent (inhibition), update the parent's alert from its children; return the members."""
        parent = PARENTS_BY_KEY.get(group)
        if parent is None:
            return seen
        children = self._ledger.get_many(seen).values()
        policy, now = self._ledger.policy, self._clock()
        self._ledger.change(group, lambda before: parent_alert(before, parent, children, policy, now))
        # Only the parent's number is read again: changes of other members meanwhile must stay visible.
        number = self._ledger.groups.members(group).get(group)
        return seen if number is None else {**seen, group: number}

    def _view(self, group: str, found: dict[str, Alert]) -> View:
        now = self._clock()
        alerts = {key: alert for key, alert in found.items() if alert.group == group}
        silences = self._silences.all()
        silent = {key: silent_until(alert.notice, silences, now) for key, alert in alerts.items()}
        held = {key: until for key, until in silent.items() if until is not None and alerts[key].is_open}
        for key, until in self._inhibition.held_until(alerts.values()).items():
            held[key] = max(until, held.get(key, until))
        updating = frozenset(channel.name for channel in self._updating)
        return View(group, alerts, held, self._ledger.policy, now, updating)

    def _escalate(self, view: View) -> View:
        """Store what time has changed: higher severities and reminders."""
        audible = [alert for key, alert in view.alerts.items() if key not in view.held_until]
        alerts = dict(view.alerts)
        for key, after in escalate_group(audible, view.policy, view.now).items():
            before = alerts[key]
            alerts[key] = self._ledger.update(key, partial(_unless_changed, before=before, after=after)) or before
        return replace(view, alerts=alerts)

    def _bring_up_to_date(self, view: View, channel: Channel, status: Status) -> tuple[View, datetime | None]:
        """Send what the channel lacks; return the group as it is then, and when to do this again."""
        place = f"{status}:{view.group}"
        for _ in range(_MOST_NOTIFICATIONS):
            view = replace(view, now=self._clock())
            state, version = self._ledger.groups.load(view.group)
            view = self._note_uncertain(view, maybe_delivered(view, state, channel.name))
            notification, later = next_notification(view, state, channel.name, status, lease=self._lease)
            if notification is None:
                self._budgets.leave(channel.name, view.now, name=place)
                return view, later
            # The alerts are read again after the group: so deliveries by others before that are seen. A later one
            # changes the group's version, and saving it raises Conflict.
            view = read_again(self._ledger, view)
            notification, later = next_notification(view, state, channel.name, status, lease=self._lease)
            if notification is None:
                return view, later
            try:
                no_room_until = store_leased(
                    self._ledger, self._budgets, view, (state, version), notification, place=place
                )
            except Conflict:
                continue
            if no_room_until is not None:
                return view, no_room_until
            view, again_at = self._send(view, channel, notification)
            if again_at is not None:
                return view, again_at
        return view, view.now

    def _note_uncertain(self, view: View, sent: Notification | None) -> View:
        """Store that a channel may know of these problems: their end must be told in the same conversation."""
        if sent is None:
            return view

        def noted(it: Alert, sequence: int) -> Alert:
            return record_possible_delivery(it, sent.channel, sequence, thread=thread_for(view.alerts[it.key], sent))

        members = {key: sequence for key, sequence in sent.members.items() if key in view.alerts}
        return change_members(self._ledger, view, members, noted)

    def _send(self, view: View, channel: Channel, notification: Notification) -> tuple[View, datetime | None]:
        names = {"group": view.group, "channel": channel.name, "delivery_id": notification.delivery_id}
        answer = attempt(
            lambda: channel.send(
                message_of(notification, view.alerts, group=view.group, policy=view.policy, now=self._clock())
            ),
            crashed=lambda: log.exception("alert.crashed", **names),  # noqa: LOG004 - called while it is handled
        )
        if isinstance(answer, NotDelivered):
            metrics.NOTIFICATIONS.add(channel.name, "failed")
            log.warning("alert.undelivered", **names, attempts=notification.attempts + 1, error=str(answer))
            return self._failed(view, notification, answer)
        metrics.NOTIFICATIONS.add(channel.name, "delivered")
        log.info("alert.delivered", **names, status=notification.status, count=len(notification.members))
        at = self._clock()

        def told(it: Alert, sequence: int) -> Alert:
            shown = view.alerts[it.key]
            after = record_delivery(it, notification.channel, sequence, thread=thread_for(shown, notification))
            return record_shown_version(after, notification.channel, version_with_news(shown, notification.channel), at)

        return record_and_remove(self._ledger, view, notification, told), None

    def _failed(self, view: View, notification: Notification, reason: NotDelivered) -> tuple[View, datetime | None]:
        now, jitter = self._clock(), random.random()  # noqa: S311 - spreads retries
        error, wait = str(reason), reason.retry_after
        notification = record_failed_try(notification, error=error, now=now, jitter=jitter, retry_after=wait)
        if not is_given_up(notification, view.policy):
            self._ledger.groups.update(view.group, lambda it: with_notification(it, notification))
            return view, self._fallback_at(view, notification, now)
        metrics.NOTIFICATIONS.add(notification.channel, "given_up")
        log.error(
            "alert.given_up",
            group=view.group,
            channel=notification.channel,
            attempts=notification.attempts,
            error=error,
        )

        def lost(it: Alert, sequence: int) -> Alert:
            return record_failed_delivery(it, notification.channel, sequence, error=error)

        return record_and_remove(self._ledger, view, notification, lost), now

    def _fallback_at(self, view: View, notification: Notification, now: datetime) -> datetime:
        """Return when to run again: at once if the fallback channel is to be told now, else at the next try."""
        failed_before = replace(notification, attempts=notification.attempts - 1, at=now)
        is_turn = is_stuck(notification, view.policy, now) and not is_stuck(failed_before, view.policy, now)
        return now if is_turn and view.policy.routing.fallback else notification.at

    def _remove_finished(self, view: View, seen: dict[str, int], moved: frozenset[str]) -> dict[str, int]:
        """Remove finished notifications, and alerts that can leave the group; return the members that are left."""
        names = tuple(channel.name for channel in self._channels)
        over: frozenset[str] = frozenset()

        def without_finished(state: Group) -> Group:
            nonlocal over
            after, over = remove_finished(replace(view, now=self._clock()), state, names)
            return after

        self._ledger.groups.update(view.group, without_finished)
        # A member without a record stays: it is about to be written, or its worker was killed before that.
        gone = {key: number for key, number in seen.items() if key in over | moved}
        self._ledger.groups.leave(view.group, gone)
        return {key: number for key, number in seen.items() if key not in gone}


def _unless_changed(it: Alert, *, before: Alert, after: Alert) -> Alert:
    """Return `after` if the alert is still `before`; otherwise leave it as it is: the next run escalates it."""
    return after if it == before else it
