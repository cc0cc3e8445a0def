"""Which notification of a group a channel gets next, and when: group window, silence and mute time are over. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.alerting.alert import Alert, News
from shared.domain.alerting.notifications import Group, Notification, Status, View, delivery_id, is_wanted, slot_of
from shared.domain.alerting.severity import Severity
from shared.domain.alerting.threads import alerts_new_to, open_threads, thread_to_join


def allowed_from(view: View, alert: Alert, level: Severity) -> datetime:
    """Return from when on the alert may be told: after its silence and, if it isn't urgent, after the mute time."""
    mute_time = view.policy.mute_time if level is Severity.INFO else None
    muted_until = mute_time.until(view.now) if mute_time is not None else None
    held_until = view.held_until.get(alert.key) if alert.is_open else None
    return max(filter(None, (muted_until, held_until)), default=view.now)


def next_notification(
    view: View, state: Group, channel: str, status: Status, *, lease: timedelta
) -> tuple[Notification | None, datetime | None]:
    """Return the notification that is sent now, leased; otherwise when to check again (None: not until there is news).

    A notification that failed is sent again unchanged, unless its alerts have changed. When the first alert of the
    group has waited long enough, all alerts that are ready are sent with it.
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
    ready = {key: alert for key, alert in wanted.items() if allowed_from(view, alert, alert.severity) <= view.now}
    if kept is not None:
        has_new_page = _has_new_page(kept, ready)
        if kept.at > view.now and (kept.is_leased or not has_new_page):
            return None, kept.at
        if _tells_the_same(kept, ready) and not has_new_page:
            return replace(kept, at=view.now + lease, is_leased=True), None
    if not ready:
        return None, min((allowed_from(view, alert, alert.severity) for alert in wanted.values()), default=None)
    new = alerts_new_to(ready.values(), channel)
    join_within = view.policy.page_join_window
    thread = thread_to_join(new, view.alerts.values(), channel, within=join_within, now=view.now)
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
    # An alert waits for other notifications that have it, so that people read them in their order. Its end also waits
    # for an update of the shown message, which would otherwise overwrite it.
    others: tuple[Status, ...] = ("open", "look") if status == "resolved" else ("resolved",)
    parcels = (state.parcels.get(slot_of(channel, other)) for other in others)
    busy = [each for each in parcels if each is not None and each.is_leased and each.at > view.now]
    waits = [each.at for each in busy if any(key in each.members for key in wanted)]
    return max(waits, default=None)


def _has_new_page(kept: Notification, ready: Mapping[str, Alert]) -> bool:
    """Say whether an alert pages that isn't in the notification, or has newer news."""
    pages = {key: alert for key, alert in ready.items() if alert.severity is Severity.PAGE}
    return any(kept.members.get(key) != alert.sequence for key, alert in pages.items())


def _tells_the_same(kept: Notification, ready: Mapping[str, Alert]) -> bool:
    """Say whether all alerts of the notification are still to be told, and none has newer news."""
    return bool(kept.members) and all(
        key in ready and ready[key].sequence == sequence for key, sequence in kept.members.items()
    )


def _untold_since(alert: Alert, channel: str) -> datetime:
    """Return since when the channel is to be told. If it wasn't told of the alert yet, a change doesn't delay that."""
    return alert.news_at if alert.news is not News.CHANGED or alert.was_notified(channel) else alert.opened_at


def _wait(view: View, alert: Alert, *, is_joining: bool) -> timedelta:
    """Return how long the alert waits for others. One that joins a conversation can wait: people look at it already."""
    return view.policy.group_window if is_joining else view.policy.window(alert.severity)


def _own_thread(view: View, channel: str, members: Mapping[str, int], told_as: str) -> str:
    """Return the name of a new conversation: the key of a single problem, unless it has an open one already."""
    (key, *others) = members
    return key if not others and key not in open_threads(view.alerts.values(), channel) else told_as
