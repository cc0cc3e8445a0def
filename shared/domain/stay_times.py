"""A stay's two times as instants, which due times and severities need; matching itself works on wall clocks."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from shared.domain.bookings import Instant, Stay, StayTime, WallTime
from shared.domain.records import Booking
from shared.domain.wall_clock import find_zone, instant_at

# The last place on Earth where a wall clock shows a given time does so 12 hours after UTC does.
_LATEST_ZONE: Final = timedelta(hours=12)


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


def arrival_of(stay: Stay | None, check_in: datetime | None) -> datetime | None:
    """Return a door's check-in; until the door was read, what the stay itself tells of it. None where nothing does."""
    if check_in is not None or stay is None:
        return check_in
    return instants_of(stay, None)[0]


def surely_over_at(stay: Stay) -> datetime:
    """Return an instant at which the stay has ended in whatever zone its door is."""
    return _upper_bound(stay.check_out)


def last_check_out(booking: Booking) -> datetime | None:
    """Return when the last door of the booking is left: the instants of its doors, once all of them are known.

    Until then the upper bound; None for a mere cancellation.
    """
    if booking.stay is None:
        return None
    known = [door.check_out for door in booking.doors if door.wanted]
    check_outs = [check_out for check_out in known if check_out is not None]
    return max(check_outs) if known and len(check_outs) == len(known) else surely_over_at(booking.stay)


def _upper_bound(moment: StayTime) -> datetime:
    if isinstance(moment, WallTime):
        return moment.at.replace(tzinfo=UTC) + _LATEST_ZONE
    return moment.at
