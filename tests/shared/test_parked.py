"""The parked list: what could not be understood, for a person to replay or discard."""

from typing import Any

import pytest
from redis import Redis

from shared.parked import Parked, ParkedList


def parked(source_id: str = "1-1", message: str = "oops") -> Parked:
    """Return a message to park."""
    return Parked(
        stream="booking-created",
        field="message",
        source_id=source_id,
        message=message,
        problems=("check_in: is missing", "device_ids: is missing"),
        parked_at="2026-11-21T10:00:00+00:00",
    )


def test_parked_messages_are_listed_oldest_first(redis_client: Redis) -> None:
    """Each with its own id and everything that was said of it."""
    kept = ParkedList(redis_client)
    ids = [kept.park(parked(f"{number}-1")) for number in range(3)]

    assert [entry.parked_id for entry in kept.list()] == ids
    assert [entry.parked for entry in kept.list()] == [parked(f"{number}-1") for number in range(3)]
    assert kept.count() == 3


def test_one_is_found_by_its_id(redis_client: Redis) -> None:
    """None for an id that isn't there."""
    kept = ParkedList(redis_client)
    parked_id = kept.park(parked())
    found = kept.get(parked_id)
    assert found is not None
    assert found.parked == parked()
    assert kept.get("1-1") is None


def test_a_replayed_message_is_back_in_its_stream(redis_client: Redis) -> None:
    """At the stream's end, in its own field, and off the list; it remembers when it first came."""
    kept = ParkedList(redis_client)
    entry = kept.get(kept.park(parked(message='{"booking_id": "BK-1"}')))
    assert entry is not None
    kept.replay(entry)

    found: Any = redis_client.xrange("booking-created")
    assert [fields for _, fields in found] == [{"message": '{"booking_id": "BK-1"}', "first_entry": "1-1"}]
    assert kept.count() == 0


def test_a_discarded_message_is_gone(redis_client: Redis) -> None:
    """Off the list, in no stream; a second time does nothing."""
    kept = ParkedList(redis_client)
    entry = kept.get(kept.park(parked()))
    assert entry is not None
    for _ in range(2):
        kept.discard(entry)
    assert (kept.count(), redis_client.exists("booking-created")) == (0, 0)


@pytest.mark.parametrize(
    ("booking_id", "message"),
    [
        ("BK-1", '{"booking_id": "BK-1"}'),
        ("BK-1", '{"booking_id": " BK-1 "}'),
        ("17", '{"data": {"booking_id": 17}}'),
        ("A/1", '{"booking_id": "A\\/1"}'),
        ("BK-1", '{"booking_id": "\\u0042K-1"}'),
        ("Bä", '{"booking_id": "B\\u00e4"}'),
        ("Bä", '{"booking_id": "Bä"}'),
        ('"', '{"booking_id": "\\""}'),
    ],
)
def test_messages_of_a_booking_are_found_however_its_id_is_written(
    redis_client: Redis, booking_id: str, message: str
) -> None:
    """Newest first, as many as are asked for, in a list of any length; those of others are left out."""
    kept = ParkedList(redis_client)
    first = kept.park(parked(message=message))
    for _ in range(250):
        kept.park(parked(message='{"booking_id": "other", "label": "BK-1 17 A/1"}'))
    second = kept.park(parked(message=message))
    assert [entry.parked_id for entry in kept.of_booking(booking_id)] == [second, first]
    assert [entry.parked_id for entry in kept.of_booking(booking_id, most=1)] == [second]
    assert kept.of_booking("nobody") == ()
