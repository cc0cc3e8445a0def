"""A stay as a lock's own clock shows it: what every distance to a slot is measured on."""

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.domain.quoting import quoted
from shared.domain.stay.stay import Instant, Stay, StayTime
from shared.domain.times.wall_clock import find_zone, instant_at, microseconds, microseconds_of_day, same_clock, wall_at

_FIRST_YEAR, _LAST_YEAR = 2, 9998  # a slot may lie a day further out, and so may an offset


class UnusableStay(ValueError):
    """No slots could serve this stay; the text says why."""


class WallStay(NamedTuple):
    """A stay on the clock of `zone`; its times of day and its length are in microseconds too."""

    zone: ZoneInfo
    check_in: datetime
    check_out: datetime
    check_in_of_day: int
    check_out_of_day: int
    length: int


def wall_stay(stay: Stay, zone: ZoneInfo) -> WallStay:
    """Return the stay on the wall clock of `zone`; raise UnusableStay."""
    try:
        check_in, check_out = _on_clock(stay.check_in, zone), _on_clock(stay.check_out, zone)
    except OverflowError:
        raise UnusableStay("the stay lies outside the calendar") from None
    if min(check_in, check_out).year < _FIRST_YEAR or max(check_in, check_out).year > _LAST_YEAR:
        raise UnusableStay("the stay lies outside the calendar")
    return WallStay(
        zone,
        check_in,
        check_out,
        microseconds_of_day(check_in),
        microseconds_of_day(check_out),
        microseconds(check_out - check_in),
    )


def is_in_order(stay: Stay) -> bool | None:
    """Whether check-out is after check-in; None where only the lock's clock can tell.

    Two times on the lock's clock count as they are written; where neither is on it, the instants
    decide.
    """
    check_in, check_out = stay.check_in, stay.check_out
    starts_at, ends_at = _instant(check_in), _instant(check_out)
    if starts_at is not None and ends_at is not None:
        return starts_at < ends_at
    if starts_at is None and ends_at is None:
        return check_in.at < check_out.at
    return None


def _instant(time: StayTime) -> datetime | None:
    """Return the moment of a booking time, None for one on the lock's own clock."""
    if isinstance(time, Instant):
        if time.at.utcoffset() is None:
            raise UnusableStay("an instant has no offset")
        return time.at
    if time.at.tzinfo is not None:
        raise UnusableStay("a wall time has an offset")
    if time.time_zone is None:
        return None
    try:
        return instant_at(time.at, _zone(time.time_zone))
    except OverflowError:
        raise UnusableStay("the stay lies outside the calendar") from None


def _on_clock(time: StayTime, zone: ZoneInfo) -> datetime:
    """Return what the lock's clock shows at a booking time.

    A local time of the lock's own zone, under any of its names, counts as it is written, even in the
    hour that the clock skips or doubles. One of another zone is converted: skipped there → later,
    doubled → the first.
    """
    if isinstance(time, Instant):
        return wall_at(time.at, zone)
    if time.time_zone is None:
        return time.at
    theirs = _zone(time.time_zone)
    if same_clock(theirs, zone, time.at):
        return time.at
    return wall_at(instant_at(time.at, theirs), zone)


def _zone(name: str) -> ZoneInfo:
    zone = find_zone(name)
    if zone is None:
        raise UnusableStay(f"{quoted(name)} is no time zone")
    return zone
