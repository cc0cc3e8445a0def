"""What kind of message a parked one is, and what is true of its booking until it is replayed."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.domain.alerting.affected_by_parked import ParkedMessage
from shared.domain.alerting.causes import Cause
from shared.domain.alerting.parked_messages import parked_causes
from shared.domain.booking.parked_effect import effect_for_now, kind_for
from shared.domain.booking.record import Booking, State
from shared.domain.messages.hints import Hints
from shared.domain.messages.message import Problem, unknown_unit
from shared.domain.messages.parked_kind import ParkedKind, kind_said
from tests.shared.stories import CHECK_IN, NOW, accepted, booking, issued

WITH_ID: dict[str, Any] = {"booking_id": "BK-1", "check_in": "tomorrow"}

SAID: list[Any] = [
    pytest.param(WITH_ID, "booking", id="bare"),
    pytest.param({"type": "booking.created", "data": WITH_ID}, "booking", id="created"),
    pytest.param({"type": "booking.updated", "data": WITH_ID}, "change", id="updated"),
    pytest.param({"type": "booking.cancelled", "data": WITH_ID}, "cancellation", id="cancelled"),
    pytest.param({"type": "booking.canceled", "data": WITH_ID}, "cancellation", id="a near type"),
    pytest.param(WITH_ID | {"status": "cancelled"}, "cancellation", id="by a status"),
    pytest.param({"type": "booking.created", "cancelled": True, "data": WITH_ID}, "cancellation", id="in the envelope"),
    pytest.param({"status": "cancelled"}, "cancellation", id="of nobody"),
    pytest.param({"check_in": "2036-12-01"}, "unreadable", id="names no booking"),
    pytest.param([], "unreadable", id="no object"),
    pytest.param({"data": "BK-1"}, "unreadable", id="no fields"),
]


@pytest.mark.parametrize(("message", "kind"), SAID)
def test_the_kind_of_a_message(message: Any, kind: str) -> None:
    """By its type, or by another sign that it cancels."""
    assert kind_said(json.dumps(message)) == kind


@pytest.mark.parametrize("text", ["", "oops", "[" * 60_000])
def test_text_that_is_no_json_is_unreadable(text: str) -> None:
    """Whatever it contains."""
    assert kind_said(text) is ParkedKind.UNREADABLE


def test_a_booking_that_the_ledger_knows_makes_the_message_a_change() -> None:
    """Most systems send the whole booking again. An update of an unknown booking counts as a new booking."""
    for kind in (ParkedKind.BOOKING, ParkedKind.CHANGE):
        assert kind_for(kind, issued()) is ParkedKind.CHANGE
        for gone in (None, replace(issued(), cancelled=True), replace(issued(), state=State.ENDED)):
            assert kind_for(kind, gone) is ParkedKind.BOOKING
    assert kind_for(ParkedKind.CANCELLATION, issued()) is ParkedKind.CANCELLATION


BOOKED = "2036-12-01 16:00 +0000 to 2036-12-05 10:00 +0000"
OPENS = "from Mon 2036-12-01 16:00 to Fri 2036-12-05 10:00 UTC"
STANDS: list[Any] = [
    pytest.param("booking", None, "no code is made for it", id="a new booking"),
    pytest.param("booking", replace(issued(), cancelled=True), "no code is made for it", id="of a cancelled one"),
    pytest.param("change", booking(), f"the booking keeps its old times, {BOOKED}", id="no code yet"),
    pytest.param("change", issued(), f"keeps its old times, {BOOKED}, and its code {OPENS}", id="with a code"),
    pytest.param("change", replace(issued(), newest_entry="9-0"), "a later message", id="sent again since"),
    pytest.param("cancellation", issued(), f"it is not cancelled: the code stays valid, {OPENS}", id="a code lives"),
    pytest.param("cancellation", booking(), "the booking stands, and has no code yet", id="before there is a code"),
    pytest.param("cancellation", None, "no booking of this id is known", id="of nobody"),
    pytest.param("cancellation", accepted(kind="cancelled").booking, "no booking of this id", id="only ever cancelled"),
    pytest.param("cancellation", replace(issued(), cancelled=True), "is cancelled by now", id="cancelled since"),
    pytest.param("cancellation", replace(issued(), newest_entry="9-0"), "code stays valid", id="sent again as booked"),
    pytest.param("unreadable", None, "", id="nobody can say"),
]


@pytest.mark.parametrize(("kind", "it", "words"), STANDS)
def test_what_a_parked_message_means_until_it_is_replayed(kind: str, it: Booking | None, words: str) -> None:
    """It never says "no code is made" if the booking has a code."""
    told = effect_for_now(ParkedKind(kind), it, "5-0")
    assert words in told
    assert bool(words) == bool(told)
    if it is not None and any(door.code for door in it.doors) and not it.cancelled:
        assert "no code is made" not in told


WRONG = Problem("source", "'/other' is not that of this booking's first message, '/pms'", "give another booking_id")


def parked(
    kind: ParkedKind, it: Booking | None, *, booking_id: str = "BK-1", parked_id: str = "5-0", **hints: Any
) -> ParkedMessage:
    """Return a parked message about a booking."""
    return ParkedMessage(
        parked_id=parked_id,
        stream="booking-created",
        problems=(str(WRONG),),
        hints=Hints(booking_id, **hints),
        kind=kind,
        arrival="5-0",
        booking=it,
    )


def told(*messages: ParkedMessage, now: datetime = NOW) -> Cause:
    """Return the only cause that is told."""
    (cause,) = parked_causes(messages, now)
    return cause


def test_a_parked_cancellation_is_told_as_one() -> None:
    """The code stays valid. The message has no check-in, so the booking's decides how urgent that is."""
    cause = told(parked(ParkedKind.CANCELLATION, issued()))
    assert (cause.notice.problem, cause.notice.subject) == ("cancellation_parked", "Cancellation of booking BK-1")
    assert "no code is made" not in cause.notice.happened
    assert f"the code stays valid, {OPENS}" in cause.subjects[0]
    assert cause.notice.check_in == CHECK_IN


