"""Booking messages into their stream: which are repeats, and which are news."""

import json
from typing import Any

from redis import Redis

from shared.booking_stream import BookingStream
from shared.domain.messages.parse import parse_booking_message
from tests.domain.booking_messages import booking, envelope

STREAM = "booking-created"


def text(message: dict[str, Any]) -> str:
    """Return a message as JSON."""
    return json.dumps(message)


def test_an_identified_message_is_appended_once(redis_client: Redis) -> None:
    """As when a broker delivers it again, whatever came between."""
    stream = BookingStream(redis_client, STREAM)
    messages = [envelope(id="1"), envelope(id="2"), envelope(id="1"), envelope(id="2")]
    assert [stream.append_once(text(each)) for each in messages] == [True, True, False, False]
    assert redis_client.xlen(STREAM) == 2


def test_a_bare_message_is_a_repeat_only_right_after_itself(redis_client: Redis) -> None:
    """Several that a broker delivers again end as they did the first time."""
    stream = BookingStream(redis_client, STREAM)
    one, other, another_booking = booking(), booking(check_out="2026-12-06"), booking(booking_id="BK-2")
    messages = [one, another_booking, one, other, one, other]
    assert [stream.append_once(text(each)) for each in messages] == [True, True, False, True, True, True]
    entries: Any = redis_client.xrange(STREAM)
    assert json.loads(entries[-1][1]["message"]) == other


def test_what_a_command_appends_is_never_left_out(redis_client: Redis) -> None:
    """A person said so; and what comes by another way afterwards is judged by it."""
    stream = BookingStream(redis_client, STREAM)
    one, other = text(booking()), text(booking(check_out="2026-12-06"))
    assert stream.append_once(one)
    stream.append(other, parse_booking_message(other))
    stream.append(other, parse_booking_message(other))
    assert not stream.append_once(other)
    assert stream.append_once(one)
    assert redis_client.xlen(STREAM) == 4


def test_what_is_no_message_is_appended(redis_client: Redis) -> None:
    """It is parked by whoever takes it, each time."""
    stream = BookingStream(redis_client, STREAM)
    assert [stream.append_once("[]") for _ in range(2)] == [True, True]
    assert redis_client.xlen(STREAM) == 2
