"""The one alert that is told instead of many inhibited ones (its children), and how it is made from them. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from shared.domain.alerting.alert import Alert
from shared.domain.alerting.causes import Cause, raise_cause, resolve_cause
from shared.domain.alerting.inhibition import Parent, parent_of
from shared.domain.alerting.timing_policy import AlertPolicy
from shared.domain.booking.alert_notice import alert_notice


def parent_alert(
    before: Alert | None, parent: Parent, members: Iterable[Alert], policy: AlertPolicy, now: datetime
) -> Alert | None:
    """Return the parent's alert, made from its open children; the same object if nothing changed.

    It is as urgent as its most urgent child. A change of the number of children is recorded, but is no news.
    """
    children = [each for each in members if each.is_open and parent_of(each.notice) == parent]
    if not children:
        return resolve_cause(before, now)
    children.sort(key=lambda child: _urgency(child, policy, now))
    nearest = children[0].notice
    notice = alert_notice(
        parent.problem,
        key=parent.key,
        subject=parent.subject,
        at=now,
        look_closer="oracode doctor",
        check_in=nearest.check_in,
        wall_check_in=nearest.wall_check_in,
        check_out=nearest.check_out,
        time_zone=nearest.time_zone,
    )
    hit = len({child.notice.booking_id or child.key for child in children})
    subjects = tuple(dict.fromkeys(child.notice.subject for child in children))
    after = raise_cause(before, Cause(notice, hit, subjects), group=parent.key, level=policy.severity(notice, now))
    if after is None or after is before or before is None or not before.is_open:
        return after
    return replace(after, count=max(after.count, hit))


def _urgency(child: Alert, policy: AlertPolicy, now: datetime) -> tuple[int, float, str]:
    """Return a sort key: the most urgent child comes first."""
    level = policy.severity(child.notice, now)
    check_in = child.notice.check_in
    return -level.rank, check_in.timestamp() if check_in else float("inf"), child.key
