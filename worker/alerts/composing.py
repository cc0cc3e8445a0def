"""Makes the message of a notification from its alerts. Times are in the lock's time zone, which is named."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from shared.domain.alerting.alert import Alert
from shared.domain.alerting.message_versions import unshown_remarks
from shared.domain.alerting.notifications import Notification
from shared.domain.alerting.severity import Severity
from shared.domain.alerting.timing_policy import AlertPolicy
from shared.domain.booking.advice import LET_IN_BEFORE, earlier_pin_text, lets_in_by_hand, next_step_now, window_text
from shared.domain.booking.record import AlertNotice
from shared.domain.matching.manual_choice import SlotOffer
from shared.domain.quoting import shown
from worker.alerts.message import CLOSED, GONE, AlertItem, AlertMessage, SlotChoice, one_line

NO_ZONE_YET: Final = "time zone of the lock not known yet"
_LONGEST_SUBJECT: Final = 200
_LONGEST_TEXT: Final = 2_000


def message_of(
    notification: Notification, alerts: Mapping[str, Alert], *, group: str, policy: AlertPolicy, now: datetime
) -> AlertMessage:
    """Return the message of the notification; `alerts` are all alerts of the group, as they are now."""
    told = [alerts[key] for key in notification.members if key in alerts]
    thread_of = {alert.key: thread_for(alert, notification) for alert in told}
    items = [_item(alert, thread_of[alert.key], policy, now) for alert in _in_order(told)]
    threads: dict[str, list[AlertItem]] = {item.thread: [] for item in items}
    for alert in _in_order(alerts.values()):
        known = alert.receipt_of(notification.channel).thread if alert.was_notified(notification.channel) else ""
        thread = thread_of.get(alert.key) or known
        if thread in threads:
            threads[thread].append(_item(alert, thread, policy, now))
    level = max((item.severity for item in items), key=lambda each: each.rank)
    # An update shows an open message, unless all of its problems are over.
    status = (
        ("resolved", "open")[any(alert.is_open for alert in told)]
        if notification.status == "look"
        else notification.status
    )
    places = {policy.routing.place_of(alert.notice).building for alert in told}
    return AlertMessage(
        delivery_id=notification.delivery_id,
        group=group,
        status=status,
        severity=level if status == "open" else Severity.INFO,
        building=places.pop() if len(places) == 1 else "",
        items=tuple(items),
        at=now,
        threads={thread: tuple(each) for thread, each in threads.items()},
        remarks=_remarks(told, notification) if notification.status == "look" else (),
    )


def thread_for(alert: Alert, notification: Notification) -> str:
    """Return the conversation that the alert belongs to once the channel has taken the notification."""
    if alert.was_notified(notification.channel):
        return alert.receipt_of(notification.channel).thread
    return notification.thread or (alert.key if len(notification.members) == 1 else notification.delivery_id)


def _in_order(alerts: Iterable[Alert]) -> list[Alert]:
    def order(alert: Alert) -> tuple[int, float, str]:
        check_in = alert.notice.check_in
        return -alert.severity.rank, check_in.timestamp() if check_in else float("inf"), alert.key

    return sorted(alerts, key=order)


def _remarks(alerts: Iterable[Alert], notification: Notification) -> tuple[str, ...]:
    found = (remark for alert in alerts for remark in unshown_remarks(alert, notification.channel))
    return tuple(one_line(shown(remark.text), _LONGEST_TEXT) for remark in found)


def _handled(alert: Alert) -> str:
    if not alert.handled_by or not alert.is_open:
        return ""
    at = local_time(alert.handled_at, alert.notice.time_zone)
    return f"by {one_line(shown(alert.handled_by), _LONGEST_SUBJECT)}{f', {at}' if at else ''}"


def _item(alert: Alert, thread: str, policy: AlertPolicy, now: datetime) -> AlertItem:
    notice = alert.notice
    # At `page_before` the severity rises, so that the message is shown again with this next step.
    before = max(LET_IN_BEFORE, policy.page_before)
    return AlertItem(
        key=notice.key,
        thread=thread,
        booking_id=notice.booking_id,
        problem=notice.problem,
        status="open" if alert.is_open else "resolved",
        severity=alert.severity if alert.is_open else Severity.INFO,
        news=CLOSED if alert.is_unsolved else alert.news,
        subject=one_line(shown(notice.subject), _LONGEST_SUBJECT),
        happened=one_line(shown(notice.happened), _LONGEST_TEXT),
        affects=_affects(alert),
        check_in=check_in_text(notice),
        next_step=_next_step(alert, now, before),
        actor=notice.actor,
        look_closer=notice.look_closer,
        runbook=runbook_of(notice.problem, policy.runbook_url),
        count=alert.count,
        choices=tuple(_choice(notice, offer) for offer in notice.choices) if alert.is_open else (),
        choose=notice.choose if alert.is_open else "",
        handled=_handled(alert),
        code_window=window_text(notice.code, notice.time_zone) if alert.is_open else "",
        earlier_pin_works=earlier_pin_text(notice, now) if alert.is_open else "",
        joined="\n".join(one_line(shown(each), _LONGEST_SUBJECT) for each in alert.joined) if alert.is_open else "",
        let_in_by_hand=alert.is_open and lets_in_by_hand(notice, now, before=before),
    )


def _next_step(alert: Alert, now: datetime, before: timedelta) -> str:
    if alert.is_open:
        return next_step_now(alert.notice, now, before=before)
    if alert.is_unsolved:
        return shown(alert.notice.solved)
    return f"{GONE} {shown(alert.notice.solved)}".rstrip()


def _choice(notice: AlertNotice, offer: SlotOffer) -> SlotChoice:
    starts_at, ends_at = (local_time(each, notice.time_zone) for each in (offer.starts_at, offer.ends_at))
    return SlotChoice(
        door=notice.door_key,
        slot=offer.slot,
        name=one_line(shown(offer.name), _LONGEST_SUBJECT),
        starts_at=offer.starts_at.isoformat(),
        ends_at=offer.ends_at.isoformat(),
        window=f"{starts_at.removesuffix(f' {notice.time_zone}')} to {ends_at}",
        meaning=offer.meaning,
    )


def _affects(alert: Alert) -> str:
    if not alert.hit:
        return ""
    more = alert.hit - len(alert.subjects)
    subjects = (one_line(shown(subject), _LONGEST_SUBJECT) for subject in alert.subjects)
    whom = "\n".join((*subjects, *((f"and {more} more",) if more > 0 else ())))
    noun = "booking is" if alert.hit == 1 else "bookings are"
    nearest = "; the check-in below is the nearest" if alert.notice.check_in is not None else ""
    return f"{alert.hit} {noun} hit{nearest}:\n{whom}"


def runbook_of(problem: str, base: str) -> str:
    """Return the runbook's section on this problem; a link if RUNBOOK_URL is set."""
    return f"{base or 'deploy/RUNBOOK.md'}#{problem}"


def check_in_text(notice: AlertNotice) -> str:
    """Return the check-in on the lock's clock, also if its time zone isn't known; empty without a check-in."""
    if notice.wall_check_in is not None:
        return f"{notice.wall_check_in:%a %Y-%m-%d %H:%M}, {NO_ZONE_YET}"
    return local_time(notice.check_in, notice.time_zone)


def local_time(moment: datetime | None, time_zone: str | None) -> str:
    """Return a moment on the lock's clock, with the time zone; empty for None."""
    if moment is None:
        return ""
    if time_zone is None:
        return f"{moment:%Y-%m-%d %H:%M} UTC{moment:%z}"
    return f"{moment.astimezone(ZoneInfo(time_zone)):%a %Y-%m-%d %H:%M} {time_zone}"
