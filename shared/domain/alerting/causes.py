"""An alert of one cause that affects several bookings: told once, with their number and the nearest of them.

The members of some causes come one by one (parked messages). Later members are told, too, at growing intervals
(`shared.domain.alerting.escalation`), so that sixty members are only a few messages.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from shared.domain.alerting.alert import Alert, next_version, record_notice, without_request_ids
from shared.domain.alerting.severity import Severity
from shared.domain.booking.record import AlertNotice
from shared.domain.entry_ids import is_before

MOST_SUBJECTS: Final = 10


@dataclass(frozen=True, slots=True)
class Member:
    """A booking or message with this cause: its first stream entry (such as `1700000000000-0`), and a line of text."""

    since: str
    line: str


@dataclass(frozen=True, slots=True)
class Cause:
    """What is told of one cause: the notice, how many bookings it affects, and some of them in words, nearest first.

    `members` are all of them, nearest first, if later members are told too; otherwise it is empty. `includes` are the
    keys of the other alerts that may have told of some of the members.
    """

    notice: AlertNotice
    hit: int = 0
    subjects: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()
    includes: frozenset[str] = frozenset()

    @property
    def known_until(self) -> str:
        """The stream entry of the newest member; "" without members."""
        newest = ""
        for member in self.members:
            newest = member.since if not newest or is_before(newest, member.since) else newest
        return newest


def raise_cause(before: Alert | None, cause: Cause, *, group: str, level: Severity) -> Alert | None:
    """Return the open alert of a cause; the same object if nothing about it changed.

    A new text of what happened is news. Other bookings or another check-in are recorded, but are no news. New members
    are recorded, to be told later.
    """
    notice, subjects = cause.notice, cause.subjects[:MOST_SUBJECTS]
    if before is None or not before.is_open:
        opened = record_notice(before, notice, group=group, level=level)
        return replace(opened, hit=cause.hit, subjects=subjects, known_until=cause.known_until) if opened else None
    known = _with_newcomers(before, cause)
    if without_request_ids(notice.happened) != without_request_ids(before.notice.happened):
        changed = record_notice(known, notice)
        return replace(changed, hit=cause.hit, subjects=subjects) if changed else None
    after = replace(known, notice=replace(notice, at=before.notice.at), hit=cause.hit, subjects=subjects)
    return before if after == before else next_version(after, is_prompt=False)


def _with_newcomers(before: Alert, cause: Cause) -> Alert:
    """Return the alert with the members that are new since it was written.

    A record of an older version doesn't say which members it had: then no member counts as new.
    """
    known_until = cause.known_until
    if not known_until or is_before(known_until, before.known_until):
        return before
    new = [member.line for member in cause.members if is_before(before.known_until, member.since)]
    if not new:
        return replace(before, known_until=known_until)
    joined = (*new, *(before.joined if before.newcomers else ()))[:MOST_SUBJECTS]
    return replace(before, known_until=known_until, newcomers=before.newcomers + len(new), joined=joined)


def resolve_cause(before: Alert | None, now: datetime, *, solved: str = "") -> Alert | None:
    """Return the alert as resolved; `solved` says how that came. The same object if it isn't open."""
    if before is None or not before.is_open:
        return before
    return record_notice(before, replace(before.notice, at=now, raised=False, solved=solved))


def supersede_cause(before: Alert | None, now: datetime, *, goes_on_in: str) -> Alert | None:
    """Return the alert as ended although its problem goes on; the sentence `goes_on_in` says which alert tells of it.

    The same object if it isn't open.
    """
    after = resolve_cause(before, now, solved=goes_on_in)
    return after if after is before or after is None else replace(after, unsolved_sequence=after.sequence)
