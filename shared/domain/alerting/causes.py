"""An alert of one cause that hits several bookings: told once, with how many it hits and the nearest of them.

Where the members of a cause come one by one (parked messages), those that come later are told, too: at growing
intervals (`shared.domain.alerting.escalation`), so that sixty of them are a few messages.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from shared.domain.alerting.alert import Alert, heard, looking_otherwise, what_is_said
from shared.domain.alerting.severity import Severity
from shared.domain.booking.message_order import is_before
from shared.domain.booking.record import AlertNotice

MOST_SUBJECTS: Final = 10


@dataclass(frozen=True, slots=True)
class Member:
    """One that a cause hits: the stream entry since which it is known (`1700000000000-0`), and its line for people."""

    since: str
    line: str


@dataclass(frozen=True, slots=True)
class Cause:
    """What is told of one cause: the notice, how many bookings it hits, and some of them in words, nearest first.

    `members` are all of them, nearest first, where those who join later are to be told; else it is empty. `includes`
    are the keys of other alerts that would tell of some of them.
    """

    notice: AlertNotice
    hit: int = 0
    subjects: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()
    includes: frozenset[str] = frozenset()

    @property
    def known_until(self) -> str:
        """The entry of the newest member; "" without members."""
        newest = ""
        for member in self.members:
            newest = member.since if not newest or is_before(newest, member.since) else newest
        return newest


def raised(before: Alert | None, cause: Cause, *, group: str, level: Severity) -> Alert | None:
    """Return the open alert of a cause; the same object where nothing about it changed.

    Other words are news. Which bookings it hits, and how near the next guest is, is kept true without being news. Who
    joined is noted, to be told later.
    """
    notice, subjects = cause.notice, cause.subjects[:MOST_SUBJECTS]
    if before is None or not before.is_open:
        opened = heard(before, notice, group=group, level=level)
        return replace(opened, hit=cause.hit, subjects=subjects, known_until=cause.known_until) if opened else None
    known = _with_newcomers(before, cause)
    if what_is_said(notice.happened) != what_is_said(before.notice.happened):
        changed = heard(known, notice)
        return replace(changed, hit=cause.hit, subjects=subjects) if changed else None
    after = replace(known, notice=replace(notice, at=before.notice.at), hit=cause.hit, subjects=subjects)
    return before if after == before else looking_otherwise(after, is_prompt=False)


def _with_newcomers(before: Alert, cause: Cause) -> Alert:
    """Return the alert knowing who joined since it was written.

    In a record of an older version it isn't known who was there: nobody counts as new then.
    """
    known_until = cause.known_until
    if not known_until or is_before(known_until, before.known_until):
        return before
    new = [member.line for member in cause.members if is_before(before.known_until, member.since)]
    if not new:
        return replace(before, known_until=known_until)
    joined = (*new, *(before.joined if before.newcomers else ()))[:MOST_SUBJECTS]
    return replace(before, known_until=known_until, newcomers=before.newcomers + len(new), joined=joined)


def resolved(before: Alert | None, now: datetime, *, solved: str = "") -> Alert | None:
    """Return the alert with its problem gone, and how that came; the same object where it is not open."""
    if before is None or not before.is_open:
        return before
    return heard(before, replace(before.notice, at=now, raised=False, solved=solved))


def moved(before: Alert | None, now: datetime, *, goes_on_in: str) -> Alert | None:
    """Return the alert as over, though its problem isn't gone: `goes_on_in` says in a sentence where it goes on.

    The same object where it is not open.
    """
    after = resolved(before, now, solved=goes_on_in)
    return after if after is before or after is None else replace(after, unsolved_sequence=after.sequence)
