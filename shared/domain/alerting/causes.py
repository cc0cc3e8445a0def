"""An alert of one cause that hits several bookings: told once, with how many it hits and the nearest of them."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from shared.domain.alerting.alert import Alert, heard, looking_otherwise, what_is_said
from shared.domain.alerting.severity import Severity
from shared.domain.booking.record import AlertNotice

MOST_SUBJECTS: Final = 10


@dataclass(frozen=True, slots=True)
class Cause:
    """What is told of one cause: the notice, how many bookings it hits, and some of them in words, nearest first."""

    notice: AlertNotice
    hit: int = 0
    subjects: tuple[str, ...] = ()


def raised(before: Alert | None, cause: Cause, *, group: str, level: Severity) -> Alert | None:
    """Return the open alert of a cause; the same object where nothing about it changed.

    Other words are news. Which bookings it hits, and how near the next guest is, is kept true without being news.
    """
    notice, subjects = cause.notice, cause.subjects[:MOST_SUBJECTS]
    if before is None or not before.is_open:
        opened = heard(before, notice, group=group, level=level)
        return replace(opened, hit=cause.hit, subjects=subjects) if opened else None
    if what_is_said(notice.happened) != what_is_said(before.notice.happened):
        changed = heard(before, notice)
        return replace(changed, hit=cause.hit, subjects=subjects) if changed else None
    same = replace(notice, at=before.notice.at)
    if (before.notice, before.hit, before.subjects) == (same, cause.hit, subjects):
        return before
    return looking_otherwise(replace(before, notice=same, hit=cause.hit, subjects=subjects), is_prompt=False)


def resolved(before: Alert | None, now: datetime, *, solved: str = "") -> Alert | None:
    """Return the alert with its problem gone, and how that came; the same object where it is not open."""
    if before is None or not before.is_open:
        return before
    return heard(before, replace(before.notice, at=now, raised=False, solved=solved))
