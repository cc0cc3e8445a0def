"""Bookings from RabbitMQ into the stream: for booking systems that speak AMQP. A part of the worker, one thread.

A message is acknowledged only once its entry is in the stream; a kill in between brings it again, and it is appended
once (`shared/booking_stream.py`). What isn't JSON in UTF-8 is kept in a queue of its own, for its sender. JSON that is
no good booking goes on, and is parked with every problem like one from anywhere else.

The library calls us back while it waits for an answer, too. So the callback only lays a message down, and the loop,
which nothing calls a second time, handles it.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import structlog
from kombu import Connection, Consumer, Producer, Queue
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError, ResponseError

from shared.booking_stream import BookingStream
from shared.clock import Clock
from shared.contracts import BOOKING_QUEUE, REJECTED_QUEUE
from shared.ledger.alerts import AlertLedger
from shared.redis_client import connect
from worker.broker import AMQP_OPTIONS
from worker.consumers.rabbitmq_bridge_watch import BridgeWatch

# RabbitMQ 4 drops a message that came back 20 times, which it also does when its consumer is restarted. There -1 means
# no limit; 3.10 takes that for a limit, and drops at the first return. So many returns mean none on both.
QUEUE_ARGUMENTS: Final = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000_000}
_UNDER_WAY: Final = 100
_PAUSE: Final = 1.0
_HEARTBEAT: Final = 10
# A connection that has stood for so long, with nothing left to do, works.
_STEADY_AFTER: Final = 10.0
_LOOK_EVERY: Final = 60.0
_ONE_TRY: Final[dict[str, Any]] = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class BridgeOptions:
    """What the bridge needs to know; kept in the Celery app's configuration as `bridge`, where there is one."""

    queue_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    stream: str
    alerts: AlertLedger
    clock: Clock
    sync_replicas: int = 0


class Unreadable(ValueError):
    """The body of a message isn't JSON in UTF-8."""


def booking_text(body: bytes | str) -> str:
    """Return a body as the text that goes into the stream. Raises Unreadable."""
    try:
        text = body if isinstance(body, str) else bytes(body).decode("utf-8-sig")
        json.loads(text)
        # Halves of surrogate pairs pass as text, and no store takes them.
        text.encode()
    except (ValueError, RecursionError) as error:
        raise Unreadable(type(error).__name__) from None
    return text


def _beside(message: Any) -> dict[str, object]:
    """Return what may say beside a message what it is."""
    routing_key = message.delivery_info.get("routing_key")
    return {**(message.headers or {}), "type": (message.properties or {}).get("type"), "routing_key": routing_key}


class Append(Protocol):
    """How a message gets into the stream."""

    def __call__(self, text: str, *, is_redelivered: bool, beside: Mapping[str, object]) -> object:
        """Append a message. Raises RedisError, OSError; it may be there all the same.

        With `is_redelivered` it may be there already: the broker delivered it before, or an earlier try failed.
        `beside` is what stands beside the message: its headers, its type and its routing key.
        """


