"""What goes to a channel as one message: all alerts of a group that it wasn't told of yet.

A notification is written down before it is sent, and removed when the channel has taken it. A worker that is killed in
between leaves it to the next, which sends the same under the same id. While a worker sends it, `at` is its lease.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Literal

from shared.domain import versions
from shared.domain.alerting.alert import Alert, News
from shared.domain.alerting.budget import Priority
from shared.domain.alerting.inhibition import has_old_look, parent_of
from shared.domain.alerting.severity import Severity
from shared.domain.alerting.threads import joined_thread, live_threads, newcomers
from shared.domain.alerting.timing_policy import AlertPolicy
from shared.domain.booking.retries import next_try
from shared.domain.versions import NOT_IN_JSON, UnknownFields

# "look" updates a message that a channel has shown: `shared.domain.alerting.message_updates`.
Status = Literal["open", "resolved", "look"]
STATUSES: Final[tuple[Status, ...]] = ("open", "resolved")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One message under way: the alerts in it, each as of a sequence. It is tried (again) `at` this time.

    `thread` is the conversation of those that the channel doesn't know of yet.
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
    """What is under way of one group, by channel and status."""

    parcels: Mapping[str, Notification] = field(default_factory=dict)
    schema: str = versions.ALERT_GROUP
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


@dataclass(frozen=True, slots=True)
class View:
    """A group as it is looked at once: its alerts by key, what is held back until when, the rules, the time.

    Silences hold alerts back (`silent`), and so do alerts of a door or an account that inhibit them.

    `updating` are the channels that can change what they have shown.
    """

    group: str
    alerts: Mapping[str, Alert]
    silent: Mapping[str, datetime]
    policy: AlertPolicy
    now: datetime
    updating: frozenset[str] = frozenset()


def slot_of(channel: str, status: Status) -> str:
    """Return the name under which a group keeps the notification."""
    return f"{status}:{channel}"


def delivery_id(group: str, members: Mapping[str, int]) -> str:
    """Return an id that is the same for the same told set, and for no other."""
    if len(members) == 1:
        ((key, sequence),) = members.items()
        return f"{key}#{sequence}"
    told = "\n".join(f"{key}#{sequence}" for key, sequence in sorted(members.items()))
    return f"{group}#{sha256(told.encode()).hexdigest()[:16]}"


def is_wanted(view: View, alert: Alert, channel: str, state: Group) -> bool:
    """Say whether the channel has to hear of the alert as it stands.

    That a problem is gone is for those alone who know of it, or may: a try that failed may have arrived.
    """
    if not alert.is_behind(channel) or parent_of(alert.notice):
        return False
    if not alert.is_open:
        tried = state.parcels.get(slot_of(channel, "open"))
        return alert.knows(channel) or (tried is not None and alert.key in tried.members)
    routing = view.policy.routing
    names = routing.channels_for(alert.notice, alert.severity)
    if channel in names:
        return True
    return channel == routing.fallback and any(_is_failing(view, alert, name, state) for name in names)


def _is_failing(view: View, alert: Alert, channel: str, state: Group) -> bool:
    """Say whether the channel is so far from taking the alert that the fallback channel is told."""
    told = alert.told_to(channel)
    notification = state.parcels.get(slot_of(channel, "open"))
    return (told.lost and told.sequence >= alert.sequence) or (
        notification is not None and alert.key in notification.members and is_stuck(notification, view.policy, view.now)
    )


def is_stuck(notification: Notification, policy: AlertPolicy, now: datetime) -> bool:
    """Say whether the channel failed so often, or wants a page to wait for so long, that another one is told."""
    is_put_off = (
        notification.is_page and not notification.is_leased and notification.at - now > policy.page_waits_for_channel
    )
    return is_put_off or notification.attempts >= policy.tries_before_fallback


def free_at(view: View, alert: Alert, level: Severity) -> datetime:
    """Return from when on the alert may be told at all: after its silence, after quiet hours where it can wait."""
    quiet = view.policy.quiet.until(view.now) if view.policy.quiet and level is Severity.INFO else None
    silent = view.silent.get(alert.key) if alert.is_open else None
    return max(filter(None, (quiet, silent)), default=view.now)


def next_notifications(
    view: View, state: Group, channel: str, status: Status, *, lease: timedelta
) -> tuple[Notification | None, datetime | None]:
    """Return the notification that is to be sent now, leased; else when to look again (None: not until there is news).

    A notification that failed is sent again as it was, unless its alerts have changed. All alerts that are ready go
    along once the first of the group has waited long enough.
    """
    kept = state.parcels.get(slot_of(channel, status))
    wanted = {
        key: alert
        for key, alert in view.alerts.items()
        if alert.is_open == (status == "open") and is_wanted(view, alert, channel, state)
    }
    under_way_until = _under_way_until(view, state, channel, status, wanted)
    if under_way_until is not None:
        return None, under_way_until
    ready = {key: alert for key, alert in wanted.items() if free_at(view, alert, alert.severity) <= view.now}
    if kept is not None:
        has_new_page = _has_new_page(kept, ready)
        if kept.at > view.now and (kept.is_leased or not has_new_page):
            return None, kept.at
        if _tells_the_same(kept, ready) and not has_new_page:
            return replace(kept, at=view.now + lease, is_leased=True), None
    if not ready:
        return None, min((free_at(view, alert, alert.severity) for alert in wanted.values()), default=None)
    new = newcomers(ready.values(), channel)
    join_within = view.policy.page_join_window
    thread = joined_thread(new, view.alerts.values(), channel, within=join_within, now=view.now)
    opens_at = min(
        _untold_since(alert, channel) + _wait(view, alert, is_joining=bool(thread) and alert in new)
        for alert in ready.values()
    )
    if opens_at > view.now and kept is None:
        return None, opens_at
    members = {key: alert.sequence for key, alert in ready.items()}
    told_as = delivery_id(view.group, members)
    notification = Notification(
        channel=channel,
        status=status,
        members=members,
        delivery_id=told_as,
        is_page=any(alert.severity is Severity.PAGE for alert in ready.values()),
        at=view.now + lease,
        attempts=kept.attempts if kept else 0,
        error=kept.error if kept else "",
        thread=thread or _own_thread(view, channel, members, told_as),
    )
    return notification, None


def _under_way_until(
    view: View, state: Group, channel: str, status: Status, wanted: Mapping[str, Alert]
) -> datetime | None:
    """Return until when another notification of one of these alerts is under way to the channel."""
    # An alert that is in another notification under way waits for that one: people must read both in their order. A
    # resolved notification also waits for an update of the shown message, which would write over it.
    others: tuple[Status, ...] = ("open", "look") if status == "resolved" else ("resolved",)
    parcels = (state.parcels.get(slot_of(channel, other)) for other in others)
    busy = [each for each in parcels if each is not None and each.is_leased and each.at > view.now]
    waits = [each.at for each in busy if any(key in each.members for key in wanted)]
    return max(waits, default=None)


def _has_new_page(kept: Notification, ready: Mapping[str, Alert]) -> bool:
    """Say whether somebody must be paged for what the notification doesn't tell."""
    pages = {key: alert for key, alert in ready.items() if alert.severity is Severity.PAGE}
    return any(kept.members.get(key) != alert.sequence for key, alert in pages.items())


