"""When a guest comes, as far as it is known: without the lock's time zone, nobody may be told too late."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from shared.domain.alerting.arrivals import arrivals_of
from shared.domain.booking.known_doors import KnownDoor, known_by, known_door, recalled
from shared.domain.booking.record import BookedDoor, Booking
from shared.domain.booking.stay_times import check_in_of
from shared.domain.messages.hints import hints_of
from shared.domain.stay.instants import CheckIn, instants_of
from tests.domain.building import door, slot, stay, wall

LOS_ANGELES, TOKYO = "America/Los_Angeles", "Asia/Tokyo"
WALL = "2036-11-21T06:36"
STAY = stay(WALL, "2036-11-23T10:00")
EARLIEST, LATEST = datetime(2036, 11, 20, 16, 36, tzinfo=UTC), datetime(2036, 11, 21, 18, 36, tzinfo=UTC)
IN_LOS_ANGELES = datetime(2036, 11, 21, 14, 36, tzinfo=UTC)
IN_TOKYO = datetime(2036, 11, 20, 21, 36, tzinfo=UTC)


def booked(**fields: Any) -> BookedDoor:
    """Return one door of a booking."""
    return BookedDoor(device_id="d0000000-0000-0000-0000-000000000001", **fields)


KNOWN: list[Any] = [
    pytest.param(STAY, {}, CheckIn(EARLIEST, LATEST, wall(WALL)), id="nobody knows the zone"),
    pytest.param(STAY, {"time_zone": LOS_ANGELES}, CheckIn(IN_LOS_ANGELES, IN_LOS_ANGELES), id="as last known"),
    pytest.param(STAY, {"time_zone": TOKYO}, CheckIn(IN_TOKYO, IN_TOKYO), id="as last known, in the east"),
    pytest.param(STAY, {"time_zone": "Nowhere/City"}, CheckIn(EARLIEST, LATEST, wall(WALL)), id="an unknown zone"),
    pytest.param(STAY, {"check_in": IN_TOKYO, "time_zone": TOKYO}, CheckIn(IN_TOKYO, IN_TOKYO), id="planned"),
    pytest.param(STAY, {"check_in": EARLIEST}, CheckIn(EARLIEST, LATEST, wall(WALL)), id="planned without a zone"),
    pytest.param(
        stay(WALL, "2036-11-23T10:00", TOKYO), {}, CheckIn(IN_TOKYO, IN_TOKYO), id="the booking names its own"
    ),
    pytest.param(
        stay(f"{WALL}:00-08:00", "2036-11-23T10:00:00-08:00"),
        {},
        CheckIn(IN_LOS_ANGELES, IN_LOS_ANGELES),
        id="an instant",
    ),
    pytest.param(None, {}, None, id="a mere cancellation"),
]


@pytest.mark.parametrize(("asked", "fields", "expected"), KNOWN)
def test_check_in(asked: Any, fields: dict[str, Any], expected: CheckIn | None) -> None:
    """One moment if the zone is known; else from the earliest to the latest, with the time on the lock's clock."""
    assert check_in_of(asked, booked(**fields)) == expected


def test_no_place_on_earth_is_earlier_or_later() -> None:
    """The bounds are right for every time zone."""
    for minutes in range(-12 * 60, 14 * 60 + 1, 15):
        here = wall(WALL).replace(tzinfo=timezone(timedelta(minutes=minutes)))
        assert EARLIEST <= here <= LATEST


def test_a_stay_without_a_zone_lasts_from_the_first_to_the_last_moment() -> None:
    """Check-in is the earliest, check-out the latest possible moment."""
    assert instants_of(STAY, None) == (EARLIEST, datetime(2036, 11, 23, 22, tzinfo=UTC))


