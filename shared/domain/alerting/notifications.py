"""Notifications: one message to one channel, with all alerts of a group that the channel wasn't told of yet. Pure.

A notification is stored before it is sent, and removed when the channel has taken it. If a worker is killed in between,
the next one sends the same content under the same id. While a worker sends it, `at` is the end of the lease. Which one
is sent next: `shared.domain.alerting.next_notification`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Literal

from shared.domain import versions
from shared.domain.alerting.alert import Alert
from shared.domain.alerting.budget import Priority
from shared.domain.alerting.inhibition import parent_of
from shared.domain.alerting.message_versions import needs_update
from shared.domain.alerting.severity import Severity
from shared.domain.alerting.timing_policy import AlertPolicy
from shared.domain.booking.retries import next_try
from shared.domain.versions import NOT_IN_JSON, UnknownFields

# "look" updates a message that a channel has shown: `shared.domain.alerting.message_updates`.
Status = Literal["open", "resolved", "look"]
STATUSES: Final[tuple[Status, ...]] = ("open", "resolved")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One message under way. `members` are the sequences of its alerts, by key. It is tried (again) at the time `at`.

    `thread` is the conversation for the alerts that the channel doesn't know of yet.
    """

    channel: str
    status: Status
    members: Mapping[str, int]
    delivery_id: str
    is_page: bool
    at: datetime
    is_leased: bool = True
    attempts: int = 0
    error: str = ""
    thread: str = ""
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The notifications of one group that are under way, by channel and status (`slot_of`).

    The field's name, `parcels`, is stored.
    """

    parcels: Mapping[str, Notification] = field(default_factory=dict)
    schema: str = versions.ALERT_GROUP
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


@dataclass(frozen=True, slots=True)
class View:
    """All that decides what a group sends: its alerts by key, the policy, the time.

    `held_until` says until when an alert is held back, by a silence or by an alert of a door or an account that
    inhibits it. `updating` are the channels that can change messages that they have shown.
    """

    group: str
    alerts: Mapping[str, Alert]
    held_until: Mapping[str, datetime]
    policy: AlertPolicy
    now: datetime
    updating: frozenset[str] = frozenset()


def slot_of(channel: str, status: Status) -> str:
    """Return the key of the notification in its group."""
    return f"{status}:{channel}"


def delivery_id(group: str, members: Mapping[str, int]) -> str:
    """Return an id that depends on these alerts and their sequences alone."""
    if len(members) == 1:
        ((key, sequence),) = members.items()
        return f"{key}#{sequence}"
    told = "\n".join(f"{key}#{sequence}" for key, sequence in sorted(members.items()))
    return f"{group}#{sha256(told.encode()).hexdigest()[:16]}"


def is_wanted(view: View, alert: Alert, channel: str, state: Group) -> bool:
    """Say whether the channel is to be told of the alert.

    Only channels that know of a problem are told that it is gone. That includes a try that failed: it may have arrived.
    """
    if not alert.is_behind(channel) or parent_of(alert.notice):
        return False
    if not alert.is_open:
        tried = state.parcels.get(slot_of(channel, "open"))
        return alert.was_notified(channel) or (tried is not None and alert.key in tried.members)
    routing = view.policy.routing
    names = routing.channels_for(alert.notice, alert.severity)
    if channel in names:
        return True
    return channel == routing.fallback and any(_is_failing(view, alert, name, state) for name in names)


def _is_failing(view: View, alert: Alert, channel: str, state: Group) -> bool:
    """Say whether the channel has failed to take the alert for so long that the fallback channel is told."""
    told = alert.receipt_of(channel)
    notification = state.parcels.get(slot_of(channel, "open"))
    return (told.lost and told.sequence >= alert.sequence) or (
        notification is not None and alert.key in notification.members and is_stuck(notification, view.policy, view.now)
    )


def is_stuck(notification: Notification, policy: AlertPolicy, now: datetime) -> bool:
    """Say whether the channel failed so often, or delays a page for so long, that another channel is told."""
    is_put_off = (
        notification.is_page and not notification.is_leased and notification.at - now > policy.page_waits_for_channel
    )
    return is_put_off or notification.attempts >= policy.tries_before_fallback


def priority_of(notification: Notification, alerts: Mapping[str, Alert]) -> Priority:
    """Return the notification's priority in the channel's queue; `alerts` are those of its group."""
    if notification.status == "resolved":
        return Priority.RESOLVED
    if notification.status == "open" and notification.is_page:
        return Priority.PAGE
    told = [alerts[key] for key in notification.members if key in alerts]
    # Somebody waits for an update only after pressing a button.
    is_awaited = notification.status == "open" or any(
        alert.receipt_of(notification.channel).look < alert.prompt_look for alert in told
    )
    hurries = any(alert.severity.rank >= Severity.WARNING.rank for alert in told)
    return Priority.WARNING if is_awaited and hurries else Priority.INFO


def maybe_delivered(view: View, state: Group, channel: str) -> Notification | None:
    """Return the notification that may have reached the channel: its try failed, or its worker died."""
    kept = state.parcels.get(slot_of(channel, "open"))
    return kept if kept is not None and (not kept.is_leased or kept.at <= view.now) else None


def with_notification(state: Group, notification: Notification) -> Group:
    """Return the group with `notification` under way."""
    return replace(state, parcels={**state.parcels, slot_of(notification.channel, notification.status): notification})


def without_notification(state: Group, notification: Notification) -> Group:
    """Return the group without `notification`, unless another one has replaced it."""
    slot = slot_of(notification.channel, notification.status)
    known = state.parcels.get(slot)
    if known is None or known.delivery_id != notification.delivery_id:
        return state
    return replace(state, parcels={name: each for name, each in state.parcels.items() if name != slot})


def record_failed_try(
    notification: Notification, *, error: str, now: datetime, jitter: float, retry_after: timedelta | None
) -> Notification:
    """Return the notification after a try that failed, with the time of the next."""
    attempts = notification.attempts + 1
    retry = next_try(attempt=attempts, now=now, check_in=None, jitter=jitter, retry_after=retry_after)
    return replace(notification, attempts=attempts, at=retry.at, is_leased=False, error=error)


def is_given_up(notification: Notification, policy: AlertPolicy) -> bool:
    """Say whether the notification is given up. A page is tried for as long as it is open."""
    return notification.attempts >= policy.most_tries and not (notification.is_page and notification.status == "open")


def _is_awaited(view: View, notification: Notification) -> bool:
    """Say whether the channel is still to be told of an alert in it; for an update: whether it shows an old look."""
    if notification.status == "look":
        return any(
            key in view.alerts and needs_update(view.alerts[key], notification.channel) for key in notification.members
        )
    return any(key in view.alerts and view.alerts[key].is_behind(notification.channel) for key in notification.members)


def remove_finished(view: View, state: Group, channels: tuple[str, ...]) -> tuple[Group, frozenset[str]]:
    """Return the group without notifications that aren't needed any more, and the keys of alerts that can leave it."""
    wanted = {
        key
        for key, alert in view.alerts.items()
        if alert.is_open
        or any(is_wanted(view, alert, channel, state) for channel in channels)
        or any(needs_update(alert, channel) for channel in view.updating)
    }
    parcels = {
        slot: notification
        for slot, notification in state.parcels.items()
        if (notification.is_leased and notification.at > view.now)
        or (notification.channel in channels and _is_awaited(view, notification))
    }
    under_way = {key for notification in parcels.values() for key in notification.members}
    return replace(state, parcels=parcels), frozenset(view.alerts) - wanted - under_way
