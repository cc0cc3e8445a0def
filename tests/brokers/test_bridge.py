"""Bookings from a RabbitMQ queue into the stream: acknowledged only there, kept where they can't be read."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection
from kombu.transport.pyamqp import Channel
from redis import Redis

from shared.contracts import BOOKING_QUEUE
from shared.redis_client import connect
from tests.support.rabbitmq import RabbitMQ
from tests.support.server import DataServer
from tests.support.waiting import wait_until
from worker.bridge import REJECTED_QUEUE, BridgeOptions, Unreadable, booking_text, run

STREAM = "booking-created"
DURABLE = {"delivery_mode": 2}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"not json", id="text"),
        pytest.param(b"", id="nothing"),
        pytest.param(b'{"a": "\xff"}', id="not-utf-8"),
        pytest.param(b"[" * 100_000, id="too-deep"),
        pytest.param('{"a": "\ud800"}', id="half-a-character"),
        pytest.param(b"1" * 5000, id="a-number-too-long"),
    ],
)
def test_what_cannot_be_read_is_told_apart(body: bytes | str) -> None:
    """Whatever a body holds, it is a text that can be stored, or Unreadable."""
    with pytest.raises(Unreadable):
        booking_text(body)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"booking_id": "B"}', id="bytes"),
        pytest.param(b'\xef\xbb\xbf{"booking_id": "B"}', id="byte-order-mark"),
        pytest.param('{"booking_id": "B"}', id="text"),
        pytest.param(b"[]", id="no-object"),
    ],
)
def test_json_goes_on_as_it_came(body: bytes | str) -> None:
    """Also JSON that is no good booking: it is parked later, with every problem."""
    assert booking_text(body) in ('{"booking_id": "B"}', "[]")


def test_bookings_go_into_the_stream_whoever_declared_the_queue(
    rabbitmq: RabbitMQ, redis_client: Redis, data_server: DataServer
) -> None:
    """Plain JSON with any headers is appended once and acknowledged; what isn't JSON is kept, as it came."""
    with channel(rabbitmq) as it:
        # A booking system that declared its queue as it liked.
        it.queue_declare(BOOKING_QUEUE, durable=True, auto_delete=False)
        send(it, b'{"booking_id": "B-1"}')
        send(it, b'{"booking_id": "B-2"}', content_type="application/json", content_encoding="utf-8")
        send(it, b"\xff\x00 no json", content_type="text/plain")
        send(it, b'{"booking_id": "B-3"}', content_type="application/x-python-serialize", content_encoding="binary")
    with bridging(rabbitmq, data_server):
        wait_until(lambda: redis_client.xlen(STREAM) == 3, what="three entries")
        wait_until(lambda: rabbitmq.count(REJECTED_QUEUE) == 1, what="the rejected one")
    assert [json.loads(each)["booking_id"] for each in entries(redis_client)] == ["B-1", "B-2", "B-3"]
    (rejected,) = rabbitmq.messages(REJECTED_QUEUE)
    assert bytes(rejected.body) == b"\xff\x00 no json"
    assert rejected.properties["content_type"] == "text/plain"
    assert rabbitmq.count(BOOKING_QUEUE) == 0


def test_nothing_is_acknowledged_that_is_not_in_the_stream(rabbitmq: RabbitMQ, tmp_path: Path) -> None:
    """With the data server away messages stay RabbitMQ's; with both back all of them arrive."""
    server = DataServer(tmp_path)
    server.start()
    server.kill()
    with channel(rabbitmq) as it:
        it.queue_declare(BOOKING_QUEUE, durable=True, auto_delete=False)
        for number in range(20):
            send(it, json.dumps({"booking_id": f"B-{number}"}).encode())
    with bridging(rabbitmq, server):
        wait_until(lambda: rabbitmq.count(BOOKING_QUEUE) == 0, what="all were fetched")
    # Ended while the data server was away: nothing was acknowledged.
    wait_until(lambda: rabbitmq.count(BOOKING_QUEUE) == 20, what="all came back")
    with bridging(rabbitmq, server):
        wait_until(lambda: rabbitmq.count(BOOKING_QUEUE) == 0, what="all were fetched again")
        server.start()
        with connect(server.url) as redis:
            wait_until(lambda: redis.exists(STREAM) and len(set(entries(redis))) == 20, what="all are in the stream")
    wait_until(lambda: rabbitmq.count(BOOKING_QUEUE) == 0, what="all are acknowledged")
    server.stop()


def test_it_reconnects_to_a_broker_that_was_killed(
    rabbitmq: RabbitMQ, redis_client: Redis, data_server: DataServer
) -> None:
    """After `kill -9` of RabbitMQ it goes on by itself."""
    with bridging(rabbitmq, data_server):
        wait_until(lambda: sent(rabbitmq, b'{"booking_id": "BEFORE"}'), what="sent")
        wait_until(lambda: redis_client.xlen(STREAM) == 1, what="the first")
        rabbitmq.kill()
        rabbitmq.start()
        wait_until(lambda: sent(rabbitmq, b'{"booking_id": "AFTER"}'), what="sent after the restart")
        wait_until(lambda: '{"booking_id": "AFTER"}' in entries(redis_client), what="the second", within=30)


@contextmanager
def bridging(rabbitmq: RabbitMQ, server: DataServer) -> Iterator[None]:
    """Run the bridge in a thread, as the worker does."""
    stopping = threading.Event()
    thread = threading.Thread(target=run, args=(BridgeOptions(rabbitmq.url, server.url, STREAM), stopping))
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(20)
        assert not thread.is_alive()


@contextmanager
def channel(rabbitmq: RabbitMQ) -> Iterator[Any]:
    """Lend a channel on which publishing is confirmed."""
    with Connection(rabbitmq.url, transport_options={"confirm_publish": True}) as connection:
        yield connection.default_channel


def send(to: Any, body: bytes, **properties: Any) -> None:
    """Publish as a client in any language would, to the default exchange."""
    assert isinstance(to, Channel)
    named = {name: properties.pop(name, None) for name in ("content_type", "content_encoding")}
    message = to.prepare_message(body, properties=DURABLE | properties, **named)
    to.basic_publish(message, exchange="", routing_key=BOOKING_QUEUE, mandatory=True)


def sent(rabbitmq: RabbitMQ, body: bytes) -> bool:
    """Publish once the queue is there."""
    try:
        with channel(rabbitmq) as it:
            it.queue_declare(BOOKING_QUEUE, passive=True)
            send(it, body)
    except Exception:  # noqa: BLE001 - not yet
        return False
    return True


def entries(redis: Redis) -> list[str]:
    """Return the messages in the stream."""
    found: Any = redis.xrange(STREAM)
    return [fields["message"] for _, fields in found]
