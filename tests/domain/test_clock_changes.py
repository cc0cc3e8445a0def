"""Times in the night of a clock change are told if they are read differently from what was written."""

from datetime import UTC, date, datetime

import pytest

from shared.domain.stay.clock_changes import clock_change_notes
from shared.domain.stay.stay import BookingTime, DateOnly, Instant, WallTime
from tests.shared.stories import NOW, accepted

SKIPPED = WallTime(datetime.fromisoformat("2036-03-30T02:30"), "Europe/Vienna")
TWICE = WallTime(datetime.fromisoformat("2036-10-26T02:30"), "Europe/Vienna")


def test_a_skipped_time_is_told_with_the_time_that_is_used() -> None:
    """It is an hour later."""
    assert clock_change_notes(SKIPPED, TWICE) == [
        "check_in 2036-03-30 02:30 is skipped by the clocks of Europe/Vienna that night: it is taken as 03:30.",
        "check_out 2036-10-26 02:30 is shown twice by the clocks of Europe/Vienna that night: the first is taken.",
    ]


@pytest.mark.parametrize(
    "moment",
    [
        None,
        WallTime(SKIPPED.at),
        WallTime(SKIPPED.at, "UTC"),
        WallTime(datetime.fromisoformat("2036-03-30T03:30"), "Europe/Vienna"),
        Instant(NOW),
        DateOnly(date(2036, 3, 30)),
    ],
    ids=str,
)
def test_any_other_time_is_not_told(moment: BookingTime | None) -> None:
    """Also a time on the lock's own clock, which is used as written."""
    assert clock_change_notes(moment, Instant(datetime(2036, 3, 30, 2, 30, tzinfo=UTC))) == []


def test_it_is_in_the_booking_s_story() -> None:
    """In the line of the message that brought it."""
    stay = accepted().booking.stay
    assert stay is not None
    change = accepted(stay=type(stay)(check_in=SKIPPED, check_out=stay.check_out))
    assert "it is taken as 03:30" in change.history[0].text
    assert "clocks" not in accepted().history[0].text
