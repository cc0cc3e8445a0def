"""The times of a booking, the stay that they make, and a unit's defaults for both.

Bookings come with three kinds of time. To turn one kind into another, the lock's zone or the unit's defaults are
needed.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from shared.domain.versions import NOT_IN_JSON, UnknownFields


class Granularity(StrEnum):
    """Which kind of code is wanted: bound to hours (any slot) or to days (24-hour slots)."""

    HOURLY = "hourly"
    DAILY = "daily"


@dataclass(frozen=True, slots=True)
class Instant:
    """A point in time: `at` is aware."""

    at: datetime


@dataclass(frozen=True, slots=True)
class WallTime:
    """What a clock on a wall shows: `at` is naive; `time_zone` names it, None is the lock's own."""

    at: datetime
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class DateOnly:
    """A date whose time of day comes from the unit's rules."""

    on: date


BookingTime = Instant | WallTime | DateOnly
StayTime = Instant | WallTime


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRules:
    """What the doors file says of a unit: its doors and the defaults of its bookings.

    `buffer_before` moves the wanted start earlier, `buffer_after` the wanted end later (cleaning,
    early arrivals). `building` and `tags` say which alerts belong together, and who hears of them.
    """

    unit: str
    device_ids: tuple[str, ...]
    check_in: time | None = None
    check_out: time | None = None
    buffer_before: timedelta = timedelta()
    buffer_after: timedelta = timedelta()
    granularity: Granularity | None = None
    lead_time: timedelta | None = None
    building: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """What a door is asked for: two times, the granularity, and a slot where one was prescribed.

    The times include the unit's buffers: `buffer_before` and `buffer_after` say by how much they were moved from what
    was booked. `as_booked` takes them out again. Two stays that differ only in these two fields are equal.
    """

    check_in: StayTime
    check_out: StayTime
    granularity: Granularity = Granularity.HOURLY
    slot: str | None = None
    buffer_before: timedelta = field(default=timedelta(), compare=False)
    buffer_after: timedelta = field(default=timedelta(), compare=False)
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


def as_booked(stay: Stay) -> Stay:
    """Return the stay with the times that were booked: what people read, and when the guest comes and goes."""
    if not (stay.buffer_before or stay.buffer_after):
        return stay
    check_in = replace(stay.check_in, at=stay.check_in.at + stay.buffer_before)
    check_out = replace(stay.check_out, at=stay.check_out.at - stay.buffer_after)
    nothing = timedelta()
    return replace(stay, check_in=check_in, check_out=check_out, buffer_before=nothing, buffer_after=nothing)


def time_text(moment: BookingTime) -> str:
    """Return a time as it was booked, for people: `2026-12-01 15:45 (lock)` is on the lock's own clock."""
    match moment:
        case WallTime(at, time_zone):
            return f"{at:%Y-%m-%d %H:%M} {time_zone or '(lock)'}"
        case Instant(at):
            return f"{at:%Y-%m-%d %H:%M %z}"
        case DateOnly(on):
            return on.isoformat()


def in_order(check_in: BookingTime, check_out: BookingTime) -> bool:
    """Whether check-out is after check-in, as far as that can be told without the lock's clock."""
    match check_in, check_out:
        case Instant(start), Instant(end):
            return start < end
        case WallTime(start, zone), WallTime(end, same) if zone == same:
            return start < end
        case DateOnly(first), DateOnly(last):
            return first < last
        case _:
            return True
