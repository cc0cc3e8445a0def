"""Booking times as they are written in messages: an instant, a local wall time, or a date alone.

Every spelling of ISO 8601 that has one meaning is read. A spelling with two meanings is refused: a code for the wrong
day would lock the guest out.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final
from zoneinfo import ZoneInfo

from shared.domain.quoting import quoted
from shared.domain.stay.stay import BookingTime, DateOnly, Instant, WallTime
from shared.domain.times.wall_clock import EARLIEST_YEAR, LATEST_YEAR, find_zone, wall_at

RIGHT_TIME: Final = (
    "give a time with its offset such as 2026-12-01T15:45:00-08:00, a local time such as"
    " 2026-12-01T15:45, or a date such as 2026-12-01"
)

LONGEST_TIME: Final = 96
# ISO 8601 with the freedoms of RFC 3339 (a space for the T, lower case, any number of digits in the fraction), with and
# without its hyphens and colons, seconds and minutes optional. The zone behind it is that of RFC 9557. A date without
# hyphens has eight digits: one of seven could be a day of the year, or a month or a day without its zero.
TIME_PATTERN: Final = (
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}"
    r"|[0-9]{4}-[Ww][0-9]{2}-[1-7]|[0-9]{4}[Ww][0-9]{2}[1-7]|[0-9]{4}-[0-9]{3})"
    r"(?:[Tt ](?P<hour>[0-9]{2})"
    r"(?:(?::(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?|(?P<basic>[0-9]{2}(?:[0-9]{2})?))"
    r"(?P<fraction>[.,][0-9]{1,30})?)?"
    r" ?(?P<offset>[Zz]|(?P<sign>[+-])(?P<hours>[0-9]{2})(?::?(?P<minutes>[0-9]{2}))?)?"
    r"(?:\[(?P<zone>[A-Za-z0-9_+/-]{1,60})\])?)?"
)
_WRITTEN: Final = re.compile(TIME_PATTERN, re.ASCII)
_DIGITS_OF_AN_ORDINAL_DATE: Final = len("2026335")
_LAST_MINUTE: Final = 59
_LAST_HOUR: Final = 24
IS_A_NUMBER: Final = "is a number: of seconds or milliseconds, or something else"
_TWO_DAYS: Final = "could mean two days: which number is the month can't be told"
_ABBREVIATED: Final = "names a time zone by an abbreviation, which is no offset"
# Spellings with two meanings that systems send, and what is said of each.
_AMBIGUOUS: Final = (
    (re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?"), IS_A_NUMBER),
    (re.compile(r"[0-9]{1,4}[/.][0-9]{1,2}[/.][0-9]{1,4}.*"), _TWO_DAYS),
    (re.compile(r"[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}.*"), _TWO_DAYS),
    (re.compile(r".*[0-9] ?[ap]\.?m\.?", re.IGNORECASE), "has am or pm"),
    # `PST`, and a zone's name without its brackets that looks like one, such as `PST8PDT`.
    (re.compile(r".*[0-9] ?\(?[A-Za-z]{3,5}(?:[0-9]{1,2}(?:[A-Za-z]{3,5})?)?\)?"), _ABBREVIATED),
)


class UnreadableBookingTime(ValueError):
    """A booking time that can't be read or doesn't exist; the text says why."""


@dataclass(frozen=True, slots=True)
class _Clock:
    """A time of day as it is written; 24:00 is the midnight at the end of the day."""

    at: time
    is_next_day: bool


def parse_booking_time(text: str, time_zone: str | None = None) -> BookingTime:
    """Read one booking time; raise UnreadableBookingTime.

    `time_zone` is the zone of a local time, None for the lock's own. Fractions beyond microseconds are cut off, and so
    are blanks around the time.
    """
    # U+2212 is the minus that ISO 8601 prefers.
    written = _WRITTEN.fullmatch(text.strip().replace("\u2212", "-")) if len(text) <= LONGEST_TIME else None
    if written is None:
        raise UnreadableBookingTime(f"{quoted(text)} {_why_not(text)}")
    try:
        on = _date(written["date"])
    except ValueError:
        raise UnreadableBookingTime(f"{quoted(text)} is a date that doesn't exist") from None
    if not EARLIEST_YEAR <= on.year <= LATEST_YEAR:
        raise UnreadableBookingTime(f"{quoted(text)} is not between the years {EARLIEST_YEAR} and {LATEST_YEAR}")
    if written["hour"] is None:
        return DateOnly(on)
    try:
        clock, offset = _clock(written), _offset(written)
    except ValueError:
        raise UnreadableBookingTime(f"{quoted(text)} is a time that doesn't exist") from None
    at = datetime.combine(on, clock.at) + timedelta(days=clock.is_next_day)
    if written["zone"] is not None:
        return _in_zone(text, at, offset, written["zone"], time_zone)
    return WallTime(at, time_zone) if offset is None else Instant(at.replace(tzinfo=offset))


def _in_zone(text: str, at: datetime, offset: timezone | None, name: str, time_zone: str | None) -> BookingTime:
    """Return the time on the clock of the zone that is written behind it; an offset must agree with that clock."""
    zone = find_zone(name)
    if not isinstance(zone, ZoneInfo):
        raise UnreadableBookingTime(f"{quoted(text)} names a zone that isn't known, {quoted(name)}")
    if offset is not None:
        instant = at.replace(tzinfo=offset)
        if wall_at(instant, zone) != at:
            raise UnreadableBookingTime(f"{quoted(text)} has an offset that {name} doesn't have then")
        return Instant(instant)
    if time_zone is not None and time_zone != name:
        raise UnreadableBookingTime(f"{quoted(text)} names another zone than time_zone, {quoted(time_zone)}")
    return WallTime(at, name)


def _date(text: str) -> date:
    digits = text.upper().replace("-", "")
    year = int(digits[:4])
    if "W" in digits:
        return date.fromisocalendar(year, int(digits[5:7]), int(digits[7]))
    if len(digits) == _DIGITS_OF_AN_ORDINAL_DATE:
        day = int(digits[4:])
        on = date(year, 1, 1) + timedelta(days=day - 1)
        if on.year != year:
            raise ValueError("a year has no such day")
        return on
    return date(year, int(digits[4:6]), int(digits[6:]))


def _clock(written: re.Match[str]) -> _Clock:
    """Return the time of day. Raises ValueError where it doesn't exist."""
    basic = written["basic"] or ""
    hour, minute = int(written["hour"]), int(written["minute"] or basic[:2] or 0)
    second = written["second"] or basic[2:]
    fraction = (written["fraction"] or "")[1:]
    if fraction and not second:
        raise ValueError("a fraction of a minute")
    is_next_day = hour == _LAST_HOUR
    if is_next_day and (minute or int(second or 0) or int(fraction or 0)):
        raise ValueError("a day ends at 24:00")
    at = time(0 if is_next_day else hour, minute, int(second or 0), int(fraction.ljust(6, "0")[:6]))
    return _Clock(at, is_next_day)


def _offset(written: re.Match[str]) -> timezone | None:
    if not written["offset"]:
        return None
    if not written["sign"]:
        return UTC
    hours, minutes = int(written["hours"]), int(written["minutes"] or 0)
    if minutes > _LAST_MINUTE:  # timedelta would take 90 minutes for an hour and a half
        raise ValueError("minutes of an offset go to 59")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if written["sign"] == "-" else offset)


def _why_not(text: str) -> str:
    cut = text.strip()
    if len(text) <= LONGEST_TIME:
        for looks_like, why in _AMBIGUOUS:
            if looks_like.fullmatch(cut):
                return why
    return "is neither a time nor a date"
