"""Booking times as they are written in messages: an instant, a local wall time, or a date alone."""

import re
from datetime import UTC, date, datetime, timedelta, timezone

from shared.domain.quoting import quoted
from shared.domain.stay.stay import BookingTime, DateOnly, Instant, WallTime
from shared.domain.times.wall_clock import EARLIEST_YEAR, LATEST_YEAR

RIGHT_TIME = (
    "give a time with its offset such as 2026-12-01T15:45:00-08:00, a local time such as"
    " 2026-12-01T15:45, or a date such as 2026-12-01"
)

_LONGEST = 64
# RFC 3339 with its freedoms (a space for the T, lower case, any number of digits in the fraction),
# and seconds optional because people leave them out.
_WRITTEN = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,30}))?)?"
    r"(?P<offset>[Zz]|(?P<sign>[+-])(?P<hours>[0-9]{2}):(?P<minutes>[0-9]{2}))?)?"
)


class UnreadableBookingTime(ValueError):
    """A booking time that can't be read or doesn't exist; the text says why."""


def parse_booking_time(text: str, time_zone: str | None = None) -> BookingTime:
    """Read one booking time; raise UnreadableBookingTime.

    `time_zone` is whose wall clock a local time is meant on, None for the lock's own. Fractions
    beyond microseconds are cut off.
    """
    written = _WRITTEN.fullmatch(text) if len(text) <= _LONGEST else None
    if written is None:
        raise UnreadableBookingTime(f"{quoted(text)} is neither a time nor a date")
    try:
        on = date.fromisoformat(written["date"])
    except ValueError:
        raise UnreadableBookingTime(f"{quoted(text)} is a date that doesn't exist") from None
    if not EARLIEST_YEAR <= on.year <= LATEST_YEAR:
        raise UnreadableBookingTime(f"{quoted(text)} is not between the years {EARLIEST_YEAR} and {LATEST_YEAR}")
    if written["hour"] is None:
        return DateOnly(on)
    try:
        at = datetime(  # noqa: DTZ001 - naive on purpose: the offset, if any, follows
            on.year,
            on.month,
            on.day,
            int(written["hour"]),
            int(written["minute"]),
            int(written["second"] or 0),
            int((written["fraction"] or "").ljust(6, "0")[:6]),
        )
        offset = _offset(written)
    except ValueError:
        raise UnreadableBookingTime(f"{quoted(text)} is a time that doesn't exist") from None
    return WallTime(at, time_zone) if offset is None else Instant(at.replace(tzinfo=offset))


def _offset(written: re.Match[str]) -> timezone | None:
    if not written["offset"]:
        return None
    if not written["sign"]:
        return UTC
    hours, minutes = int(written["hours"]), int(written["minutes"])
    if minutes > 59:  # noqa: PLR2004 - timedelta would take 90 minutes for an hour and a half
        raise ValueError("minutes of an offset go to 59")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if written["sign"] == "-" else offset)
