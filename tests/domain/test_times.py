"""Times of day, durations, time zones and quotations."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.messages.time_fields import UnreadableBookingTime, parse_booking_time
from shared.domain.quoting import quoted, shown
from shared.domain.stay.stay import BookingTime, DateOnly
from shared.domain.times.durations import parse_duration
from shared.domain.times.time_of_day import UnreadableTime, parse_time_of_day
from shared.domain.times.wall_clock import find_zone, instant_at, microseconds, microseconds_of_day, same_clock, wall_at
from tests.domain.building import wall

READABLE = [
    ("07:00:00[America/Los_Angeles]", "07:00", "America/Los_Angeles"),
    ("15:30:00[PST8PDT]", "15:30", "PST8PDT"),
    ("15:30:00-08:00[America/Los_Angeles]", "15:30", "America/Los_Angeles"),
    ("15:30:00Z[America/Los_Angeles]", "15:30", "America/Los_Angeles"),
    ("15:30-0800[US/Pacific]", "15:30", "US/Pacific"),
    ("01:00[EST5EDT]", "01:00", "EST5EDT"),
    ("16:00", "16:00", None),
    ("16:00:00", "16:00", None),
    ("16:00:30", "16:00:30", None),
    ("16:00:00.000", "16:00", None),
    ("16:00:00.500[UTC]", "16:00:00.500000", "UTC"),
    ("16:00:00.123456789[UTC]", "16:00:00.123456", "UTC"),
    ("23:59:00[EST]", "23:59", "EST"),
    ("00:00", "00:00", None),
    (" 16:00 ", "16:00", None),
]
UNREADABLE = [
    "", "4 PM", "16", "16:0", "1:00", "24:00", "25:00[PST8PDT]", "16:60", "16:00:60",
    "16:00:00Z", "16:00-08:00", "16:00+00:00", "16:00[PST]", "16:00[]", "16:00[../UTC]",
    "16:00[america/los_angeles]", "16:00[GMT-07:00]", "16:00[UTC", "16:00UTC]", "16:00 [UTC]",
    "16:00[UTC][UTC]", "\u0967\u096c:00", "16:00[America]", "16:00[localtime]", "x" * 1000,
    "16:00[" + "A" * 200 + "]", "-16:00", "16:00\x00", "2026-12-01T16:00", "16:00[\ud800]",
]  # fmt: skip


@pytest.mark.parametrize(("written", "at", "zone"), READABLE, ids=[row[0] for row in READABLE])
def test_time_of_day(written: str, at: str, zone: str | None) -> None:
    """Every spelling in Seam's pages and libraries."""
    read = parse_time_of_day(written)
    assert (str(read), read.zone) == (at, zone)


@pytest.mark.parametrize("written", UNREADABLE, ids=lambda text: ascii(text[:20]))
def test_unreadable_time_of_day(written: str) -> None:
    """The reason quotes what was written, in printable form."""
    with pytest.raises(UnreadableTime) as refused:
        parse_time_of_day(written)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("written", "offset"),
    [("-08:00", timedelta(hours=-8)), ("+0530", timedelta(hours=5, minutes=30)), ("Z", timedelta())],
)
def test_offset_is_kept_for_people(written: str, offset: timedelta) -> None:
    """It isn't used in any computation."""
    assert parse_time_of_day(f"15:30:00{written}[UTC]").offset == offset


@given(st.text(max_size=40))
def test_any_text_is_read_or_unreadable(text: str) -> None:
    """Never another exception."""
    try:
        parse_time_of_day(text)
    except UnreadableTime as refused:
        assert str(refused)  # noqa: PT017 - either is right


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("6h", 21600), ("14d", 1209600), ("007m", 420)]
)
def test_duration(text: str, seconds: int) -> None:
    """A number and a unit."""
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", "10", "m", "0m", "-5m", "+5m", "1.5h", "10 m", " 10m", "10m ", "10M", "1h30m", "10m\n",
     "\u0967\u0966m", "5w", "99999999d", "10min"],
)  # fmt: skip
def test_bad_duration(text: str) -> None:
    """Ambiguous ones are refused."""
    with pytest.raises(ValueError, match=r"duration|longer than zero"):
        parse_duration(text)


def test_zero_where_it_is_allowed() -> None:
    """A buffer may be zero."""
    assert parse_duration("0m", allow_zero=True) == timedelta()


@pytest.mark.parametrize("name", ["PST8PDT", "US/Pacific", "EST5EDT", "EST", "UTC", "Etc/GMT+8"])
def test_legacy_zones_exist(name: str) -> None:
    """On machines without them, tzdata has them."""
    assert find_zone(name) is not None


