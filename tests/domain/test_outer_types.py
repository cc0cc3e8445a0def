"""A type beside the message that cancels, and a year that must be a mistake: neither is taken for a booking."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.messages.far_ahead import MOST_AHEAD, check_not_far_ahead
from shared.domain.messages.message import InvalidMessage
from shared.domain.messages.outer_type import check_outer_type, with_outer_type
from shared.domain.messages.parked_kind import kind_said
from shared.domain.messages.parse import parse_booking_message
from shared.domain.messages.status_words import status_key
from shared.domain.messages.time_fields import parse_booking_time
from tests.domain.booking_messages import booking, envelope, problems_of

CANCELS: list[dict[str, Any]] = [
    {"ce-type": "booking.cancelled"},
    {"ce-type": "booking%2Ecancelled"},
    {"ce-type": "%D0%BE%D1%82%D0%BC%D0%B5%D0%BD%D0%B5%D0%BD%D0%BE"},
    {"x-action": "c%61ncel"},
    {"ce_type": "com.acme.booking.canceled"},
    {"cloudEvents:type": "booking.cancelled"},
    {"cloudEvents_type": "storno"},
    {"type": "reservation.cancelled", "source": "/pms"},
    {"x-event-type": "booking.cancelled"},
    {"ce_type": "\u043e\u0442\u043c\u0435\u043d\u0435\u043d\u043e"},
    {"event": "cancel"},
    {"event_type": "reservation.refunded"},
    {"Type": "\u0130PTAL"},
    {"action": "delete"},
    {"x-shopify-topic": "orders/cancelled"},
    {"routing_key": "pms.booking.cancelled"},
    {"subject": "bookings/BK-1/cancelled"},
    {"cancelled": "true"},
    {"cancelled": True},
    {"confirmed": "false"},
    {"deleted": "1"},
    {"is_cancelled": "1", "note": "x"},
    {"cancelled_at": "2026-11-28T10:00:00Z"},
    {"name": "BookingCancelled"},
    {"method": "DELETE"},
    {"X-HTTP-Method-Override": "DELETE"},
]
UNKNOWN: list[dict[str, Any]] = [
    {"ce-type": "com.acme.reservation.frobnicated"},
    {"ce-type": "booking%2Ecreated"},
    {"event": "x9"},
    {"action": "7"},
    {"status": "pending"},
    {"X-Event-Type": "\u03b1\u03b2\u03b3"},
]
HARMLESS: list[dict[str, Any]] = [
    {},
    {"ce-type": ""},
    {"ce-type": "booking.created"},
    {"type": "booking.updated"},
    {"type": "reservation"},
    {"type": None},
    {"note": "booking.cancelled"},
    {"content-type": "application/json", "accept": "*/*", "user-agent": "pms/1.0", "x-request-id": "cancelled"},
    {"x-acme-topic": "x9"},
    {"ce-type": "com.acme.reservation.created.v1", "ce-source": "x"},
    {"routing_key": "booking-created"},
    {"type": "BookingCreatedMessage"},
    {"x-event-type": 7},
    {"cancelled": "false", "deleted": "0", "confirmed": "true", "cancelled_at": ""},
    {"x-cancel-token": "739x", "cancel_url": "https://pms.example/cancel"},
    {"headers": '{"type": "booking.created", "note": "cancelled"}', "meta": "{", "note": '{"type": "cancelled"}'},
]
HEADERS = ('{"type": "cancelled"}', '{"ce-type": "booking.cancelled"}', '{"cancelled": true}', {"event": "cancel"})
CANCELLATION = parse_booking_message(envelope(type="booking.cancelled", data={"booking_id": "BK-1"}))
NOW = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.mark.parametrize("outside", CANCELS, ids=str)
def test_a_cancellation_beside_a_booking_is_refused(outside: dict[str, Any]) -> None:
    """The problem says how to cancel; beside a cancellation it says the same."""
    with pytest.raises(InvalidMessage) as refused:
        check_outer_type(outside, parse_booking_message(booking()))
    (problem,) = refused.value.problems
    assert problem.field in outside
    assert problem.right.startswith('send a CloudEvents envelope with "type": "booking.cancelled"')
    with pytest.raises(InvalidMessage):
        check_outer_type(outside, parse_booking_message(envelope()))
    check_outer_type(outside, CANCELLATION)


@pytest.mark.parametrize("name", ["headers", "attributes", "meta"])
@pytest.mark.parametrize("held", HEADERS, ids=str)
def test_a_cancellation_in_the_headers_of_another_broker_is_refused(name: str, held: object) -> None:
    """A bridge puts them as JSON into a field of the stream entry. They are parked with the message."""
    outside = {name: held}
    with pytest.raises(InvalidMessage):
        check_outer_type(outside, parse_booking_message(booking()))
    for text in (json.dumps(booking()), json.dumps(envelope())):
        assert kind_said(with_outer_type(text, outside)) == "cancellation"


@pytest.mark.parametrize("outside", CANCELS, ids=str)
def test_what_cancels_beside_a_parked_message_is_kept_in_it(outside: dict[str, Any]) -> None:
    """So that a replay of the message alone makes no code."""
    for text in (json.dumps(booking()), json.dumps(envelope())):
        kept = with_outer_type(text, outside)
        assert kind_said(kept) == "cancellation" or problems_of(kept)


@pytest.mark.parametrize("outside", UNKNOWN, ids=str)
def test_an_unknown_type_beside_a_bare_booking_is_refused(outside: dict[str, Any]) -> None:
    """It may cancel. A message with an envelope has its own type; a word of the system's own is known."""
    bare = parse_booking_message(booking())
    with pytest.raises(InvalidMessage, match="isn't known to say that the booking stands"):
        check_outer_type(outside, bare)
    check_outer_type(outside, parse_booking_message(envelope()))
    check_outer_type(outside, CANCELLATION)
    check_outer_type(outside, bare, {status_key(next(iter(outside.values())))})


