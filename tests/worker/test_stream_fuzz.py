"""For any entry in the streams: it is handled or parked, no task fails, and the next message is handled."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis import Redis

from shared.redis_client import connect
from tests.receiver.web import booking_of, event_of
from tests.sandbox.harness import Sandbox
from tests.support.hostile import JSON, examples, mutated, spelled
from tests.support.server import DataServer
from tests.worker.machine import Machine

NAMES = st.sampled_from(["message", "event", "received_at", "", "\0"]) | st.text(max_size=5)
BYTES = st.binary(max_size=60) | JSON.map(lambda value: spelled(value).encode())
FIELDS = st.dictionaries(NAMES.map(lambda name: name.encode("utf-8", "replace")), BYTES, min_size=1, max_size=3)
BOOKING = booking_of()
EVENT = event_of(
    "access_code.changed",
    device_id="d0000000-0000-0000-0000-000000000001",
    code="739158",
    changed_properties=[{"property": "code"}],
)


@pytest.fixture(scope="module")
def worker(data_server: DataServer, shared_sandbox: Sandbox) -> Iterator[Machine]:
    """Run one worker for all examples."""
    with connect(data_server.url) as redis:
        redis.flushall()
        yield Machine(redis, data_server.url, shared_sandbox)


def put(redis: Redis, stream: str, fields: dict[Any, Any]) -> str:
    """Append an entry, as any client could."""
    return str(redis.xadd(stream, fields))


def is_done_with(worker: Machine, stream: str, entry_id: str) -> bool:
    """Say whether the entry is gone from its stream."""
    return not worker.redis.xrange(stream, entry_id, entry_id)


@given(fields=FIELDS | (mutated(BOOKING) | JSON).map(lambda value: {b"message": spelled(value).encode()}))
@settings(max_examples=examples(200))
def test_any_entry_of_the_booking_stream(worker: Machine, fields: dict[bytes, bytes]) -> None:
    """It becomes a booking that can be read and listed, or is parked with its problems."""
    parked_before = worker.parked.count()
    entry_id = put(worker.redis, "booking-created", fields)
    booking = worker.handlers.apply_booking(entry_id)
    assert is_done_with(worker, "booking-created", entry_id)
    if booking is not None:
        assert worker.ledger.get(booking.booking_id) == booking
        worker.ledger.history(booking.booking_id)
    elif worker.parked.count() > parked_before:
        *_, parked = worker.parked.list()
        assert parked.parked.problems
        assert all(problem.isascii() or problem.encode() for problem in parked.parked.problems)


@given(fields=FIELDS | (mutated(EVENT) | JSON).map(lambda value: {b"event": spelled(value).encode()}))
@settings(max_examples=examples(200))
def test_any_entry_of_the_event_stream(worker: Machine, fields: dict[bytes, bytes]) -> None:
    """An unusable one doesn't affect the others of its batch."""
    good = put(worker.redis, "seam-events", {"event": json.dumps(event_of())})
    bad = put(worker.redis, "seam-events", fields)
    worker.handlers.record_events([bad, good])
    assert is_done_with(worker, "seam-events", bad)
    assert is_done_with(worker, "seam-events", good)


@given(label=st.text(max_size=40) | JSON, slot=JSON, zone=JSON)
@settings(max_examples=examples(60))
def test_a_booking_of_any_words_can_be_shown(worker: Machine, label: Any, slot: Any, zone: Any) -> None:
    """Every reader of the ledger can read a booking that was accepted."""
    data = BOOKING["data"] | {"booking_id": worker.new_id(), "label": label, "slot": slot, "time_zone": zone}
    entry_id = put(worker.redis, "booking-created", {"message": spelled(BOOKING | {"data": data})})
    worker.handlers.apply_booking(entry_id)
    for booking in worker.ledger.all():
        json.dumps(worker.ledger.history(booking.booking_id), default=str).encode()
    worker.redis.flushall()