@pytest.mark.parametrize(
    ("zone", "now", "is_listed"),
    [
        (None, EARLIEST - timedelta(hours=49), False),
        (None, EARLIEST - timedelta(hours=47), True),
        (None, LATEST + timedelta(hours=5), True),
        (None, LATEST + timedelta(hours=7), False),
        (LOS_ANGELES, IN_LOS_ANGELES + timedelta(hours=7), False),
    ],
)
def test_an_arrival_is_listed_for_all_possible_times(zone: str | None, now: datetime, *, is_listed: bool) -> None:
    """From two days before the earliest moment to a quarter of a day after the latest."""
    booking = Booking(booking_id="BK-1", revision=1, stay=STAY, doors=(booked(time_zone=zone),))
    found = arrivals_of([booking], since=now - timedelta(hours=6), until=now + timedelta(hours=48))
    assert [(each.check_in, each.wall_check_in) for each in found] == ([(EARLIEST, wall(WALL))] if is_listed else [])


def test_the_time_zone_of_a_door() -> None:
    """Its own zone, else that of its slots; what was just read goes before what was known."""
    assert known_door(door(time_zone=TOKYO)) == KnownDoor("Room 101", TOKYO)
    assert known_door(door(slot(zone=LOS_ANGELES), time_zone=None)) == KnownDoor("Room 101", LOS_ANGELES)
    assert recalled(booked(), KnownDoor("Suite", TOKYO)) == booked(name="Suite", time_zone=TOKYO)
    own = booked(name="Room 7", time_zone=LOS_ANGELES)
    assert recalled(own, KnownDoor("Suite", TOKYO)) == own
    others = [
        Booking(booking_id=f"BK-{number}", revision=1, doors=(each,))
        for number, each in enumerate(
            (booked(), BookedDoor(device_id="d0000000-0000-0000-0000-000000000002", name="Other", time_zone=TOKYO), own)
        )
    ]
    assert known_by(others, "d0000000-0000-0000-0000-000000000001") == KnownDoor("Room 7", LOS_ANGELES)
    assert known_by(others, "d0000000-0000-0000-0000-000000000003") == KnownDoor()


@pytest.mark.parametrize(
    ("check_in", "zone", "expected"),
    [
        (f'"{WALL}"', "null", (EARLIEST, wall(WALL))),
        (f'"{WALL}"', f'"{TOKYO}"', (IN_TOKYO, None)),
        (f'"{WALL}:00-08:00"', "null", (IN_LOS_ANGELES, None)),
        ('"0001-01-01T00:00"', "null", (None, None)),
        ("7", "[]", (None, None)),
    ],
)
def test_the_check_in_of_an_unusable_message(check_in: str, zone: str, expected: Any) -> None:
    """The earliest moment, and the wall time for people."""
    found = hints_of(f'{{"booking_id": "BK-1", "check_in": {check_in}, "time_zone": {zone}}}')
    assert (found.check_in, found.wall_check_in) == expected


def test_check_in_is_the_booked_time() -> None:
    """Not the start of the code with the unit's buffer. A part of a split stay begins with its code."""
    early = timedelta(minutes=30)
    asked = stay("2036-11-21T06:06:00-08:00", "2036-11-23T10:00:00-08:00", buffer_before=early)
    came = CheckIn(IN_LOS_ANGELES, IN_LOS_ANGELES)
    for planned in (None, IN_LOS_ANGELES - early):
        assert check_in_of(asked, booked(check_in=planned, time_zone=LOS_ANGELES)) == came
    later = IN_LOS_ANGELES + timedelta(days=31)
    assert check_in_of(asked, booked(check_in=later, part=2)) == CheckIn(later, later)
    (arrival,) = arrivals_of(
        [Booking(booking_id="BK-1", revision=0, stay=asked, doors=(booked(check_in=IN_LOS_ANGELES - early),))],
        since=IN_LOS_ANGELES - timedelta(hours=1),
        until=IN_LOS_ANGELES,
    )
    assert (arrival.check_in, arrival.starts_at) == (IN_LOS_ANGELES, None)
