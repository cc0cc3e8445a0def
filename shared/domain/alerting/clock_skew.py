"""The alert of a clock that differs from the data server's: which clock, by how much, what may go wrong. Pure."""

from datetime import datetime, timedelta
from typing import Final

from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import AlertNotice
from shared.domain.quoting import shown
from shared.domain.times.wording import show_length

# Webhooks bear five minutes (Standard Webhooks specification), workers among each other 15 s (their `SETTLE_MARGIN`).
# A clock that keeps time by NTP is well within a second.
LARGEST_SKEW: Final = timedelta(seconds=30)
_SECOND: Final = timedelta(seconds=1)
_OURS: Final = "By it codes become due early or late, and with two workers one could be made twice."
_SENDERS: Final = (
    "Webhooks that seem older or newer than 5 minutes are refused (401); until then nothing is lost. If our own clocks"
    " are right it is the sender's."
)


def key_of(name: str) -> str:
    """Return the alert's key for a clock."""
    return f"clock/{name}"


def is_skewed(ahead: timedelta) -> bool:
    """Say whether a clock is so far from the data server's that people are told."""
    return abs(ahead) > LARGEST_SKEW


def show_skew(ahead: timedelta) -> str:
    """Return how far a clock is from the data server's, in whole seconds from one second on."""
    length = abs(ahead)
    rounded = length if length < _SECOND else round(length / _SECOND) * _SECOND
    return f"{show_length(rounded)} {'ahead of' if ahead > timedelta() else 'behind'} the data server's"


def clock_skew_notice(name: str, ahead: timedelta, *, is_of_sender: bool, now: datetime) -> AlertNotice:
    """Return the notice of one clock; `name` is the process or sender that has this clock."""
    stake = _SENDERS if is_of_sender else _OURS
    return alert_notice(
        Reason.CLOCK_SKEW,
        key=key_of(name),
        subject=f"Clock of {shown(name)}",
        at=now,
        raised=is_skewed(ahead),
        detail=f"It is {show_skew(ahead)}. {stake}",
        look_closer="oracode doctor",
    )
