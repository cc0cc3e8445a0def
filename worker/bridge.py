"""Bookings from RabbitMQ into the stream: for booking systems that speak AMQP. A part of the worker, one thread.

A message is acknowledged only once its entry is in the stream; a kill in between brings it again, and the same message
twice changes nothing. What isn't JSON in UTF-8 is kept in a queue of its own, for whoever sent it; JSON that is no good
booking goes on, and is parked with every problem like one from anywhere else.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from celery import bootsteps
from kombu import Connection, Consumer, Producer, Queue
from kombu.mixins import ConsumerMixin
from redis import Redis
from redis.exceptions import RedisError

from shared.contracts import BOOKING_FIELD, BOOKING_QUEUE
from shared.redis_client import connect
from worker.broker import AMQP_OPTIONS

REJECTED_QUEUE: Final = f"{BOOKING_QUEUE}.rejected"
_QUORUM: Final = {"x-queue-type": "quorum"}
_UNDER_WAY: Final = 100
_PAUSE: Final = 1.0
_HEARTBEAT: Final = 10

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class BridgeOptions:
    """What the bridge needs to know; kept in the Celery app's configuration as `bridge`, where there is one."""

    queue_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    stream: str


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


class Bridge(ConsumerMixin):
    """Takes from the queue, appends to the stream, acknowledges; reconnects for ever."""

    def __init__(self, connection: Connection, append: Callable[[str], None], stopping: threading.Event) -> None:
        self.connection = connection
        self._append = append
        self._stopping = stopping

    @property
    def should_stop(self) -> bool:  # type: ignore[override]
        """Whether it was told to end."""
        return self._stopping.is_set()

    def get_consumers(self, consumer_class: Any, channel: Any) -> list[Consumer]:
        """Declare both queues, or take the booking system's own declaration of them, and consume."""
        del channel
        for name in (BOOKING_QUEUE, REJECTED_QUEUE):
            self._declare(name)
        queue = Queue(BOOKING_QUEUE, no_declare=True)
        log.info("bridge.connected", queue=BOOKING_QUEUE)
        return [consumer_class(queues=[queue], on_message=self.take, prefetch_count=_UNDER_WAY)]

    def take(self, message: Any) -> None:
        """Handle one message; it is left unacknowledged, to come again, only where we are told to end meanwhile."""
        try:
            text = booking_text(message.body)
        except Unreadable as error:
            self._reject(message, str(error))
            return
        while not self._stopping.is_set():
            try:
                self._append(text)
            except (RedisError, OSError) as error:
                # The data server is away, or full: what was not stored is not acknowledged, and nothing overtakes it.
                log.warning("bridge.waiting", error=type(error).__name__)
                self._stopping.wait(_PAUSE)
            else:
                message.ack()
                return

    def on_connection_error(self, exc: Exception, interval: float) -> None:
        """Note that the broker is away; the library tries again."""
        log.warning("bridge.disconnected", error=type(exc).__name__, again_in=interval)

    def _declare(self, name: str) -> None:
        with self.connection.clone() as connection:
            channel: Any = connection.channel()
            try:
                channel.queue_declare(name, passive=True)
            except connection.channel_errors:
                # The refusal closed the channel.
                another: Any = connection.channel()
                another.queue_declare(name, durable=True, auto_delete=False, arguments=_QUORUM)

    def _reject(self, message: Any, why: str) -> None:
        """Keep the message as it came, confirmed by the broker, and only then let it go."""
        log.warning("bridge.rejected", why=why)
        body = message.body if isinstance(message.body, bytes | str) else bytes(message.body)
        Producer(message.channel).publish(
            body,
            exchange="",
            routing_key=REJECTED_QUEUE,
            content_type=message.content_type or "application/octet-stream",
            content_encoding=message.content_encoding or "binary",
            headers={"x-rejected-because": why},
            delivery_mode=2,
        )
        message.ack()


class BridgeStep(bootsteps.StartStopStep):
    """Runs the bridge with the worker, where BOOKING_QUEUE_URL is set."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **_: Any) -> None:
        super().__init__(parent)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, parent: Any) -> None:
        """Start the thread."""
        options: BridgeOptions | None = parent.app.conf.get("bridge")
        if options is not None:
            self._thread = threading.Thread(target=run, args=(options, self._stopping), name="bridge", daemon=True)
            self._thread.start()

    def stop(self, parent: Any) -> None:
        """Stop taking; what isn't acknowledged goes back to its queue with the connection."""
        del parent
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=3)

    terminate = stop


def run(options: BridgeOptions, stopping: threading.Event) -> None:
    """Bridge until told to stop, whatever happens to either side."""
    redis: Redis = connect(options.redis_url)

    def append(text: str) -> None:
        redis.xadd(options.stream, {BOOKING_FIELD: text})

    while not stopping.is_set():
        try:
            with Connection(options.queue_url, heartbeat=_HEARTBEAT, transport_options=AMQP_OPTIONS) as connection:
                Bridge(connection, append, stopping).run()
        except Exception as error:
            # Whatever it is: a bridge that is gone would leave its queue untouched, and nobody would notice.
            log.exception("bridge.crashed", error=type(error).__name__)
            stopping.wait(_PAUSE)