def test_a_local_time_of_a_change_counts_on_the_clock_of_its_door() -> None:
    """The ledger knows the door's zone: nobody reads that it isn't known."""
    wall = (NOW + timedelta(hours=5)).replace(tzinfo=None)
    there = door_of(issued(), time_zone="America/Los_Angeles")
    notice = told(parked(ParkedKind.CHANGE, there, check_in=NOW - timedelta(hours=9), wall_check_in=wall)).notice
    assert (notice.wall_check_in, notice.time_zone) == (None, "America/Los_Angeles")
    assert notice.check_in == wall.replace(tzinfo=ZoneInfo("America/Los_Angeles"))
    unknown = told(parked(ParkedKind.CHANGE, None, check_in=NOW - timedelta(hours=9), wall_check_in=wall)).notice
    assert (unknown.wall_check_in, unknown.time_zone) == (wall, None)


def door_of(it: Booking, *, time_zone: str) -> Booking:
    """Return a booking whose door is in this zone."""
    return replace(it, doors=tuple(replace(door, time_zone=time_zone) for door in it.doors))


def test_a_parked_change_is_told_as_one() -> None:
    """The booking keeps its times; the nearer of the old and the new check-in counts."""
    sooner = CHECK_IN - timedelta(days=2)
    cause = told(parked(ParkedKind.CHANGE, issued(), check_in=sooner))
    assert (cause.notice.problem, cause.notice.subject) == ("change_parked", "Change of booking BK-1")
    assert "keeps its old times" in cause.notice.happened
    assert (cause.notice.check_in, cause.hit) == (sooner, 1)
    assert told(parked(ParkedKind.CHANGE, issued(), check_in=CHECK_IN + timedelta(days=2))).notice.check_in == CHECK_IN


def test_one_cause_of_several_kinds_says_what_is_true_of_each() -> None:
    """There is one alert, because there is one fix."""
    cause = told(
        parked(ParkedKind.CANCELLATION, issued()),
        parked(ParkedKind.BOOKING, None, booking_id="BK-2", parked_id="6-0"),
    )
    assert (cause.notice.problem, cause.notice.subject) == ("booking_parked", "2 parked bookings")
    assert "Some are cancellations: nothing is cancelled, and the codes that exist stay valid." in cause.notice.happened
    assert "changes" not in cause.notice.happened
    assert told(*(parked(ParkedKind.CANCELLATION, None, booking_id=f"BK-{n}") for n in (1, 2))).notice.subject == (
        "2 parked cancellations"
    )


def test_an_unknown_check_in_never_makes_a_cause_less_urgent() -> None:
    """Neither if a message without a check-in comes later, nor if it is the newest of a booking that had one."""
    far, near = NOW + timedelta(days=14), NOW + timedelta(hours=1)
    unknown = parked(ParkedKind.BOOKING, None, booking_id="BK-3", parked_id="8-0")
    assert told(unknown).notice.check_in is None
    assert told(unknown, parked(ParkedKind.BOOKING, None, check_in=far)).notice.check_in is None
    assert told(parked(ParkedKind.BOOKING, None, check_in=near), unknown).notice.check_in == near
    again = parked(ParkedKind.BOOKING, None, parked_id="9-0")
    assert told(parked(ParkedKind.BOOKING, None, check_in=near), again).notice.check_in == near
    assert told(parked(ParkedKind.BOOKING, None, check_in=far)).notice.check_in == far


def test_a_check_in_counts_even_if_no_booking_is_named() -> None:
    """A guest comes nevertheless."""
    near = NOW + timedelta(hours=1)
    nobody = replace(parked(ParkedKind.UNREADABLE, None, check_in=near), hints=Hints(None, near))
    cause = told(nobody, parked(ParkedKind.BOOKING, None, parked_id="6-0", check_in=NOW + timedelta(days=3)))
    assert (cause.notice.check_in, cause.notice.problem) == (near, "booking_parked")


def test_a_message_that_a_later_one_settled_is_not_urgent() -> None:
    """It is told until somebody discards it, but no guest waits for it."""
    later = replace(issued(), newest_entry="9-0")
    assert told(parked(ParkedKind.CHANGE, later, check_in=CHECK_IN)).notice.check_in is None
    assert told(parked(ParkedKind.CANCELLATION, replace(later, cancelled=True))).notice.check_in is None
    assert told(parked(ParkedKind.CANCELLATION, later)).notice.check_in == CHECK_IN


def test_a_unit_that_is_missing_is_one_cause_for_bookings_and_changes() -> None:
    """There is one fix: the unit."""
    problems = (str(unknown_unit("Villa 7")),)
    messages = [
        replace(parked(ParkedKind.BOOKING, None, booking_id="BK-1"), problems=problems),
        replace(parked(ParkedKind.CHANGE, issued(), booking_id="BK-2", parked_id="6-0"), problems=problems),
    ]
    cause = told(*messages, now=datetime(2036, 11, 20, tzinfo=UTC))
    assert cause.notice.subject == "2 bookings name the unit 'Villa 7', which isn't in the doors file"
    assert any(line.startswith("Change of booking BK-2") for line in cause.subjects)
