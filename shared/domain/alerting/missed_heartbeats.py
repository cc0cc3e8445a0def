"""What used to happen and doesn't any more: the one fault that makes no noise of its own.

Whoever does something again and again leaves a beat, named as here. What never beat is not missed: it isn't in use.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.domain.alerting.severity import Severity
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.problem_catalogue import ProblemRow
from shared.domain.booking.record import AlertNotice
from shared.domain.times.wording import show_length

SWEEP: Final = "sweep"
BOOKINGS: Final = "bookings"
PRE_ARRIVAL: Final = "chore:check_arrivals"


@dataclass(frozen=True, slots=True)
class MissedHeartbeat:
    """One thing that is missed: after how long (None: only where ALERTS_FILE says so), what people read, how loudly."""

    beat: str
    silent_for: timedelta | None
    row: ProblemRow
    severity: Severity


ABSENCES: Final[Mapping[str, MissedHeartbeat]] = {
    "sweep_silent": MissedHeartbeat(
        SWEEP,
        timedelta(minutes=2),
        ProblemRow(
            "Nothing wakes what is due: no retries, no codes for later check-ins, no check-outs.",
            "Start `beat`, or look at its log; `oracode doctor` says how much is overdue.",
            "ops",
        ),
        Severity.PAGE,
    ),
    "bookings_silent": MissedHeartbeat(
        BOOKINGS,
        None,
        ProblemRow(
            "No booking message has arrived for a while, and they used to.",
            "Check that the booking system still publishes; send one by hand with `oracode bookings publish`.",
            "ops",
        ),
        Severity.WARNING,
    ),
    "pre_arrival_silent": MissedHeartbeat(
        PRE_ARRIVAL,
        timedelta(hours=26),
        ProblemRow(
            "The daily check of the coming arrivals hasn't run.",
            "Look at the worker's log for `chore.`; until it runs, check the next arrivals with `oracode arrivals`.",
            "ops",
        ),
        Severity.WARNING,
    ),
}

# How loudly problems are told that no check-in puts a time on; all others of these are warnings.
LEVELS: Final[Mapping[str, Severity]] = {name: each.severity for name, each in ABSENCES.items()}


def missed_heartbeat_key(problem: str) -> str:
    """Return the alert's key."""
    return f"absence/{problem}"


def missed_heartbeat_notice(
    problem: str, beats: Mapping[str, datetime], now: datetime, *, silent_for: timedelta | None = None
) -> AlertNotice | None:
    """Return whether what leaves this problem's beat is missed (`raised`) or not; None where it isn't watched.

    `silent_for` goes before the time of the table.
    """
    absence = ABSENCES[problem]
    last = beats.get(absence.beat)
    longest = silent_for or absence.silent_for
    if last is None or longest is None:
        return None
    silence = now - last
    return alert_notice(
        absence.row,
        name=problem,
        key=missed_heartbeat_key(problem),
        subject=f"Missing: {absence.beat.removeprefix('chore:').replace('_', ' ')}",
        at=now,
        raised=silence > longest,
        detail=f"For longer than {show_length(longest)}.",
        look_closer="oracode doctor",
    )
