"""Updates shown messages, in channels that can do so. Updates are notifications, too: they are sent at least once."""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from shared.clock import Clock
from shared.domain.alerting.alert import Alert
from shared.domain.alerting.message_updates import MOST_TRIES, update_due
from shared.domain.alerting.message_versions import record_shown_version
from shared.domain.alerting.notifications import Notification, View, record_failed_try, with_notification
from shared.ledger.alert_channels import ChannelBudgets
from shared.ledger.alerts import AlertLedger
from shared.ledger.records import Conflict
from worker.alerts.attempt import attempt
from worker.alerts.channel import NotDelivered, Updating
from worker.alerts.composing import message_of
from worker.alerts.notification_steps import read_again, record_and_remove, store_leased

_MOST_NOTIFICATIONS: Final = 5

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class MessageUpdates:
    """Updates the messages that a channel shows of a group's problems."""

    def __init__(self, *, ledger: AlertLedger, budgets: ChannelBudgets, lease: timedelta, clock: Clock) -> None:
        self._ledger = ledger
        self._budgets = budgets
        self._lease = lease
        self._clock = clock

    def bring_up_to_date(self, view: View, channel: Updating) -> tuple[View, datetime | None]:
        """Update the messages that are out of date; return the group as it is then, and when to do this again."""
        place = f"look:{view.group}"
        for _ in range(_MOST_NOTIFICATIONS):
            state, version = self._ledger.groups.load(view.group)
            # The alerts are read again after the group: an update by others after that changes the group's version.
            view = replace(read_again(self._ledger, view), now=self._clock())
            notification, later = update_due(view, state, channel.name, lease=self._lease)
            if notification is None:
                self._budgets.leave(channel.name, view.now, name=place)
                return view, later
            try:
                no_room_until = store_leased(
                    self._ledger, self._budgets, view, (state, version), notification, place=place
                )
            except Conflict:
                continue
            if no_room_until is not None:
                return view, no_room_until
            view, again_at = self._show(view, channel, notification)
            if again_at is not None:
                return view, again_at
        return view, view.now

    def _show(self, view: View, channel: Updating, notification: Notification) -> tuple[View, datetime | None]:
        names = {"group": view.group, "channel": channel.name, "delivery_id": notification.delivery_id}
        now = self._clock()
        answer = attempt(
            lambda: channel.update(
                message_of(notification, view.alerts, group=view.group, policy=view.policy, now=now)
            ),
            crashed=lambda: log.exception("alert.crashed", **names),  # noqa: LOG004 - called while it is handled
        )
        if isinstance(answer, NotDelivered):
            log.warning("alert.not_shown", **names, attempts=notification.attempts + 1, error=str(answer))
            jitter = random.random()  # noqa: S311 - spreads retries
            again = record_failed_try(
                notification, error=str(answer), now=now, jitter=jitter, retry_after=answer.retry_after
            )
            if again.attempts < MOST_TRIES:
                self._ledger.groups.update(view.group, lambda it: with_notification(it, again))
                return view, again.at
        else:
            log.info("alert.shown", **names, count=len(notification.members))

        def shown(it: Alert, look: int) -> Alert:
            return record_shown_version(it, notification.channel, look, now)

        return record_and_remove(self._ledger, view, notification, shown), None
