"""What people are told of a problem, and when it is told again: the pure part of alerting.

A problem has a key. While it is open its repeats are counted, and told again only if what happened is something new;
when it is gone, that is told once. `sequence` numbers what is to be told: a channel is behind while its own is lower.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shared.domain.records import AlertNotice
from shared.domain.retries import next_try


class Severity(StrEnum):
    """How much it hurries; it follows from the time that is left until check-in."""

    INFO = "info"
    WARNING = "warning"
    PAGE = "page"


PAGE_BEFORE: Final = timedelta(hours=2)
WARN_BEFORE: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How far one channel has been told: up to `sequence`; `attempts` failed since, tried again at `next_at`."""

    sequence: int = 0
    attempts: int = 0
    next_at: datetime | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One problem over its whole life."""

    notice: AlertNotice
    opened_at: datetime
    is_open: bool = True
    count: int = 1
    sequence: int = 1
    opened_sequence: int = 1
    told: Mapping[str, Told] = field(default_factory=dict)

    def told_to(self, channel: str) -> Told:
        """Return how far `channel` has been told."""
        return self.told.get(channel, Told())


def heard(before: Alert | None, notice: AlertNotice) -> Alert | None:
    """Return the alert after `notice`; None where a problem is resolved that nobody was told of."""
    if before is None or (notice.raised and not before.is_open):
        if not notice.raised:
            return None
        sequence = before.sequence + 1 if before else 1
        return Alert(
            notice=notice,
            opened_at=notice.at,
            sequence=sequence,
            opened_sequence=sequence,
            told=before.told if before else {},
        )
    if notice.raised:
        is_news = notice.happened != before.notice.happened
        return replace(
            before,
            notice=notice,
            count=before.count + 1,
            sequence=before.sequence + (1 if is_news else 0),
        )
    if not before.is_open:
        return before
    return replace(before, is_open=False, sequence=before.sequence + 1)


def is_worth_telling(alert: Alert, channel: str) -> bool:
    """Say whether the channel should hear of it: that a problem is gone is no news to who never heard of it."""
    return alert.is_open or alert.told_to(channel).sequence >= alert.opened_sequence


def delivered(alert: Alert, channel: str, sequence: int) -> Alert:
    """Record that `channel` has taken what `sequence` stood for."""
    return replace(
        alert,
        told={**alert.told, channel: Told(sequence=max(sequence, alert.told_to(channel).sequence))},
    )


def undelivered(
    alert: Alert,
    channel: str,
    *,
    error: str,
    now: datetime,
    jitter: float,
    retry_after: timedelta | None,
) -> Alert:
    """Record that `channel` didn't take it, and when it is tried again."""
    told = alert.told_to(channel)
    attempts = told.attempts + 1
    retry = next_try(attempt=attempts, now=now, check_in=None, jitter=jitter, retry_after=retry_after)
    told = replace(told, attempts=attempts, next_at=retry.at, error=error)
    return replace(alert, told={**alert.told, channel: told})


def due_at(alert: Alert, channels: tuple[str, ...], now: datetime) -> datetime | None:
    """Return when the alert must be looked at next; None while every channel knows all of it."""
    behind = (alert.told_to(name) for name in channels if alert.told_to(name).sequence < alert.sequence)
    return min((told.next_at or now for told in behind), default=None)


def severity(check_in: datetime | None, now: datetime) -> Severity:
    """Return how much a problem hurries; without a check-in it is a warning."""
    if check_in is None:
        return Severity.WARNING
    left = check_in - now
    if left <= PAGE_BEFORE:
        return Severity.PAGE
    return Severity.WARNING if left <= WARN_BEFORE else Severity.INFO
