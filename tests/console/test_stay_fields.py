"""A stay's times in a form's fields: what a browser shows, and what counts as left as it is."""

from dataclasses import replace

import pytest

from receiver.console.views.stay_fields import fields_of, is_shown_as, local_text
from shared.domain.booking.record import Booking
from shared.domain.stay.stay import Stay
from tests.domain.building import stay
from tests.shared.stories import DOOR, SECOND, door

ANGELES, VIENNA = "America/Los_Angeles", "Europe/Vienna"
LOCAL = stay("2026-12-01T15:45", "2026-12-05T10:15:30")


def booking(asked: Stay | None, *zones: str | None) -> Booking:
    """Return a booking of doors in these zones."""
    ids = (DOOR, SECOND)
    doors = tuple(replace(door(device_id=ids[place]), time_zone=zone) for place, zone in enumerate(zones))
    return Booking(booking_id="BK-1", revision=0, stay=asked, doors=doors)


@pytest.mark.parametrize(
    ("asked", "zones", "shown"),
    [
        (LOCAL, (ANGELES,), ("2026-12-01T15:45", "2026-12-05T10:15:30")),
        (LOCAL, (None,), ("2026-12-01T15:45", "2026-12-05T10:15:30")),
        (stay("2026-12-01T23:45Z", "2026-12-05T18:15Z"), (ANGELES,), ("2026-12-01T15:45", "2026-12-05T10:15")),
        (stay("2026-12-01T23:45Z", "2026-12-05T18:15Z"), (ANGELES, None), ("2026-12-01T15:45", "2026-12-05T10:15")),
        (stay("2026-12-01T23:45Z", "2026-12-05T18:15Z"), (None,), ("", "")),
        (stay("2026-12-01T23:45Z", "2026-12-05T10:15"), (ANGELES, VIENNA), ("", "2026-12-05T10:15")),
        (stay("2026-12-01T15:45", "2026-12-05T10:15", VIENNA), (VIENNA,), ("2026-12-01T15:45", "2026-12-05T10:15")),
        (stay("2026-12-01T15:45", "2026-12-05T10:15", VIENNA), (ANGELES,), ("2026-12-01T06:45", "2026-12-05T01:15")),
        (stay("2026-12-01T15:45", "2026-12-05T10:15", VIENNA), (None,), ("", "")),
        (None, (ANGELES,), ("", "")),
    ],
)
def test_times_are_shown_on_the_clock_of_the_lock(
    asked: Stay | None, zones: tuple[str | None, ...], shown: tuple[str, str]
) -> None:
    """An instant, or a time of another zone, only where the lock's zone is known, and is one."""
    assert fields_of(booking(asked, *zones)) == {"check_in": shown[0], "check_out": shown[1]}


@pytest.mark.parametrize(
    ("given", "is_same"),
    [
        ("2026-12-01T15:45", True),
        (" 2026-12-01 15:45:00 ", True),
        ("20261201T1545", True),
        ("2026-12-01T15:45:01", False),
        ("2026-12-01T15:45Z", False),
        ("2026-12-01T15:45[Europe/Vienna]", False),
        ("2026-12-01", False),
        ("tomorrow", False),
    ],
)
def test_a_time_that_is_left_as_it_was(given: str, is_same: bool) -> None:  # noqa: FBT001 - a case
    """However it is spelled; a time of another clock is another one."""
    assert is_shown_as(given, "2026-12-01T15:45") is is_same
    assert not is_shown_as(given, "")


def test_a_field_holds_local_times_only() -> None:
    """A browser takes no others."""
    given = ("2026-12-01 15:45", "2026-12-01T15:45Z", "2026-12-01", "tomorrow", "")
    assert [local_text(text) for text in given] == ["2026-12-01T15:45", "", "", "", ""]
