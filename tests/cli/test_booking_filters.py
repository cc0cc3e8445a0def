"""Which bookings a filter lets through."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from shared.domain.booking.record import Booking
from shared.domain.stay.stay import Instant
from tests.shared.stories import CHECK_IN, DOOR, SECOND, booking, with_door
from worker.cli.booking_filters import ListFilter

# From 2036-12-01 16:00 to 2036-12-05 10:00 UTC.
IT = replace(with_door(booking(DOOR), name="Room 101", time_zone="UTC"), label="Smith party")


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({}, True),
        ({"state": "received"}, True),
        ({"state": "ready"}, False),
        ({"door": DOOR.upper()}, True),
        ({"door": "room 10"}, True),
        ({"door": SECOND}, False),
        ({"devices": (DOOR,)}, True),
        ({"devices": (SECOND,)}, False),
        ({"on": date(2036, 12, 1)}, True),
        ({"on": date(2036, 12, 5)}, True),
        ({"on": date(2036, 11, 30)}, False),
        ({"on": date(2036, 12, 6)}, False),
        ({"text": "smith"}, True),
        ({"text": "bk-1"}, True),
        ({"text": "room"}, True),
        ({"text": "jones"}, False),
        ({"text": "smith", "state": "ready"}, False),
    ],
    ids=str,
)
def test_a_booking(wanted: dict[str, Any], *, fits: bool) -> None:
    """All that is asked for must hold."""
    assert ListFilter(**wanted).fits(IT) is fits


def test_the_day_is_the_locks_and_the_booked_one() -> None:
    """Not that of UTC, and not the buffer's."""
    there = with_door(IT, time_zone="Asia/Tokyo")
    assert not ListFilter(on=date(2036, 12, 1)).fits(there)
    assert ListFilter(on=date(2036, 12, 2)).fits(there)
    early = timedelta(hours=20)
    assert IT.stay is not None
    buffered = replace(IT, stay=replace(IT.stay, check_in=Instant(CHECK_IN - early), buffer_before=early))
    assert not ListFilter(on=date(2036, 11, 30)).fits(buffered)


def test_a_door_that_was_left_does_not_count() -> None:
    """Nor a booking without a stay on any day."""
    assert not ListFilter(door=DOOR).fits(with_door(IT, wanted=False))
    assert not ListFilter(on=date(2036, 12, 1)).fits(Booking(booking_id="BK-1", revision=0))
