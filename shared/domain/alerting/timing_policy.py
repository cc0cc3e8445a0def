"""When people are told: how long a group waits, when a problem gets more severe, when reminders follow or stop.

The rules come from the settings and ALERTS_FILE, and are the same in every worker.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from shared.domain.alerting.budget import Rate
from shared.domain.alerting.missed_heartbeats import LEVELS
from shared.domain.alerting.mute_times import MuteTime
from shared.domain.alerting.routing import Routing
from shared.domain.alerting.severity import PAGE_BEFORE, WARN_BEFORE, Severity, severity
from shared.domain.booking.record import AlertNotice

_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)

# Each pause follows the one before; the last repeats for as long as the problem is open.
REMINDERS: Final[Mapping[Severity, tuple[timedelta, ...]]] = {
    Severity.INFO: (),
    Severity.WARNING: (4 * _HOUR, 12 * _HOUR, 24 * _HOUR),
    Severity.PAGE: (15 * _MINUTE, 30 * _MINUTE, _HOUR, 2 * _HOUR, 4 * _HOUR, 8 * _HOUR, 24 * _HOUR),
}
# Newcomers to a known cause are told when so long has passed since the last news: each pause follows the one before,
# and the last repeats. So sixty bookings of one unknown unit within an hour are a few messages.
NEWCOMERS: Final[Mapping[Severity, tuple[timedelta, ...]]] = {
    Severity.INFO: (_HOUR, 4 * _HOUR, 12 * _HOUR, 24 * _HOUR),
    Severity.WARNING: (15 * _MINUTE, _HOUR, 4 * _HOUR, 12 * _HOUR),
    Severity.PAGE: (5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR),
}
# How long the first alert of a group waits for others: if twenty doors lose their slots, Seam needs seconds to report.
GROUP_WINDOW: Final = timedelta(seconds=30)
LONGEST_PAGE_WINDOW: Final = timedelta(seconds=5)
# An alert that pages within this time after another one of its group joins that incident. A later one gets its own.
PAGE_JOIN_WINDOW: Final = timedelta(minutes=10)
# A channel may ask for a pause of an hour (HTTP 429, Retry-After). A page goes to another channel after this.
PAGE_WAITS_FOR_CHANNEL: Final = timedelta(minutes=1)
# About a day, with the pauses of `shared.domain.booking.retries`. A channel that works again by then missed nothing.
MOST_TRIES: Final = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPolicy:
    """The rules of how urgently, how often and by which channels people are told.

    `silent_for` says after how long a heartbeat counts as missed, by reason.
    """

    routing: Routing = field(default_factory=Routing)
    page_before: timedelta = PAGE_BEFORE
    warn_before: timedelta = WARN_BEFORE
    levels: Mapping[str, Severity] = field(default_factory=lambda: LEVELS)
    reminders: Mapping[Severity, tuple[timedelta, ...]] = field(default_factory=lambda: REMINDERS)
    group_window: timedelta = GROUP_WINDOW
    page_join_window: timedelta = PAGE_JOIN_WINDOW
    mute_time: MuteTime | None = None
    rate: Rate = field(default_factory=Rate)
    tries_before_fallback: int = 4
    page_waits_for_channel: timedelta = PAGE_WAITS_FOR_CHANNEL
    most_tries: int = MOST_TRIES
    runbook_url: str = ""
    silent_for: Mapping[str, timedelta] = field(default_factory=dict)

    def severity(self, notice: AlertNotice, now: datetime) -> Severity:
        """Return the severity now; `levels` is for problems without a check-in."""
        if notice.check_in is None and notice.problem in self.levels:
            return self.levels[notice.problem]
        return severity(
            notice.check_in,
            now,
            check_out=notice.check_out,
            page_before=self.page_before,
            warn_before=self.warn_before,
        )

    def changes_at(self, notice: AlertNotice, now: datetime) -> datetime | None:
        """Return when the severity next changes by time alone; None if it doesn't."""
        if notice.check_in is None:
            return None
        moments = (notice.check_in - self.warn_before, notice.check_in - self.page_before, notice.check_out)
        return min((moment for moment in moments if moment is not None and moment > now), default=None)

    def window(self, level: Severity) -> timedelta:
        """Return how long news of this level waits for others of its group."""
        return min(self.group_window, LONGEST_PAGE_WINDOW) if level is Severity.PAGE else self.group_window

    def pause(self, level: Severity, reminders: int) -> timedelta | None:
        """Return how long after the last news the next reminder follows; None if there is none."""
        pauses = self.reminders.get(level, ())
        return pauses[min(reminders, len(pauses) - 1)] if pauses else None

    def newcomer_pause(self, level: Severity, joins: int) -> timedelta:
        """Return how long after the last news newcomers are told; `joins` is how often newcomers were told before."""
        pauses = NEWCOMERS[level]
        return pauses[min(joins, len(pauses) - 1)]
