"""Whether this very worker still takes messages: it sends itself one, and waits for it.

With several workers the common queue moves although one of them has stalled: the others empty it. So each has a queue
of its own, and puts a message that means nothing into it once a second. A worker that can send them and receives none
has stalled. The messages of a dead worker vanish with its queue.
"""

from datetime import timedelta
from typing import Final
from uuid import uuid4

import structlog
from celery import Celery
from kombu import Exchange, Queue

from shared.contracts import QUEUE, SELF_PING
from worker.broker import WatchersConnection

# Longer than any reconnect, after which the queue is declared anew.
_FORGOTTEN_AFTER: Final = timedelta(minutes=2)
# An older message proves nothing. It expires, so that a worker that was away finds few of them.
_CALL_LASTS: Final = timedelta(seconds=10)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def register_self_ping(app: Celery) -> None:
    """Give the app of one worker process a queue that no other knows, and the task of its calls."""
    name = f"{QUEUE}.own.{uuid4().hex}"
    # An exchange of its own as well: what is bound to the common one on Redis stays there for ever, and is read with
    # every message that is sent. This one goes with its queue, on Redis an hour after its last consumer.
    exchange = Exchange(name, type="direct", durable=True, auto_delete=True)
    own = Queue(name, exchange, routing_key=name, durable=True, expires=_FORGOTTEN_AFTER.total_seconds())
    app.conf.own_queue = own
    app.conf.task_queues = (*app.conf.task_queues, own)

    @app.task(name=SELF_PING)
    def hear() -> None:
        """Do nothing: that the message was taken is noted elsewhere."""


class PingOurselves:
    """Sends a message to our own queue, over a connection of its own."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._connection = WatchersConnection(app)

    def __call__(self) -> bool:
        """Send one message; False where the broker can't be reached now."""
        try:
            self._app.send_task(
                SELF_PING,
                queue=self._app.conf.own_queue,
                connection=self._connection.get(),
                expires=_CALL_LASTS.total_seconds(),
            )
        except Exception as error:  # noqa: BLE001 - every library below has errors of its own; all mean the same
            log.debug("call.failed", error=type(error).__name__)
            self._connection.drop()
            return False
        return True