class Bridge:
    """The life of one connection: takes from the queue, appends to the stream, acknowledges."""

    def __init__(self, connection: Connection, append: Append, stopping: threading.Event, watch: BridgeWatch) -> None:
        self._connection = connection
        self._append = append
        self._stopping = stopping
        self._watch = watch
        # Fetched and not yet acknowledged, oldest first: never more than _UNDER_WAY.
        self._taken: deque[Any] = deque()
        # The message whose last try failed: it may be in the stream, and only not yet on its replicas.
        self._tried: Any = None

    def run(self) -> None:
        """Bridge until told to stop. Raises the error that ends the connection; unacknowledged messages come again."""
        # One try: the caller knows how long to wait before another.
        self._connection.ensure_connection(**_ONE_TRY)
        for name in (BOOKING_QUEUE, REJECTED_QUEUE):
            self._declare(name)
        rejects: Any = self._connection.channel()
        consumer = Consumer(
            self._connection.channel(),
            queues=[Queue(BOOKING_QUEUE, no_declare=True)],
            on_message=self._taken.append,
            # What the library can't unpack comes as it was sent, and is judged like the rest.
            on_decode_error=lambda message, _: self._taken.append(message),
            prefetch_count=_UNDER_WAY,
        )
        steady_at = time.monotonic() + _STEADY_AFTER
        look_at = 0.0
        with consumer:
            log.info("bridge.connected", queue=BOOKING_QUEUE)
            while not self._stopping.is_set():
                self._fetch()
                while self._taken and not self._stopping.is_set() and self._finish(self._taken[0], rejects):
                    self._taken.popleft()
                now = time.monotonic()
                if not self._taken and now >= steady_at:
                    self._watch.worked()
                if now >= look_at:
                    look_at = now + _LOOK_EVERY
                    self._watch.found_rejected(rejects.queue_declare(REJECTED_QUEUE, passive=True).message_count)

    def _fetch(self) -> None:
        """Let the library lay down what has come; also where the data server is away, to keep the connection alive."""
        with suppress(TimeoutError):
            self._connection.drain_events(timeout=_PAUSE)
        self._connection.heartbeat_check()

    def _finish(self, message: Any, rejects: Any) -> bool:
        """Handle one message; False where it can't be stored now, and nothing may overtake it."""
        try:
            text = booking_text(message.body)
        except Unreadable as error:
            self._reject(message, str(error), rejects)
        else:
            try:
                is_redelivered = bool(message.delivery_info.get("redelivered")) or message is self._tried
                self._append(text, is_redelivered=is_redelivered, beside=_beside(message))
            except (RedisError, OSError) as error:
                # The data server is away, or full: what was not stored is not acknowledged.
                log.warning("bridge.waiting", error=type(error).__name__)
                self._tried = message
                if isinstance(error, ResponseError):
                    # One that doesn't answer takes no alert either, and asking it again would only cost time.
                    self._watch.failed()
                return False
        message.ack()
        self._watch.worked()
        return True

    def _declare(self, name: str) -> None:
        """Take the booking system's own declaration of a queue, or else make ours."""
        channel: Any = self._connection.channel()
        try:
            channel.queue_declare(name, passive=True)
        except self._connection.channel_errors:
            # The refusal closed the channel.
            channel = self._connection.channel()
            channel.queue_declare(name, durable=True, auto_delete=False, arguments=QUEUE_ARGUMENTS)
        channel.close()

    def _reject(self, message: Any, why: str, channel: Any) -> None:
        """Keep the message as it came, confirmed by the broker; raises where the queue for it is gone."""
        log.warning("bridge.rejected", why=why)
        body = message.body
        Producer(channel).publish(
            # The library hands over an empty body as text.
            body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body),
            exchange="",
            routing_key=REJECTED_QUEUE,
            mandatory=True,
            content_type=message.content_type or "application/octet-stream",
            content_encoding=message.content_encoding or "binary",
            headers={"x-rejected-because": why},
            delivery_mode=2,
        )
        self._watch.rejected()


def run(options: BridgeOptions, stopping: threading.Event) -> None:
    """Bridge until told to stop. After any error it begins anew; pauses grow while nothing gets on.

    What isn't acknowledged when it ends goes back to its queue with the connection.
    """
    redis: Redis = connect(options.redis_url, sync_replicas=options.sync_replicas)
    watch = BridgeWatch(options.alerts, options.clock)
    stream = BookingStream(redis, options.stream)

    while not stopping.is_set():
        connection = Connection(options.queue_url, heartbeat=_HEARTBEAT, transport_options=AMQP_OPTIONS)
        known: Any = (*connection.connection_errors, *connection.channel_errors, OperationalError, OSError)
        try:
            with connection:
                Bridge(connection, stream.append_delivered, stopping, watch).run()
        except known as error:
            pause = watch.crashed()
            log.warning("bridge.disconnected", error=type(error).__name__, again_in=pause)
            stopping.wait(pause)
        except Exception as error:
            # Any error: if the bridge ended, its queue would stay untouched, and nobody would notice.
            pause = watch.crashed()
            log.exception("bridge.crashed", error=type(error).__name__, again_in=pause)
            stopping.wait(pause)