def _tells_the_same(kept: Notification, ready: Mapping[str, Alert]) -> bool:
    """Say whether everything that the notification tells is still to be told as it stands there."""
    return bool(kept.members) and all(
        key in ready and ready[key].sequence == sequence for key, sequence in kept.members.items()
    )


def _untold_since(alert: Alert, channel: str) -> datetime:
    """Return since when there is something to tell: other words of what nobody was told of yet don't put it off."""
    return alert.news_at if alert.news is not News.CHANGED or alert.knows(channel) else alert.opened_at


def _wait(view: View, alert: Alert, *, is_joining: bool) -> timedelta:
    """Return how long the alert's news waits for others: somebody was paged already for what it joins."""
    return view.policy.group_window if is_joining else view.policy.window(alert.severity)


def _own_thread(view: View, channel: str, members: Mapping[str, int], told_as: str) -> str:
    """Return the name of a new conversation: the problem's key where it is one, unless that goes on already."""
    (key, *others) = members
    return key if not others and key not in live_threads(view.alerts.values(), channel) else told_as


def priority_of(notification: Notification, alerts: Mapping[str, Alert]) -> Priority:
    """Return how a notification stands to others that wait for the channel; `alerts` are those of its group."""
    if notification.status == "resolved":
        return Priority.RESOLVED
    if notification.status == "open" and notification.is_page:
        return Priority.PAGE
    told = [alerts[key] for key in notification.members if key in alerts]
    # Of an update somebody who pressed a button waits for, else nobody.
    is_awaited = notification.status == "open" or any(
        alert.told_to(notification.channel).look < alert.prompt_look for alert in told
    )
    hurries = any(alert.severity.rank >= Severity.WARNING.rank for alert in told)
    return Priority.WARNING if is_awaited and hurries else Priority.INFO


