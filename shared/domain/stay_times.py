"""A stay's two times as instants, which due times and severities need; matching itself works on wall clocks.

A wall time of a lock whose zone nobody knows yet is no instant. Whoever hurries by it takes the earliest moment that it
can be anywhere, and people read the wall time itself: nobody hears too late, and nobody reads a time that is wrong.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from shared.domain.bookings import Instant, Stay, StayTime, WallTime
from shared.domain.records import BookedDoor, Booking
from shared.domain.wall_clock import find_zone, instant_at

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


def check_in_of(stay: Stay | None, door: BookedDoor) -> CheckIn | None:
    """Return a door's check-in, by its zone as last known until it was planned. None where nothing tells of it."""
    if stay is None:
        return CheckIn(door.check_in, door.check_in) if door.check_in is not None else None
    told = _check_in(stay.check_in, door.time_zone)
    # A door that was read and has no zone leaves a doubt about just that moment.
    return told if door.check_in in (None, told.at) else CheckIn(door.check_in, door.check_in)


def wall_check_in(at: datetime) -> CheckIn:
    """Return the check-in that a wall time tells of whose zone nobody knows. Raises OverflowError."""
    wall = at.replace(tzinfo=None)
    earliest, latest = (at.replace(tzinfo=UTC) + by for by in (-_EARLIEST_ZONE, _LATEST_ZONE))
    return CheckIn(earliest, latest, wall)


def instants_of(stay: Stay, lock_zone: str | None) -> tuple[datetime, datetime]:
    """Return check-in and check-out as aware instants.

    Where the lock's zone isn't known, its wall times are read as the earliest moment they can mean anywhere for
    check-in (nobody comes before that), and as the latest for check-out (a stay isn't over before that).
    """
    zone = find_zone(lock_zone) if lock_zone else None
    return _check_in(stay.check_in, lock_zone).at, _instant(stay.check_out, zone) or surely_over_at(stay)


def _check_in(moment: StayTime, lock_zone: str | None) -> CheckIn:
    at = _instant(moment, find_zone(lock_zone) if lock_zone else None)
    return CheckIn(at, at) if at is not None else wall_check_in(moment.at)


def _instant(moment: StayTime, lock_zone: ZoneInfo | None) -> datetime | None:
    if isinstance(moment, Instant):
        return moment.at
    zone = find_zone(moment.time_zone) if moment.time_zone else lock_zone
    return instant_at(moment.at, zone) if zone else None


def arrival_of(stay: Stay | None, door: BookedDoor) -> datetime | None:
    """Return the earliest moment that a door's check-in can be; None where nothing tells of it."""
    found = check_in_of(stay, door)
    return found.at if found is not None else None


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
