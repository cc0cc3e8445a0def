"""Inhibition: while Seam is away, people are told of Seam, not of each of a hundred bookings.

The children of a parent are recorded and never told themselves. The parent is open while any of them is. Other problems
of a booking have other keys and are told by themselves. Alerts of a door or an account inhibit those of its codes, too:
`worker.alerts.inhibition_by_doors`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from shared.domain.alerting.alert import Alert, untold
from shared.domain.alerting.causes import Cause, raised, resolved
from shared.domain.alerting.timing_policy import AlertPolicy
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.problem_catalogue import PROBLEMS, Reason
from shared.domain.booking.record import AlertNotice


@dataclass(frozen=True, slots=True)
class Parent:
    """One cause: its alert's key, the row of the catalogue that says what people read, and what it is about."""

    key: str
    problem: str
    subject: str


_PARENTS: Final[Mapping[str, Parent]] = {
    Reason.SEAM_UNAVAILABLE: Parent("seam/unavailable", Reason.SEAM_UNAVAILABLE, "Seam is away"),
    Reason.SEAM_UNAUTHORIZED: Parent("seam/unauthorized", Reason.SEAM_UNAUTHORIZED, "Seam refuses our key"),
}
BY_KEY: Final = {parent.key: parent for parent in _PARENTS.values()}


def parent_of(notice: AlertNotice) -> Parent | None:
    """Return what tells of this problem in its place; a parent has none."""
    if notice.key in BY_KEY or (row := PROBLEMS.get(notice.problem)) is None or row.parent is None:
        return None
    return _PARENTS[row.parent]


def has_old_look(alert: Alert, channel: str) -> bool:
    """Say whether the channel shows an older look of the problem, and no news is to come that would replace it."""
    is_shown = alert.knows(channel) and not alert.is_behind(channel) and parent_of(alert.notice) is None
    is_old = alert.told_to(channel).look < alert.look
    return is_shown and is_old and (alert.is_open or bool(untold(alert, channel)))


def gathered(
    before: Alert | None, parent: Parent, members: Iterable[Alert], policy: AlertPolicy, now: datetime
) -> Alert | None:
    """Return the parent's alert as its open children make it; the same object where they make it no other.

    It hurries as the child does that hurries most. How many there are is kept true without being news.
    """
    children = [each for each in members if each.is_open and parent_of(each.notice) == parent]
    if not children:
        return resolved(before, now)
    children.sort(key=lambda child: _hurry(child, policy, now))
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
    after = raised(before, Cause(notice, hit, subjects), group=parent.key, level=policy.severity(notice, now))
    if after is None or after is before or before is None or not before.is_open:
        return after
    return replace(after, count=max(after.count, hit))


def _hurry(child: Alert, policy: AlertPolicy, now: datetime) -> tuple[int, float, str]:
    """Return what sorts the most urgent child first."""
    level = policy.severity(child.notice, now)
    check_in = child.notice.check_in
    return -level.rank, check_in.timestamp() if check_in else float("inf"), child.key
