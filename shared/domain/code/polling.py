"""When a code is read again at Seam. Webhooks bring the news; these looks find what no webhook brought.

The pauses grow until the code should be set on the lock. From then on they are short. A confirmed code is read again
when Seam programs the lock, at the code's start, and at check-out.
"""

from datetime import datetime, timedelta
from typing import Final

from shared.domain.booking.record import AccessCode
from shared.domain.code.lateness import PROGRAMMED_BEFORE

_FIRST_LOOK_AFTER: Final = timedelta(seconds=15)
_LONGEST_PAUSE: Final = timedelta(hours=6)
_PAUSE_WHEN_DUE: Final = timedelta(minutes=2)


def next_look(code: AccessCode, *, attempts: int, late_from: datetime, now: datetime) -> datetime:
    """Return when a code that isn't confirmed is read next; `attempts` looks found it unconfirmed so far."""
    expected_at = code.window.starts_at - PROGRAMMED_BEFORE
    backed_off = now + min(_LONGEST_PAUSE, _FIRST_LOOK_AFTER * int(4 ** min(attempts, 8)))
    at = min(backed_off, max(now, expected_at) + _PAUSE_WHEN_DUE)
    return min(at, late_from) if now < late_from else at


def next_look_when_confirmed(code: AccessCode, *, check_out: datetime | None, now: datetime) -> datetime:
    """Return when a confirmed code is read again: until the guest comes, it may change."""
    programmed_at = code.window.starts_at - PROGRAMMED_BEFORE + _PAUSE_WHEN_DUE
    over_at = check_out or code.window.ends_at
    return min((at for at in (programmed_at, code.window.starts_at) if now < at < over_at), default=over_at)
