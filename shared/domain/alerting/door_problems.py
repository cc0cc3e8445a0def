"""Errors and warnings of a door, or of a connected account with all its doors: what people are told. Pure.

A door's own issues make one alert for the door. An account's issue is told once, even if many doors repeat it. A door
that was removed has only the alert that it is gone (`shared.domain.alerting.door_gone`).
"""

from collections.abc import Collection, Container, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from shared.domain.alerting.affected_bookings import AffectedDoor, affected_doors, cause_of
from shared.domain.alerting.causes import Cause
from shared.domain.alerting.door_gone import door_gone_key
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import AlertNotice, Booking
from shared.domain.door.issues import REMOVED, REPEATED_WARNINGS, Issue
from shared.domain.matching.manual_choice import short

DOOR_PROBLEM: Final = Reason.DOOR_TROUBLE
ACCOUNT_PROBLEM: Final = Reason.ACCOUNT_TROUBLE
# An alert has room for a few sentences; `oracode doctor` lists all issues.
_MOST_IN_WORDS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownIssues:
    """The issues of a door, and of its account, as each was last read.

    `of_door` includes the account's errors that the door repeats. `account_id` is empty if it isn't known.
    """

    of_door: tuple[Issue, ...] = ()
    of_account: tuple[Issue, ...] = ()
    account_id: str = ""


def door_problem_key(device_id: str) -> str:
    """Return the key of a door's alert. Keys are stored: this one ends in `trouble`."""
    return f"door/{device_id}/trouble"


def account_problem_key(account_id: str) -> str:
    """Return the key of an account's alert. Keys are stored: this one ends in `trouble`."""
    return f"account/{account_id}/trouble"


def is_removed(issues: Iterable[Issue]) -> bool:
    """Say whether Seam lists the door as removed."""
    return any(issue.code == REMOVED for issue in issues)


def issues_for_door_alert(issues: Iterable[Issue], account_id: str) -> tuple[Issue, ...]:
    """Return the issues for the alert of the door itself; none if the door was removed."""
    issues = tuple(issues)
    if is_removed(issues):
        return ()
    return tuple(issue for issue in issues if issue.meaning.is_told and not (issue.is_of_account and account_id))


def issues_for_account_alert(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Return the issues for the one alert of the account."""
    return tuple(issue for issue in issues if issue.meaning.is_told and issue.is_of_account)


def key_of_inhibiting_alert(known: KnownIssues, device_id: str, code: str) -> str:
    """Return the key of the door's or account's alert of the error `code`; empty if there is none.

    That alert inhibits the same error of an access code. So the issue must be as serious at the door as at the code:
    it blocks, or it is a warning in both places.
    """
    issues = (issue for issue in (*known.of_door, *known.of_account) if issue.code == code)
    for issue in issues:
        if not ((issue.meaning.blocks or code in REPEATED_WARNINGS) and issue.meaning.is_told):
            continue
        if issue.is_of_account and known.account_id:
            return account_problem_key(known.account_id)
        return door_gone_key(device_id) if issue.code == REMOVED else door_problem_key(device_id)
    return ""


def issue_behind_unknown_status(known: KnownIssues | None) -> Issue | None:
    """Return the issue that may explain why Seam doesn't know a code's status; the account's issues come first."""
    issues = (*known.of_account, *known.of_door) if known is not None else ()
    blocking = (issue for issue in issues if issue.meaning.blocks)
    return min(blocking, key=lambda issue: not issue.is_of_account, default=None)


def door_problem_cause(
    device_id: str, name: str, issues: Collection[Issue], bookings: Iterable[Booking], now: datetime
) -> Cause | None:
    """Return the cause for the alert of a door; None without issues, or if no stay on the door is left."""
    subject = f"Door {short(name)} ({device_id})" if name else f"Door {device_id}"
    notice = replace(_notice(DOOR_PROBLEM, door_problem_key(device_id), subject, issues, now), device_id=device_id)
    return _cause(notice, issues, affected_doors(bookings, {device_id}, now))


def account_problem_cause(
    account_id: str, issues: Collection[Issue], device_ids: Container[str], bookings: Iterable[Booking], now: datetime
) -> Cause | None:
    """Return the cause for the alert of an account; None without issues, or without a stay on its doors."""
    notice = _notice(ACCOUNT_PROBLEM, account_problem_key(account_id), f"Connected account {account_id}", issues, now)
    return _cause(notice, issues, affected_doors(bookings, device_ids, now))


def _notice(problem: str, key: str, subject: str, issues: Collection[Issue], now: datetime) -> AlertNotice:
    first = [issue.meaning for issue in _blocking(issues) or issues][:_MOST_IN_WORDS]
    return alert_notice(
        problem,
        key=key,
        subject=subject,
        at=now,
        detail=in_words(issues),
        next_step=" ".join(dict.fromkeys(each.next_step for each in first if each.next_step)),
        actor=next((each.actor for each in first if each.actor), ""),
    )


def _cause(notice: AlertNotice, issues: Collection[Issue], affected: list[AffectedDoor]) -> Cause | None:
    return cause_of(notice, affected, hurries=bool(_blocking(issues))) if issues and affected else None


def _blocking(issues: Iterable[Issue]) -> list[Issue]:
    return [issue for issue in issues if issue.meaning.blocks]


def in_words(issues: Collection[Issue]) -> str:
    """Return issues as sentences: the first few, and how many more there are."""
    texts = [f"{issue.text}." for issue in list(issues)[:_MOST_IN_WORDS]]
    more = len(issues) - len(texts)
    return " ".join([*texts, *([f"And {more} more."] if more > 0 else [])])