def test_one_clock_under_several_names() -> None:
    """Zones are compared by what their clocks show."""
    here, there = ZoneInfo("US/Pacific"), ZoneInfo("America/Denver")
    assert same_clock(here, ZoneInfo("America/Los_Angeles"), wall("2026-07-01T12:00"))
    assert not same_clock(here, there, wall("2026-07-01T12:00"))
    # Phoenix has Denver's time in winter; in the night of the change they differ.
    phoenix = ZoneInfo("America/Phoenix")
    assert same_clock(phoenix, there, wall("2026-01-01T12:00"))
    assert not same_clock(phoenix, there, wall("2026-03-08T02:30"))
    assert not same_clock(phoenix, there, wall("2026-11-01T01:30"))


@pytest.mark.parametrize("fold", [0, 1])
@pytest.mark.parametrize("second", [False, True], ids=["first", "second"])
@pytest.mark.parametrize(
    ("written", "first_or_second"),
    [
        ("2026-12-01T12:00", ("2026-12-01T12:00:00-08:00",) * 2),
        ("2026-11-01T01:30", ("2026-11-01T01:30:00-07:00", "2026-11-01T01:30:00-08:00")),
        ("2027-03-14T02:30", ("2027-03-14T03:30:00-07:00",) * 2),
    ],
    ids=["ordinary", "doubled", "skipped"],
)
def test_instant(written: str, first_or_second: tuple[str, str], fold: int, *, second: bool) -> None:
    """The `fold` of the wall time doesn't matter."""
    zone = ZoneInfo("America/Los_Angeles")
    at = instant_at(wall(written).replace(fold=fold), zone, second=second)
    assert at.isoformat() == first_or_second[second]
    assert not isinstance(at.tzinfo, ZoneInfo)


def test_microseconds() -> None:
    """Not even a microsecond is lost."""
    assert microseconds_of_day(wall("2026-12-01T01:02:03.000005")) == 3_723_000_005
    assert microseconds_of_day(wall("2026-12-01T01:02:03.999999")) == 3_723_999_999
    assert microseconds(timedelta(days=1, seconds=2, microseconds=3)) == 86_402_000_003
    assert microseconds(timedelta(days=1, seconds=43_201, microseconds=999_999)) == 129_601_999_999
    assert microseconds(-timedelta(microseconds=1)) == -1


def test_there_and_back() -> None:
    """A wall time that exists stays the same through the instant and back."""
    zone = ZoneInfo("Pacific/Chatham")
    assert wall_at(instant_at(wall("2026-07-01T12:00"), zone), zone) == wall("2026-07-01T12:00")


def written_out(time: BookingTime) -> str:
    """Return a booking time in ISO 8601."""
    return time.on.isoformat() if isinstance(time, DateOnly) else time.at.isoformat()


@pytest.mark.parametrize("written", ["2026-12-01T15:45:00-08:00", "2026-12-01T15:45:00", "2026-12-01"])
def test_booking_time_is_shown_as_it_is_read(written: str) -> None:
    """Writing it out and reading it again changes nothing."""
    assert written_out(parse_booking_time(written)) == written


@pytest.mark.parametrize("written", ["2000-01-01", "9990-12-31"])
def test_first_and_last_booking_dates(written: str) -> None:
    """The years in which a booking may be."""
    assert written_out(parse_booking_time(written)) == written


@pytest.mark.parametrize("written", ["1999-12-31", "9991-01-01"])
def test_dates_out_of_range(written: str) -> None:
    """A booking in the last century is a mistake of its sender."""
    with pytest.raises(UnreadableBookingTime):
        parse_booking_time(written)


@pytest.mark.parametrize(
    ("value", "quotation"),
    [
        (None, "null"), (True, "true"), (False, "false"), (7, "7"), (1.5, "1.5"),
        ("a", "'a'"), ("\x1b[31m", r"'\x1b[31m'"), ([1], "a list"), ((1,), "a list"),
        ({}, "an object"), (10**80, "a number of more than 77 digits"), ({1}, "a set"),
        ("x" * 81, f"'{'x' * 80}'… (81 characters)"),
    ],
)  # fmt: skip
def test_quoted(value: object, quotation: str) -> None:
    """Short and printable for any value."""
    assert quoted(value) == quotation


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Zimmer 101", "Zimmer 101"), ("a\nb", r"a\nb"), ("\x1b[31m", r"\x1b[31m"),
        ("a\u00a0b", "a\u00a0b"), ("\u202eabc", r"\u202eabc"), ("\ud800", r"\ud800"),
        ("👩\u200d👧", "👩\u200d👧"), ("\x9b", r"\x9b"), ("\u2028", r"\u2028"),
    ],
)  # fmt: skip
def test_shown(text: str, seen: str) -> None:
    """Names are unchanged unless they would garble the line."""
    assert shown(text) == seen
