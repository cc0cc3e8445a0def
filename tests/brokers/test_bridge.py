"""Bookings from a RabbitMQ queue into the stream: acknowledged only there, kept where they can't be read."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection
from kombu.transport.pyamqp import Channel
from redis import Redis

from shared.booking_stream import BookingStream
from shared.clock import system_clock
from shared.contracts import BOOKING_QUEUE, REJECTED_QUEUE
from shared.domain.alerting.alert import Alert
from shared.redis_client import connect
from tests.domain.booking_messages import booking, envelope
from tests.shared.ledgers import alert_ledger
from tests.support.rabbitmq import RabbitMQ
from tests.support.server import DataServer
from tests.support.waiting import wait_until
from worker.consumers import rabbitmq_bridge, rabbitmq_bridge_watch
from worker.consumers.rabbitmq_bridge import QUEUE_ARGUMENTS, Bridge, BridgeOptions, Unreadable, booking_text, run
from worker.consumers.rabbitmq_bridge_watch import LONGEST_PAUSE, STUCK_AFTER, BridgeWatch, pause_after

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


def test_bookings_go_into_the_stream_also_from_a_queue_declared_by_others(
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
        send(it, b'{"booking_id": "B-4"}', type="booking.cancelled")
        send(it, b'{"booking_id": "B-5"}', headers={"cloudEvents:type": "booking.cancelled"})
    with bridging(rabbitmq, data_server):
        wait_until(lambda: redis_client.xlen(STREAM) == 5, what="five entries")
        wait_until(lambda: rabbitmq.count(REJECTED_QUEUE) == 1, what="the rejected one")
    assert [json.loads(each)["booking_id"] for each in entries(redis_client)] == [
        f"B-{number}" for number in range(1, 6)
    ]
    kept: Any = redis_client.xrange(STREAM)
    assert [fields.get("type") for _, fields in kept] == [None, None, None, "booking.cancelled", "booking.cancelled"]
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


def test_a_flood_of_unreadable_messages_holds_up_nothing(
    rabbitmq: RabbitMQ, redis_client: Redis, data_server: DataServer
) -> None:
    """Each is kept exactly once, an empty one too, and every good one among them arrives."""
    bad = {f"no json {number}".encode() for number in range(1000)}
    with channel(rabbitmq) as it:
        it.queue_declare(BOOKING_QUEUE, durable=True, auto_delete=False, arguments=QUEUE_ARGUMENTS)
        for number, body in enumerate(sorted(bad)):
            send(it, body)
            if number == 500:
                send(it, b"")
            if number % 34 == 0:
                send(it, json.dumps({"booking_id": f"B-{number // 34}"}).encode())
    with bridging(rabbitmq, data_server):
        wait_until(lambda: rabbitmq.count(REJECTED_QUEUE) >= 1001, what="all bad ones", within=60)
        wait_until(lambda: redis_client.xlen(STREAM) >= 30, what="all good ones")
    # The library hands over an empty body as text.
    kept = [bytes(each.body) if each.body else b"" for each in rabbitmq.messages(REJECTED_QUEUE)]
    assert sorted(kept) == sorted({*bad, b""})
    assert [json.loads(each)["booking_id"] for each in entries(redis_client)] == [f"B-{n}" for n in range(30)]
    assert rabbitmq.count(BOOKING_QUEUE) == 0


def test_what_the_library_cannot_unpack_is_judged_as_it_came(
    rabbitmq: RabbitMQ, redis_client: Redis, data_server: DataServer
) -> None:
    """A header of the library's own, set by somebody who meant something else by it, changes nothing."""
    with channel(rabbitmq) as it:
        it.queue_declare(BOOKING_QUEUE, durable=True, auto_delete=False)
        send(it, b'{"booking_id": "B-1"}', headers={"compression": "application/x-gzip"})
        send(it, b'{"booking_id": "B-2"}', headers={"compression": "of-our-own"})
    with bridging(rabbitmq, data_server):
        wait_until(lambda: redis_client.xlen(STREAM) == 2, what="both")
    wait_until(lambda: rabbitmq.count(BOOKING_QUEUE) == 0, what="both are acknowledged")


@pytest.mark.usefixtures("redis_client")
def test_a_message_is_not_let_go_while_there_is_nowhere_to_keep_it(rabbitmq: RabbitMQ, data_server: DataServer) -> None:
    """Somebody deletes the queue of the rejected: it is made anew, and the next one is in it."""
    with bridging(rabbitmq, data_server):
        wait_until(lambda: sent(rabbitmq, b"first"), what="sent")
        wait_until(lambda: rabbitmq.count(REJECTED_QUEUE) == 1, what="the first")
        rabbitmq.forget(REJECTED_QUEUE)
        wait_until(lambda: sent(rabbitmq, b"second"), what="sent again")
        wait_until(lambda: rabbitmq.count(REJECTED_QUEUE) == 1, what="the second")
    assert [bytes(each.body) for each in rabbitmq.messages(REJECTED_QUEUE)] == [b"second"]


