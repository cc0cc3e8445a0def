"""Inhibition: while Seam can't be reached, people are told of Seam, not of each of a hundred bookings.

One alert (the parent) stands for many (its children). Children are recorded, but never told themselves. The parent is
open while any child is. Other problems of a booking have other keys and are told by themselves. Alerts of a door or an
account inhibit those of its codes, too: `worker.alerts.inhibition_by_doors`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from shared.domain.alerting.alert import Alert, unshown_remarks
from shared.domain.alerting.causes import Cause, raise_cause, resolve_cause
from shared.domain.alerting.timing_policy import AlertPolicy
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.problem_catalogue import PROBLEMS, Reason
from shared.domain.booking.record import AlertNotice


@dataclass(frozen=True, slots=True)
class Parent:
    """One cause: the key of its alert, its row in the problem catalogue, and its subject."""

    key: str
    problem: str
    subject: str


_PARENTS: Final[Mapping[str, Parent]] = {
    Reason.SEAM_UNAVAILABLE: Parent("seam/unavailable", Reason.SEAM_UNAVAILABLE, "Seam is away"),
    Reason.SEAM_UNAUTHORIZED: Parent("seam/unauthorized", Reason.SEAM_UNAUTHORIZED, "Seam refuses our key"),
}
PARENTS_BY_KEY: Final = {parent.key: parent for parent in _PARENTS.values()}


def parent_of(notice: AlertNotice) -> Parent | None:
    """Return the parent that is told instead of this problem; None if there is none. A parent has no parent."""
    if notice.key in PARENTS_BY_KEY or (row := PROBLEMS.get(notice.problem)) is None or row.parent is None:
        return None
    return _PARENTS[row.parent]


def shows_old_look(alert: Alert, channel: str) -> bool:
    """Say whether the channel shows an older look of the problem, and no news follows that would replace it."""
    is_shown = alert.was_notified(channel) and not alert.is_behind(channel) and parent_of(alert.notice) is None
    is_old = alert.receipt_of(channel).look < alert.look
    return is_shown and is_old and (alert.is_open or bool(unshown_remarks(alert, channel)))


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
