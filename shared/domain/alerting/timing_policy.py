"""When people are told: how long a group waits, when a problem gets more severe, when reminders follow or stop.

The rules are those that the settings make: values only, the same for every worker.
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
# Newcomers to a cause that people know of are told once so long has passed since the last word: each pause follows the
# one before, and the last repeats. Sixty bookings of one unknown unit in an hour are a few messages.
NEWCOMERS: Final[Mapping[Severity, tuple[timedelta, ...]]] = {
    Severity.INFO: (_HOUR, 4 * _HOUR, 12 * _HOUR, 24 * _HOUR),
    Severity.WARNING: (15 * _MINUTE, _HOUR, 4 * _HOUR, 12 * _HOUR),
    Severity.PAGE: (5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR),
}
# How long the first of a group waits for others: twenty doors that lose their slots take Seam some seconds to tell.
GROUP_WINDOW: Final = timedelta(seconds=30)
LONGEST_PAGE_WINDOW: Final = timedelta(seconds=5)
# An alert that pages within this time after another of its group joins that one's incident. A later one pages by
# itself.
PAGE_JOIN_WINDOW: Final = timedelta(minutes=10)
# A channel may name a pause of an hour (HTTP 429, Retry-After); the guest at the door doesn't wait for it.
PAGE_WAITS_FOR_CHANNEL: Final = timedelta(minutes=1)
# With the pauses of `shared.domain.booking.retries` about a day: if the channel is mended by then, nothing was missed.
MOST_TRIES: Final = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPolicy:
    """What decides how loudly, how often and by which channels people are told.

    `silent_for` says, by the kind of absence, after how long something is missed.
    """

    routing: Routing = field(default_factory=Routing)
    page_before: timedelta = PAGE_BEFORE
    warn_before: timedelta = WARN_BEFORE
    levels: Mapping[str, Severity] = field(default_factory=lambda: LEVELS)
    reminders: Mapping[Severity, tuple[timedelta, ...]] = field(default_factory=lambda: REMINDERS)
    group_window: timedelta = GROUP_WINDOW
    page_join_window: timedelta = PAGE_JOIN_WINDOW
    quiet: MuteTime | None = None
    rate: Rate = field(default_factory=Rate)
    tries_before_fallback: int = 4
    page_waits_for_channel: timedelta = PAGE_WAITS_FOR_CHANNEL
    most_tries: int = MOST_TRIES
    runbook_url: str = ""
    silent_for: Mapping[str, timedelta] = field(default_factory=dict)

    def severity(self, notice: AlertNotice, now: datetime) -> Severity:
        """Return how much the problem hurries now; `levels` is for problems that no check-in puts a time on."""
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
        """Return when it hurries more (or no longer) by itself."""
        if notice.check_in is None:
            return None
        moments = (notice.check_in - self.warn_before, notice.check_in - self.page_before, notice.check_out)
        return min((moment for moment in moments if moment is not None and moment > now), default=None)

    def window(self, level: Severity) -> timedelta:
        """Return how long news of this level waits for others of its group."""
        return min(self.group_window, LONGEST_PAGE_WINDOW) if level is Severity.PAGE else self.group_window

    def pause(self, level: Severity, reminders: int) -> timedelta | None:
        """Return how long after the last word the next reminder follows, None where none does."""
        pauses = self.reminders.get(level, ())
        return pauses[min(reminders, len(pauses) - 1)] if pauses else None

    def newcomer_pause(self, level: Severity, joins: int) -> timedelta:
        """Return how long after the last word newcomers are told, where they were told `joins` times before."""
        pauses = NEWCOMERS[level]
        return pauses[min(joins, len(pauses) - 1)]
