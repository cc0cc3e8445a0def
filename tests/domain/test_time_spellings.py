"""Which spellings of a booking time are read, and how; and what is said of ambiguous ones."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.messages.parse import parse_booking_message
from shared.domain.messages.time_fields import UnreadableBookingTime, parse_booking_time
from shared.domain.stay.stay import BookingTime, DateOnly, Instant, WallTime
from shared.domain.times.wall_clock import find_zone
from tests.domain.booking_messages import booking, envelope, problems_of
from tests.domain.building import on, wall

EIGHT_BEHIND = Instant(wall("2026-12-01T15:45-08:00"))
LOCAL = WallTime(wall("2026-12-01T15:45"))
DAY = DateOnly(on("2026-12-01"))

READ: list[tuple[str, str, BookingTime]] = [
    ("as the contract shows it", "2026-12-01T15:45:00-08:00", EIGHT_BEHIND),
    ("without seconds", "2026-12-01T15:45-08:00", EIGHT_BEHIND),
    ("offset without a colon", "2026-12-01T15:45:00-0800", EIGHT_BEHIND),
    ("offset in hours", "2026-12-01T15:45:00-08", EIGHT_BEHIND),
    ("a space for the T", "2026-12-01 15:45:00-08:00", EIGHT_BEHIND),
    ("a space before the offset", "2026-12-01 15:45:00 -0800", EIGHT_BEHIND),
    ("no hyphens and colons", "20261201T154500-0800", EIGHT_BEHIND),
    ("hyphens, no colons", "2026-12-01T1545-0800", EIGHT_BEHIND),
    ("a typographic minus", "2026-12-01T15:45:00\u221208:00", EIGHT_BEHIND),
    ("offset and zone that agree", "2026-12-01T15:45:00-08:00[America/Los_Angeles]", EIGHT_BEHIND),
    ("UTC", "2026-12-01T23:45:00Z", EIGHT_BEHIND),
    ("UTC, lower case", "2026-12-01t23:45:00z", EIGHT_BEHIND),
    ("UTC and its zone", "2026-12-01T23:45Z[UTC]", EIGHT_BEHIND),
    ("no fraction of a second", "2026-12-01T15:45:00.000-08:00", EIGHT_BEHIND),
    ("half a second", "2026-12-01T15:45:00.5-08:00", Instant(wall("2026-12-01T15:45:00.500000-08:00"))),
    ("half a second, with a comma", "2026-12-01T15:45:00,5-08:00", Instant(wall("2026-12-01T15:45:00.500000-08:00"))),
    ("nanoseconds are cut off", "2026-12-01T15:45:00.123456789Z", Instant(wall("2026-12-01T15:45:00.123456+00:00"))),
    ("blanks around", "  2026-12-01T15:45:00-08:00\n", EIGHT_BEHIND),
    ("local", "2026-12-01T15:45", LOCAL),
    ("local, with seconds", "2026-12-01T15:45:00", LOCAL),
    ("local, a space for the T", "2026-12-01 15:45", LOCAL),
    ("local, no hyphens and colons", "20261201T1545", LOCAL),
    ("local, blanks around", "\t2026-12-01 15:45 ", LOCAL),
    ("an hour alone", "2026-12-01T15", WallTime(wall("2026-12-01T15:00"))),
    ("the end of a day", "2026-12-01T24:00", WallTime(wall("2026-12-02T00:00"))),
    ("the end of a year", "2026-12-31T24:00:00Z", Instant(wall("2027-01-01T00:00+00:00"))),
    ("local, of a zone", "2026-12-01T15:45[Europe/Vienna]", WallTime(wall("2026-12-01T15:45"), "Europe/Vienna")),
    ("the second 02:30 of a night", "2026-10-25T02:30+01:00[Europe/Vienna]", Instant(wall("2026-10-25T01:30+00:00"))),
    ("a date", "2026-12-01", DAY),
    ("a date without hyphens", "20261201", DAY),
    ("a day of a week", "2026-W49-2", DAY),
    ("a day of a week without hyphens", "2026W492", DAY),
    ("a day of a year", "2026-335", DAY),
    ("a date, blanks around", " 2026-12-01 ", DAY),
]  # fmt: skip


@pytest.mark.parametrize(("written", "read"), [pytest.param(*row, id=name) for name, *row in READ])
def test_unambiguous_spellings_are_read(written: str, read: BookingTime) -> None:
    """As the check-in of a bare booking, and of one in an envelope."""
    data = booking(check_in=written, check_out="2036-12-05T10:00:00Z")
    for raw in (data, envelope(data=data)):
        assert parse_booking_message(raw).check_in == read


REFUSED: list[tuple[str, Any, str]] = [
    ("month or day first", "12/01/2026", "which number is the month can't be told"),
    ("day or month first", "01.12.2026 15:45", "which number is the month can't be told"),
    ("hyphens, year last", "01-12-2026", "which number is the month can't be told"),
    ("seconds since 1970", 1764633600, "is a number"),
    ("milliseconds since 1970", 1764633600000, "is a number"),
    ("a fraction of seconds since 1970", 1764633600.5, "is a number"),
    ("seconds since 1970 as text", "1764633600", "is a number"),
    ("digits without the T", "20261201154500", "is a number"),
    ("a date as a number", 20261201, "is a number"),
    ("an abbreviated zone", "2026-12-01 15:45 PST", "names a time zone by an abbreviation"),
    ("an abbreviated zone with its offset", "2026-12-01 15:45 PST8PDT", "names a time zone by an abbreviation"),
    ("am or pm", "2026-12-01 03:45 PM", "has am or pm"),
    ("offset and zone that disagree", "2026-12-01T15:45-07:00[America/Los_Angeles]", "offset that America/Los_Angeles"),
    ("UTC in a zone that isn't", "2026-12-01T15:45Z[America/Los_Angeles]", "offset that America/Los_Angeles"),
    ("an offset of a skipped hour", "2026-03-29T02:30+01:00[Europe/Vienna]", "offset that Europe/Vienna"),
    ("an unknown zone", "2026-12-01T15:45[Mars/Olympus]", "names a zone that isn't known"),
    ("another zone than time_zone", "2026-12-01T15:45[Europe/Vienna]", "names another zone than time_zone"),
    ("a fraction of a minute", "2026-12-01T15:45.5", "doesn't exist"),
    ("after the end of a day", "2026-12-01T24:01", "doesn't exist"),
    ("a leap second", "2026-12-31T23:59:60Z", "doesn't exist"),
    ("a 366th day", "2026-366", "doesn't exist"),
    ("a 54th week", "2026-W54-1", "doesn't exist"),
    ("seven digits", "2026335", "is a number"),
    ("a date with an offset", "2026-12-01Z", "neither a time nor a date"),
    ("a month", "2026-12", "neither a time nor a date"),
    ("one digit for the day", "2026-12-1", "neither a time nor a date"),
    ("words", "tomorrow", "neither a time nor a date"),
    ("two times", "2026-12-01T15:45/2026-12-05T10:15", "neither a time nor a date"),
    ("a list", ["2026-12-01"], "is not text"),
    ("true", True, "is not text"),
]


@pytest.mark.parametrize(("written", "why"), [pytest.param(*row, id=name) for name, *row in REFUSED])
def test_ambiguous_spellings_are_refused(written: Any, why: str) -> None:
    """The problem says what is wrong, and what to send instead."""
    (problem,) = problems_of(booking(check_in=written, time_zone="Europe/Rome", check_out="2036-12-05T10:00:00Z"))
    assert problem.field == "check_in"
    assert why in problem.wrong
    assert all(right in problem.right for right in ("2026-12-01T15:45:00-08:00", "2026-12-01T15:45,", "2026-12-01"))


INSTANTS = st.datetimes(datetime(2001, 1, 1), datetime(9989, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
ZONES = st.sampled_from(["America/Los_Angeles", "Europe/Vienna", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"])
BLANKS = st.sampled_from(["", " ", "\t", "\n", "  "])


DATES = st.sampled_from(["%Y-%m-%d", "%Y%m%d", "%G-W%V-%u", "%GW%V%u", "%Y-%j"])
CLOCKS = st.sampled_from(["%H:%M:%S.%f", "%H%M%S.%f", "%H:%M:%S,%f", "%H%M%S,%f"])
BEHIND = st.sampled_from(["{0}:{1}", "{0}{1}", " {0}:{1}", " {0}{1}"])


@given(INSTANTS, OFFSETS, st.tuples(BLANKS, DATES, st.sampled_from("Tt "), CLOCKS, BEHIND, BLANKS))
def test_an_instant_reads_back_as_the_same_instant(at: datetime, offset: timezone, spelling: tuple[str, ...]) -> None:
    """In any spelling."""
    local = at.astimezone(offset)
    before, date, between, clock, shift, behind = spelling
    zone = local.strftime("%z")
    text = local.strftime(date) + between + local.strftime(clock) + shift.format(zone[:3], zone[3:])
    read = parse_booking_time(f"{before}{text}{behind}")
    assert isinstance(read, Instant)
    assert read.at == at
    assert parse_booking_time(read.at.isoformat()) == read


@given(INSTANTS, ZONES)
def test_an_instant_with_its_zone_reads_back_as_the_same_instant(at: datetime, name: str) -> None:
    """Also in the hour that a clock shows twice; with the offset of another moment it is refused."""
    zone = find_zone(name)
    assert zone is not None
    shown = at.astimezone(zone)
    read = parse_booking_time(f"{shown.isoformat()}[{name}]")
    assert isinstance(read, Instant)
    assert read.at == at
    wrong = shown.replace(tzinfo=timezone((shown.utcoffset() or timedelta()) + timedelta(hours=3)))
    with pytest.raises(UnreadableBookingTime):
        parse_booking_time(f"{wrong.isoformat()}[{name}]")


@given(st.datetimes(datetime(2001, 1, 1), datetime(9989, 12, 31)), st.none() | ZONES)  # noqa: DTZ001 - wall times
def test_a_wall_time_reads_back_as_it_is(at: datetime, zone: str | None) -> None:
    """It gets no zone but the named one."""
    assert parse_booking_time(at.isoformat(), zone) == WallTime(at, zone)
    assert parse_booking_time(at.strftime("%Y%m%dT%H%M%S,%f"), zone) == WallTime(at, zone)


IDS: list[tuple[str, Any, str]] = [
    ("text", "BK-1001", "BK-1001"),
    ("a whole number", 1001, "1001"),
    ("zero", 0, "0"),
    ("digits as text keep their zeros", "0042", "0042"),
    ("blanks around", "  BK 1001\t", "BK 1001"),
    ("64 digits", 10**63, "1" + "0" * 63),
]


@pytest.mark.parametrize(("written", "read"), [pytest.param(*row, id=name) for name, *row in IDS])
def test_ids(written: Any, read: str) -> None:
    """Blanks around it are removed, a whole number counts as its digits."""
    assert parse_booking_message(booking(booking_id=written)).booking_id == read


@pytest.mark.parametrize("written", [-1, 1.0, 1.5, True, "  ", "a\nb", 10**64, "x" * 65, ["1"]], ids=repr)
def test_ids_that_are_refused(written: Any) -> None:
    """Ids with two possible spellings, or that can't be shown."""
    (problem,) = problems_of(booking(booking_id=written))
    assert problem.field == "booking_id"
