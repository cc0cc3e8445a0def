"""Booking messages into their stream: which are repeats, and which are news."""

import json
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from shared.booking_stream import BookingStream
from shared.domain.messages.parse import parse_booking_message
from tests.domain.booking_messages import booking, envelope

STREAM = "booking-created"


def text(message: dict[str, Any]) -> str:
    """Return a message as JSON."""
    return json.dumps(message)


def delivered(stream: BookingStream, messages: list[dict[str, Any]], *, again: bool) -> list[bool]:
    """Let a broker deliver messages; say which were appended."""
    return [stream.append_delivered(text(each), is_redelivered=again) for each in messages]


def test_an_identified_message_that_is_delivered_again_is_appended_once(redis_client: Redis) -> None:
    """Whatever came between."""
    stream = BookingStream(redis_client, STREAM)
    messages = [envelope(id="1"), envelope(id="2")]
    assert delivered(stream, messages, again=False) == [True, True]
    assert delivered(stream, [*messages, envelope(id="3")], again=True) == [False, False, True]
    assert redis_client.xlen(STREAM) == 3


def test_bare_messages_that_are_delivered_again_end_as_the_first_time(redis_client: Redis) -> None:
    """Only the newest of its booking is known: of several all come again, in their order."""
    stream = BookingStream(redis_client, STREAM)
    one, other, another_booking = booking(), booking(check_out="2026-12-06"), booking(booking_id="BK-2")
    assert delivered(stream, [one, another_booking], again=False) == [True, True]
    assert delivered(stream, [one, another_booking], again=True) == [False, False]
    assert delivered(stream, [other], again=False) == [True]
    assert delivered(stream, [one, other], again=True) == [True, True]
    entries: Any = redis_client.xrange(STREAM)
    assert json.loads(entries[-1][1]["message"]) == other


def test_what_is_sent_again_is_appended(redis_client: Redis) -> None:
    """Sent again or replayed: what kept a parked message from being used may be corrected by now."""
    stream = BookingStream(redis_client, STREAM)
    one, other = booking(), booking(check_out="2026-12-06")
    assert delivered(stream, [one, one, envelope(), envelope()], again=False) == [True] * 4
    stream.append(text(other), parse_booking_message(other))
    stream.append(text(other), parse_booking_message(other))
    assert delivered(stream, [other, one], again=True) == [False, True]
    assert redis_client.xlen(STREAM) == 7


def test_pins_are_taken_out_before_the_append(redis_client: Redis) -> None:
    """By whichever way a message comes."""
    stream = BookingStream(redis_client, STREAM)
    sent = booking(pin="739158")
    stream.append(text(sent), parse_booking_message(sent))
    assert delivered(stream, [sent, envelope(data=sent)], again=False) == [True, True]
    assert stream.append_delivered('{"pin": 739158}', is_redelivered=False)
    entries: Any = redis_client.xrange(STREAM)
    assert (len(entries), "739158" in str(entries)) == (4, False)


def test_what_is_no_message_is_appended_once_for_each_time_that_it_was_sent(redis_client: Redis) -> None:
    """It is parked each time. One that the broker delivers again isn't there twice."""
    stream = BookingStream(redis_client, STREAM)
    assert [stream.append_delivered("[]", is_redelivered=again) for again in (True, True, False)] == [True, False, True]
    beside = {"type": "booking.cancelled"}
    found = [
        stream.append_delivered(text(booking()), is_redelivered=again, beside=beside) for again in (False, True, False)
    ]
    assert found == [True, False, True]
    assert redis_client.xlen(STREAM) == 4


@pytest.mark.parametrize("sent", [text(booking()), text(envelope()), "[]"], ids=["plain", "envelope", "nonsense"])
def test_an_append_that_failed_leaves_no_mark(redis_client: Redis, sent: str) -> None:
    """Else its next try would take it for done."""
    stream = BookingStream(redis_client, STREAM)
    redis_client.set(STREAM, "something else")
    for again in (False, True):
        with pytest.raises(ResponseError):
            stream.append_delivered(sent, is_redelivered=again)
    redis_client.delete(STREAM)
    assert stream.append_delivered(sent, is_redelivered=True)
    assert redis_client.xlen(STREAM) == 1


def test_a_type_beside_a_booking_that_cancels_goes_along(redis_client: Redis) -> None:
    """So that the worker parks it. A message that cancels by itself needs none."""
    stream = BookingStream(redis_client, STREAM)
    assert stream.append_delivered(text(booking()), is_redelivered=False, beside={"type": "booking.cancelled"})
    cancelled = envelope(type="booking.cancelled")
    assert stream.append_delivered(text(cancelled), is_redelivered=False, beside={"type": "booking.cancelled"})
    entries: Any = redis_client.xrange(STREAM)
    assert [fields.get("type") for _, fields in entries] == ["booking.cancelled", None]
