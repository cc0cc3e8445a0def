"""Which bookings a removed door affects, and how urgent that is."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain.alerting.door_gone import door_gone_cause
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
def test_which_bookings_are_affected(it: Booking, now: datetime, check_in: datetime | None) -> None:
    """The check-in is that of the nearest guest who isn't inside yet."""
    cause = door_gone_cause(DOOR, [it], now, was_told=False)
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
def test_which_bookings_are_not_affected(it: Booking) -> None:
    """A door without guests to come isn't told."""
    assert door_gone_cause(DOOR, [it], NOW, was_told=False) is None


def test_the_nearest_guest_decides_the_severity() -> None:
    """Of several bookings."""
    near = replace(with_door(issued(), check_in=NOW + timedelta(hours=1)), booking_id="BK-2")
    cause = door_gone_cause(DOOR, [issued(), near], NOW, was_told=False)
    assert cause is not None
    assert severity(cause.notice.check_in, NOW, check_out=cause.notice.check_out) is Severity.PAGE
    assert (cause.hit, [each.split(" on ")[0] for each in cause.subjects]) == (2, ["Booking BK-2", "Booking BK-1"])


def test_an_alert_that_was_told_stays_open_while_a_booking_fails_because_of_it() -> None:
    """A retry that doesn't find the door doesn't end the alert."""
    it = with_door(booking(), state=State.FAILED, reason="device_not_found")
    assert door_gone_cause(DOOR, [it], NOW, was_told=True) is not None
