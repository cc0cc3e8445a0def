"""A stay's two times as instants, which due times and severities need. Matching itself works on wall clocks.

A wall time of a lock whose zone isn't known yet is no instant. Due times then use the earliest moment that it can be in
any zone, so that nothing is late. People read the wall time itself.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from shared.domain.stay.stay import Instant, Stay, StayTime, WallTime
from shared.domain.times.wall_clock import find_zone, instant_at

# The last place on Earth where a wall clock shows a given time does so 12 hours after UTC does, the first 14 before.
_LATEST_ZONE: Final = timedelta(hours=12)
_EARLIEST_ZONE: Final = timedelta(hours=14)
LONGEST_DOUBT: Final = _LATEST_ZONE + _EARLIEST_ZONE
"""How far a wall time's latest moment is from its earliest."""


@dataclass(frozen=True, slots=True)
class CheckIn:
    """When a guest comes: not before `at`, not after `latest`.

    They are one, unless nobody knows the lock's zone: then `wall` is what its clock shows, and None otherwise.
    """

    at: datetime
    latest: datetime
    wall: datetime | None = None


def wall_check_in(at: datetime) -> CheckIn:
    """Return the check-in at a wall time of an unknown zone. Raises OverflowError."""
    wall = at.replace(tzinfo=None)
    earliest, latest = (at.replace(tzinfo=UTC) + by for by in (-_EARLIEST_ZONE, _LATEST_ZONE))
    return CheckIn(earliest, latest, wall)


def instants_of(stay: Stay, lock_zone: str | None) -> tuple[datetime, datetime]:
    """Return check-in and check-out as aware instants.

    Where the lock's zone isn't known, its wall times are read as the earliest moment they can mean anywhere for
    check-in (nobody comes before that), and as the latest for check-out (a stay isn't over before that).
    """
    zone = find_zone(lock_zone) if lock_zone else None
    return check_in_at(stay.check_in, lock_zone).at, _instant(stay.check_out, zone) or surely_over_at(stay)


def check_in_at(moment: StayTime, lock_zone: str | None) -> CheckIn:
    """Return when the guest of a stay that begins at `moment` comes. Raises OverflowError."""
    at = _instant(moment, find_zone(lock_zone) if lock_zone else None)
    return CheckIn(at, at) if at is not None else wall_check_in(moment.at)


def _instant(moment: StayTime, lock_zone: ZoneInfo | None) -> datetime | None:
    if isinstance(moment, Instant):
        return moment.at
    zone = find_zone(moment.time_zone) if moment.time_zone else lock_zone
    return instant_at(moment.at, zone) if zone else None


def surely_over_at(stay: Stay) -> datetime:
    """Return an instant at which the stay has ended in any time zone."""
    return _upper_bound(stay.check_out)


def _upper_bound(moment: StayTime) -> datetime:
    if isinstance(moment, WallTime):
        return moment.at.replace(tzinfo=UTC) + _LATEST_ZONE
    return moment.at