def uncertain(view: View, state: Group, channel: str) -> Notification | None:
    """Return the notification that may have reached the channel: its try failed, or its worker is gone."""
    kept = state.parcels.get(slot_of(channel, "open"))
    return kept if kept is not None and (not kept.is_leased or kept.at <= view.now) else None


def with_notification(state: Group, notification: Notification) -> Group:
    """Return the group with `notification` under way."""
    return replace(state, parcels={**state.parcels, slot_of(notification.channel, notification.status): notification})


def without_notification(state: Group, notification: Notification) -> Group:
    """Return the group without `notification`, unless another one stands in its place by now."""
    slot = slot_of(notification.channel, notification.status)
    known = state.parcels.get(slot)
    if known is None or known.delivery_id != notification.delivery_id:
        return state
    return replace(state, parcels={name: each for name, each in state.parcels.items() if name != slot})


def refused(
    notification: Notification, *, error: str, now: datetime, jitter: float, retry_after: timedelta | None
) -> Notification:
    """Return the notification after a try that failed, with the time of the next."""
    attempts = notification.attempts + 1
    retry = next_try(attempt=attempts, now=now, check_in=None, jitter=jitter, retry_after=retry_after)
    return replace(notification, attempts=attempts, at=retry.at, is_leased=False, error=error)


def is_over(notification: Notification, policy: AlertPolicy) -> bool:
    """Say whether the channel isn't tried any more. A page is tried for as long as it is open."""
    return notification.attempts >= policy.most_tries and not (notification.is_page and notification.status == "open")


def _is_awaited(view: View, notification: Notification) -> bool:
    """Say whether somebody may still have to hear of it: also, later, that a problem is gone that they may know of."""
    if notification.status == "look":
        return any(
            key in view.alerts and has_old_look(view.alerts[key], notification.channel) for key in notification.members
        )
    return any(key in view.alerts and view.alerts[key].is_behind(notification.channel) for key in notification.members)


def done_with(view: View, state: Group, channels: tuple[str, ...]) -> tuple[Group, frozenset[str]]:
    """Return the group without what nobody waits for any more, and the keys of alerts that are over for it."""
    wanted = {
        key
        for key, alert in view.alerts.items()
        if alert.is_open
        or any(is_wanted(view, alert, channel, state) for channel in channels)
        or any(has_old_look(alert, channel) for channel in view.updating)
    }
    parcels = {
        slot: notification
        for slot, notification in state.parcels.items()
        if (notification.is_leased and notification.at > view.now)
        or (notification.channel in channels and _is_awaited(view, notification))
    }
    under_way = {key for notification in parcels.values() for key in notification.members}
    return replace(state, parcels=parcels), frozenset(view.alerts) - wanted - under_way
