"""Whether and when a failed try is repeated. Pure: the decision is a value.

- A failure that will happen again goes to a person at once. One that nobody foresaw goes to a person after a few tries.
- Other failures are repeated with growing pauses and jitter. The next try is at check-in at the latest.
- After check-in a guest may be waiting, so the longest pause is short.
- People aren't told of the first few failures.

`decide` is for a failed step of a door, `next_try` for what is always repeated (a notification, a create in doubt), and
`next_wait` for a door where something has to change first.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

FIRST_PAUSE: Final = timedelta(seconds=2)
LONGEST_PAUSE: Final = timedelta(minutes=10)
LONGEST_PAUSE_AFTER_CHECK_IN: Final = timedelta(minutes=1)
SHORTEST_PAUSE: Final = timedelta(seconds=1)
# Seam's per-door limits are counted by the minute (Seam docs, "Rate limits"); it documents no Retry-After.
RATE_LIMIT_PAUSE: Final = timedelta(seconds=60)
TELL_AFTER_ATTEMPTS: Final = 4
TELL_AT_ONCE_BEFORE_CHECK_IN: Final = timedelta(hours=2)
# A failure that nobody foresaw may pass. After so many tries it counts as a bug, and a person has to act.
UNKNOWN_ATTEMPTS: Final = 4


class Failure(Enum):
    """How a try failed, as far as the next one is concerned."""

    TRANSIENT = auto()
    """The other side was away or failing; the same call may succeed later."""
    RATE_LIMITED = auto()
    """Too many calls; the other side wants a pause."""
    OUR_KEY = auto()
    """Our key isn't accepted: for a person at once, and tried again until it is."""
    PERMANENT = auto()
    """The same call will fail again."""
    UNKNOWN = auto()
    """A failure that nobody foresaw: most likely a bug of ours."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Don't repeat it: a person must act."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again `at`; `tell` says whether a person should know by now."""

    at: datetime
    tell: bool


def decide(
    failure: Failure,
    *,
    attempt: int,
    now: datetime,
    check_in: datetime | None,
    jitter: float,
    retry_after: timedelta | None = None,
) -> Retry | GiveUp:
    """Say what follows the `attempt`-th failure in a row (from 1). `jitter` is a random number in [0, 1)."""
    match failure:
        case Failure.PERMANENT:
            return GiveUp()
        case Failure.UNKNOWN if attempt >= UNKNOWN_ATTEMPTS:
            return GiveUp()
        case Failure.RATE_LIMITED:
            pause = RATE_LIMIT_PAUSE * (1 + jitter / 4) if retry_after is None else retry_after
            return next_try(attempt=attempt, now=now, check_in=check_in, jitter=jitter, retry_after=pause)
        case Failure.OUR_KEY:
            retry = next_try(attempt=attempt, now=now, check_in=check_in, jitter=jitter)
            return Retry(retry.at, tell=True)
        case Failure.TRANSIENT | Failure.UNKNOWN:
            return next_try(attempt=attempt, now=now, check_in=check_in, jitter=jitter, retry_after=retry_after)


def next_try(
    *,
    attempt: int,
    now: datetime,
    check_in: datetime | None,
    jitter: float,
    retry_after: timedelta | None = None,
) -> Retry:
    """Say when the `attempt`-th failure (from 1) is followed by the next try.

    The pause doubles with each failure: at most 2 seconds, 4, 8 and so on, up to 10 minutes from the tenth failure on
    (a minute from the sixth on, after check-in). `jitter`, a random number in [0, 1), shortens it by up to half. A
    `retry_after` that the other side named is honoured in full, also past check-in.
    """
    after_check_in = check_in is not None and now >= check_in
    cap = LONGEST_PAUSE_AFTER_CHECK_IN if after_check_in else LONGEST_PAUSE
    # 2 ** 16 is far beyond the cap; without a limit a long row of failures would be too much for a timedelta.
    backed_off = min(cap, FIRST_PAUSE * 2 ** min(attempt - 1, 16))
    pause = max(SHORTEST_PAUSE, backed_off * (0.5 + jitter / 2))
    at = now + pause
    if check_in is not None and now < check_in < at:
        at = check_in
    if retry_after is not None:
        at = max(at, now + retry_after)
    is_near = check_in is not None and check_in - now <= TELL_AT_ONCE_BEFORE_CHECK_IN
    return Retry(at, tell=attempt >= TELL_AFTER_ATTEMPTS or (is_near and attempt > 1))


def next_wait(*, now: datetime, check_in: datetime | None, longest: timedelta) -> datetime:
    """Say when a door in the waiting room is tried next: after a tenth of the time until check-in.

    At most `longest` from now, and not within a minute: each try reads the door's slots from Seam.
    """
    shortest = min(timedelta(minutes=1), longest)
    left = check_in - now if check_in is not None and check_in > now else timedelta()
    return now + min(longest, max(shortest, left / 10))
