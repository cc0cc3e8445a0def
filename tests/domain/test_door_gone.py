"""Who is hit by a door that is gone, and how much that hurries."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain.alerting.door_gone import door_gone
from shared.domain.alerting.severity import Severity, severity
from shared.domain.booking.record import Booking, State
from tests.shared.stories import CHECK_IN, CHECK_OUT, DOOR, NOW, booking, issued, with_door

HIT: list[Any] = [
    pytest.param(issued(), NOW, CHECK_IN, id="has a code"),
    pytest.param(with_door(booking(), state=State.WAITING, reason="no_slot"), NOW, CHECK_IN, id="waits"),
    pytest.param(issued(), CHECK_IN + timedelta(hours=1), None, id="is inside, with a code"),
    pytest.param(booking(), CHECK_IN + timedelta(hours=1), CHECK_IN, id="stands before the door"),
]


@pytest.mark.parametrize(("it", "now", "check_in"), HIT)
def test_who_is_hit(it: Booking, now: datetime, check_in: datetime | None) -> None:
    """By the nearest guest who is not inside yet."""
    cause = door_gone(DOOR, [it], now, was_told=False)
    assert cause is not None
    notice = cause.notice
    assert (notice.check_in, notice.check_out) == (check_in, CHECK_OUT)
    assert notice.raised


@pytest.mark.parametrize(
    "it",
    [
        replace(issued(), cancelled=True),
        with_door(issued(), state=State.ENDED),
        with_door(issued(), wanted=False),
        with_door(issued(), check_out=NOW),
        with_door(booking(), state=State.FAILED, reason="device_not_found"),
        issued("another"),
    ],
    ids=["cancelled", "ended", "dropped", "over", "told by itself", "another door's"],
)
def test_who_is_not_hit(it: Booking) -> None:
    """Nobody is told of a door that nobody comes to."""
    assert door_gone(DOOR, [it], NOW, was_told=False) is None


def test_the_nearest_guest_decides_how_loudly() -> None:
    """Of several bookings."""
    near = replace(with_door(issued(), check_in=NOW + timedelta(hours=1)), booking_id="BK-2")
    cause = door_gone(DOOR, [issued(), near], NOW, was_told=False)
    assert cause is not None
    assert severity(cause.notice.check_in, NOW, check_out=cause.notice.check_out) is Severity.PAGE
    assert (cause.hit, [each.split(" on ")[0] for each in cause.subjects]) == (2, ["Booking BK-2", "Booking BK-1"])


def test_what_was_told_goes_on_while_a_booking_fails_by_it() -> None:
    """A retry that doesn't find the door doesn't bring it back."""
    it = with_door(booking(), state=State.FAILED, reason="device_not_found")
    assert door_gone(DOOR, [it], NOW, was_told=True) is not None
