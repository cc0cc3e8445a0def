"""A stay's two times as instants, which due times and severities need; matching itself works on wall clocks."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from shared.domain.bookings import Instant, Stay, StayTime
from shared.domain.lifecycle import surely_over_at
from shared.domain.wall_clock import find_zone, instant_at


def instants_of(stay: Stay, lock_zone: str | None) -> tuple[datetime, datetime]:
    """Return check-in and check-out as aware instants.

    Where the lock's zone isn't known, its wall times are read as UTC for check-in (near enough to hurry by), and as the
    latest moment they can mean anywhere for check-out (a stay isn't over before that).
    """
    zone = find_zone(lock_zone) if lock_zone else None
    check_in = _instant(stay.check_in, zone) or _as_utc(stay.check_in)
    return check_in, _instant(stay.check_out, zone) or surely_over_at(stay)


def _instant(moment: StayTime, lock_zone: ZoneInfo | None) -> datetime | None:
    if isinstance(moment, Instant):
        return moment.at
    zone = find_zone(moment.time_zone) if moment.time_zone else lock_zone
    return instant_at(moment.at, zone) if zone else None


def _as_utc(moment: StayTime) -> datetime:
    return moment.at.replace(tzinfo=UTC) if moment.at.tzinfo is None else moment.at