def test_a_message_that_was_parked_for_an_unknown_type_is_parked_again() -> None:
    """A replay alone makes no booking of it; when the word is known, it does."""
    kept = with_outer_type(json.dumps(booking()), {"event": "x9"})
    assert [each.field for each in problems_of(kept)] == ["type"]
    assert with_outer_type(kept, {"event": "x9"}) == kept
    assert parse_booking_message(kept, {"x9"}).booking_id == "BK-1001"


@pytest.mark.parametrize("outside", HARMLESS, ids=str)
def test_unrelated_fields_of_an_entry_are_ignored(outside: dict[str, Any]) -> None:
    """They mean nothing here."""
    check_outer_type(outside, parse_booking_message(booking()))
    assert with_outer_type('{"booking_id": "BK-1"}', outside) == '{"booking_id": "BK-1"}'


def test_a_parked_message_keeps_the_outer_type() -> None:
    """A replay must not make a booking of it."""
    kept = with_outer_type('{"booking_id": "BK-1"}', {"type": "booking.cancelled"})
    assert json.loads(kept) == {"type": "booking.cancelled", "data": {"booking_id": "BK-1"}}
    assert kind_said(kept) == "cancellation"
    assert with_outer_type(kept, {"type": "booking.cancelled"}) == kept
    assert with_outer_type("oops", {"type": "booking.cancelled"}) == "oops"


@pytest.mark.parametrize("written", ["2126-12-01T15:45:00Z", "2126-12-01T15:45", "2126-12-01", "2029-12-30"])
def test_a_check_in_of_another_century_is_a_problem(written: str) -> None:
    """It would wait for its lead time, and nobody would be told."""
    with pytest.raises(InvalidMessage, match="over three years ahead"):
        check_not_far_ahead(parse_booking_time(written), NOW)


@pytest.mark.parametrize("written", ["2029-11-01T15:45:00Z", "2029-11-01T15:45", "2029-11-01", "2020-01-01"])
def test_a_check_in_of_these_years_is_no_problem(written: str) -> None:
    """Nor is one in the past, nor a missing one."""
    check_not_far_ahead(parse_booking_time(written), NOW)
    check_not_far_ahead(None, NOW)
    assert timedelta(days=3 * 365) < MOST_AHEAD
