"""Missed heartbeats: something that should happen regularly stopped.

It notes a heartbeat each time that it happens, under one of the names below. A heartbeat that was never noted isn't
missed: that part isn't in use.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.domain.alerting.severity import Severity
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import AlertNotice
from shared.domain.times.wording import show_length

SWEEP: Final = "sweep"
BOOKINGS: Final = "bookings"
PRE_ARRIVAL: Final = "chore:check_arrivals"
# A webhook brought an event.
WEBHOOK: Final = "webhook"
# The sign of life of any process `web`.
WEB: Final = "process:web"


@dataclass(frozen=True, slots=True)
class MissedHeartbeat:
    """A heartbeat that may be missed: after how long (None: only if ALERTS_FILE says so), and the severity then."""

    beat: str
    silent_for: timedelta | None
    severity: Severity


# By reason; the texts are in the problem catalogue.
MISSED_HEARTBEATS: Final[Mapping[str, MissedHeartbeat]] = {
    Reason.SWEEP_SILENT: MissedHeartbeat(SWEEP, timedelta(minutes=2), Severity.PAGE),
    Reason.WEB_SILENT: MissedHeartbeat(WEB, timedelta(minutes=2), Severity.PAGE),
    Reason.BOOKINGS_SILENT: MissedHeartbeat(BOOKINGS, None, Severity.WARNING),
    Reason.PRE_ARRIVAL_SILENT: MissedHeartbeat(PRE_ARRIVAL, timedelta(hours=26), Severity.WARNING),
}

# The severity of problems that have no check-in. A reason that isn't listed is a warning.
LEVELS: Final[Mapping[str, Severity]] = {
    **{name: each.severity for name, each in MISSED_HEARTBEATS.items()},
    Reason.REPLICAS_MISSING: Severity.PAGE,
    Reason.CANCELLATION_UNKNOWN: Severity.INFO,
}


def missed_heartbeat_key(problem: str) -> str:
    """Return the alert's key."""
    return f"absence/{problem}"


def missed_heartbeat_notice(
    problem: str, beats: Mapping[str, datetime], now: datetime, *, silent_for: timedelta | None = None
) -> AlertNotice | None:
    """Return the notice that this heartbeat is missed (`raised`) or not; None if it isn't watched.

    `silent_for` replaces the time in the table.
    """
    heartbeat = MISSED_HEARTBEATS[problem]
    last = beats.get(heartbeat.beat)
    longest = silent_for or heartbeat.silent_for
    if last is None or longest is None:
        return None
    silence = now - last
    return alert_notice(
        problem,
        key=missed_heartbeat_key(problem),
        subject=f"Missing: {heartbeat.beat.rpartition(':')[2].replace('_', ' ')}",
        at=now,
        raised=silence > longest,
        detail=f"For longer than {show_length(longest)}.",
        look_closer="oracode doctor",
    )
