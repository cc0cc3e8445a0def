"""A type beside the message that cancels; and a year that must be a slip: neither is taken for a booking in silence."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.messages.far_ahead import MOST_AHEAD, check_not_far_ahead
from shared.domain.messages.message import InvalidMessage, MessageType
from shared.domain.messages.outer_type import check_outer_type, with_outer_type
from shared.domain.messages.parked_kind import kind_said
from shared.domain.messages.time_fields import parse_booking_time

CANCELS: list[dict[str, Any]] = [
    {"ce-type": "booking.cancelled"},
    {"ce_type": "com.acme.booking.canceled"},
    {"cloudEvents:type": "booking.cancelled"},
    {"cloudEvents_type": "storno"},
    {"type": "reservation.cancelled", "source": "/pms"},
]
HARMLESS: list[dict[str, Any]] = [
    {},
    {"ce-type": ""},
    {"ce-type": "booking.created"},
    {"type": "booking.updated"},
    {"type": "reservation"},
    {"type": None},
    {"note": "booking.cancelled"},
]
NOW = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.mark.parametrize("outside", CANCELS, ids=str)
def test_a_cancellation_beside_a_booking_is_refused(outside: dict[str, Any]) -> None:
    """With how to cancel; beside a cancellation it says the same."""
    with pytest.raises(InvalidMessage) as refused:
        check_outer_type(outside, MessageType.CREATED)
    (problem,) = refused.value.problems
    assert problem.field in outside
    assert '"type": "booking.cancelled"' in problem.right
    check_outer_type(outside, MessageType.CANCELLED)


@pytest.mark.parametrize("outside", HARMLESS, ids=str)
def test_what_says_nothing_of_the_kind_is_ignored(outside: dict[str, Any]) -> None:
    """As before: other fields of an entry are nobody's business."""
    check_outer_type(outside, MessageType.CREATED)
    assert with_outer_type('{"booking_id": "BK-1"}', outside) == '{"booking_id": "BK-1"}'


def test_what_is_parked_keeps_the_type() -> None:
    """It must not become a booking by a replay."""
    kept = with_outer_type('{"booking_id": "BK-1"}', {"type": "booking.cancelled"})
    assert json.loads(kept) == {"type": "booking.cancelled", "data": {"booking_id": "BK-1"}}
    assert kind_said(kept) == "cancellation"
    assert with_outer_type(kept, {"type": "booking.cancelled"}) == kept
    assert with_outer_type("oops", {"type": "booking.cancelled"}) == "oops"


@pytest.mark.parametrize("written", ["2126-12-01T15:45:00Z", "2126-12-01T15:45", "2126-12-01", "2029-12-30"])
def test_a_check_in_of_another_century_is_a_problem(written: str) -> None:
    """It would wait for its lead time, and nobody would hear of it."""
    with pytest.raises(InvalidMessage, match="over three years ahead"):
        check_not_far_ahead(parse_booking_time(written), NOW)


@pytest.mark.parametrize("written", ["2029-11-01T15:45:00Z", "2029-11-01T15:45", "2029-11-01", "2020-01-01"])
def test_a_check_in_of_these_years_is_none(written: str) -> None:
    """Nor one of the past, nor none at all."""
    check_not_far_ahead(parse_booking_time(written), NOW)
    check_not_far_ahead(None, NOW)
    assert timedelta(days=3 * 365) < MOST_AHEAD