def test_rejected_messages_are_told_until_somebody_has_taken_them(
    rabbitmq: RabbitMQ, redis_client: Redis, data_server: DataServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One alert counts them, without a word of what they say; it is over when their queue is empty."""
    monkeypatch.setattr(rabbitmq_bridge, "_LOOK_EVERY", 0.1)
    with bridging(rabbitmq, data_server):
        for _ in range(3):
            wait_until(lambda: sent(rabbitmq, b"a guest called Ada"), what="sent")
        told = wait_until(lambda: alert(redis_client, "rejected/booking-created", count=3), what="three are told")
        assert told is not None
        assert (told.notice.problem, told.notice.subject) == ("booking_rejected", f"Queue {REJECTED_QUEUE}")
        assert "Ada" not in repr(told)
        assert len(rabbitmq.messages(REJECTED_QUEUE)) == 3
        wait_until(lambda: alert(redis_client, "rejected/booking-created", is_open=False), what="it is over")


def test_rejected_messages_that_nobody_was_told_of_are_told_later(
    rabbitmq: RabbitMQ, redis_client: Redis, data_server: DataServer
) -> None:
    """If a bridge is killed after it kept a message and before it told people, the next bridge tells them."""
    with channel(rabbitmq) as it:
        it.queue_declare(REJECTED_QUEUE, durable=True, auto_delete=False)
        it.basic_publish(it.prepare_message(b"no json"), exchange="", routing_key=REJECTED_QUEUE)
    with bridging(rabbitmq, data_server):
        wait_until(lambda: alert(redis_client, "rejected/booking-created"), what="it is told")


def test_a_bridge_that_finds_no_broker_is_told_and_the_next_that_works_resolves_it(
    rabbitmq: RabbitMQ,
    redis_client: Redis,
    data_server: DataServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line a try and no traceback; people are told of the fifth, and again once it works, with nothing to do."""
    monkeypatch.setattr(rabbitmq_bridge_watch, "LONGEST_PAUSE", 0.01)
    monkeypatch.setattr(rabbitmq_bridge, "_STEADY_AFTER", 0.1)
    nobody = "amqp://guest:guest@127.0.0.1:1//"
    with bridging(rabbitmq, data_server, nobody):
        wait_until(lambda: alert(redis_client, "bridge/booking-created", count=2), what="it is told")
    output = capsys.readouterr().out
    assert output.count("bridge.disconnected") == len(output.splitlines()) >= STUCK_AFTER
    with bridging(rabbitmq, data_server):
        wait_until(lambda: alert(redis_client, "bridge/booking-created", is_open=False), what="it is over")


def test_a_bridge_that_cannot_store_is_told(rabbitmq: RabbitMQ, redis_client: Redis, data_server: DataServer) -> None:
    """The data server answers, and refuses: that doesn't mend itself, unlike one that is away."""
    redis_client.set(STREAM, "something else")
    with bridging(rabbitmq, data_server):
        wait_until(lambda: sent(rabbitmq, b'{"booking_id": "B-1"}'), what="sent")
        told = wait_until(lambda: alert(redis_client, "bridge/booking-created"), what="it is told")
        assert told is not None
        assert told.notice.problem == "bridge_stuck"
        redis_client.delete(STREAM)
        wait_until(lambda: alert(redis_client, "bridge/booking-created", is_open=False), what="it is over")
    assert entries(redis_client) == ['{"booking_id": "B-1"}']


def test_pauses_grow_until_something_gets_on(redis_client: Redis) -> None:
    """So that a crash for ever writes a few lines a minute."""
    watch = BridgeWatch(alert_ledger(redis_client), system_clock)
    assert [watch.crashed() for _ in range(7)] == [1, 2, 4, 8, 16, LONGEST_PAUSE, LONGEST_PAUSE]
    watch.worked()
    assert watch.crashed() == 1
    assert pause_after(10**6) == LONGEST_PAUSE


def test_the_watch_outlives_a_data_server_that_is_away(tmp_path: Path) -> None:
    """What couldn't be told is told as soon as it can be."""
    server = DataServer(tmp_path)
    server.start()
    redis = connect(server.url)
    watch = BridgeWatch(alert_ledger(redis, clock=system_clock), system_clock)
    for _ in range(STUCK_AFTER):
        watch.crashed()
    assert alert(redis, "bridge/booking-created")
    server.kill()
    watch.crashed()
    watch.worked()
    watch.rejected()
    server.start()
    watch.worked()
    watch.found_rejected(1)
    assert alert(redis, "bridge/booking-created", is_open=False)
    assert alert(redis, "rejected/booking-created")
    redis.close()
    server.stop()


def test_a_message_may_come_back_as_often_as_it_must(rabbitmq: RabbitMQ, data_server: DataServer) -> None:
    """No server's limit of deliveries drops one: the queue that we declare has none that is ever reached."""
    with bridging(rabbitmq, data_server):
        wait_until(lambda: declared(rabbitmq), what="it is declared")
    with channel(rabbitmq) as it:
        # Another declaration than the one that stands would be refused.
        it.queue_declare(BOOKING_QUEUE, durable=True, auto_delete=False, arguments=QUEUE_ARGUMENTS)
        send(it, b'{"booking_id": "B-1"}')
    for times in range(30):
        with channel(rabbitmq) as it:
            message = wait_until(partial(it.basic_get, BOOKING_QUEUE), what=f"it is there after {times} returns")
            # RabbitMQ 4 counts only from the first return on.
            assert (message.headers or {}).get("x-delivery-count", 0) == times


def test_a_connection_outlives_a_data_server_that_is_away(
    rabbitmq: RabbitMQ, redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heartbeats go on while messages wait to be stored: none of them is delivered a second time."""
    monkeypatch.setattr(rabbitmq_bridge, "_PAUSE", 0.5)
    with channel(rabbitmq) as it:
        it.queue_declare(BOOKING_QUEUE, durable=True, auto_delete=False, arguments=QUEUE_ARGUMENTS)
        for _ in range(3):
            send(it, b'{"booking_id": "B-1"}')
    stopping, tries = threading.Event(), list[str]()

    def append(text: str, *, is_redelivered: bool, beside: Mapping[str, object]) -> None:
        # A try that failed may have stored it all the same.
        assert is_redelivered == bool(tries)
        assert beside["routing_key"] == BOOKING_QUEUE
        tries.append(text)
        if len(tries) == 20:
            # At a heartbeat every two seconds the broker would have given up on us after six.
            stopping.set()
        raise OSError

    with Connection(rabbitmq.url, heartbeat=2) as connection:
        Bridge(connection, append, stopping, BridgeWatch(alert_ledger(redis_client), system_clock)).run()
    wait_until(lambda: rabbitmq.count(BOOKING_QUEUE) == 3, what="all came back")
    assert [each.headers["x-delivery-count"] for each in rabbitmq.messages(BOOKING_QUEUE)] == [1, 1, 1]


def test_what_was_stored_before_the_bridge_ended_is_not_stored_again(
    rabbitmq: RabbitMQ, redis_client: Redis, data_server: DataServer
) -> None:
    """It ends between storing a message and acknowledging it. One that is sent twice is kept twice."""
    stopping, stream = threading.Event(), BookingStream(redis_client, STREAM)
    with channel(rabbitmq) as it:
        it.queue_declare(BOOKING_QUEUE, durable=True, auto_delete=False, arguments=QUEUE_ARGUMENTS)
        for message in (booking(), envelope()):
            send(it, json.dumps(message).encode())

    def append(text: str, *, is_redelivered: bool, beside: Mapping[str, object]) -> None:
        stream.append_delivered(text, is_redelivered=is_redelivered, beside=beside)
        stopping.set()
        raise OSError

    for _ in range(2):
        stopping.clear()
        with Connection(rabbitmq.url) as connection:
            Bridge(connection, append, stopping, BridgeWatch(alert_ledger(redis_client), system_clock)).run()
        wait_until(lambda: rabbitmq.count(BOOKING_QUEUE) == 2, what="both came back")
    with bridging(rabbitmq, data_server):
        wait_until(lambda: rabbitmq.count(BOOKING_QUEUE) == 0, what="all are acknowledged")
        with channel(rabbitmq) as it:
            send(it, json.dumps(envelope()).encode())
        wait_until(lambda: redis_client.xlen(STREAM) >= 3, what="what was sent again")
    assert [json.loads(each) for each in entries(redis_client)] == [booking(), envelope(), envelope()]


@contextmanager
def bridging(rabbitmq: RabbitMQ, server: DataServer, url: str = "") -> Iterator[None]:
    """Run the bridge in a thread, as the worker does."""
    stopping = threading.Event()
    alerts = alert_ledger(connect(server.url), ["ops"], clock=system_clock)
    options = BridgeOptions(url or rabbitmq.url, server.url, STREAM, alerts, system_clock)
    thread = threading.Thread(target=run, args=(options, stopping))
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
    named = {name: properties.pop(name, None) for name in ("content_type", "content_encoding", "headers")}
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


def declared(rabbitmq: RabbitMQ) -> bool:
    """Say whether the queue of bookings is there."""
    with Connection(rabbitmq.url) as connection:
        it: Any = connection.default_channel
        try:
            it.queue_declare(BOOKING_QUEUE, passive=True)
        except connection.channel_errors:
            return False
        return True


def alert(redis: Redis, key: str, *, is_open: bool = True, count: int = 1) -> Alert | None:
    """Return the alert where it is as far as that."""
    found = alert_ledger(redis).get(key)
    return found if found is not None and found.is_open is is_open and found.count >= count else None


def entries(redis: Redis) -> list[str]:
    """Return the messages in the stream."""
    found: Any = redis.xrange(STREAM)
    return [fields["message"] for _, fields in found]
