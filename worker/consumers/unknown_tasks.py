"""Tasks of another version: a message that this worker can't run goes back into the queue, for one that can.

Celery's own answer is to throw it away with an error (`Consumer.on_unknown_task`, Celery 5.7). The stream or the
due-set would bring the work again after RECLAIM_AFTER, counted as a failure, and half of a fleet would throw it away
again. It goes back as a new message: on RabbitMQ one that is returned counts as delivered, and ours may be so once.

After a rollback thousands of them may be in the queue, and no worker can run them. They must not delay other tasks:

- While one waits it is acknowledged. Unacknowledged messages are limited, and with that many a worker gets no other.
- The pauses grow, and many messages go back one after the other: sending them is work for the worker's main thread.
"""

import time
from typing import Any, Final, NamedTuple

import structlog
from celery.worker.consumer import Consumer

# In seconds: about a minute altogether, enough for the restart of a worker that can run the task. Then no version knows
# it any more. The work that it was for is in a stream or the due-set.
_PAUSES: Final = (1, 1, 1, 2, 2, 4, 4, 8, 8, 16, 16)
MOST_RETURNS: Final = len(_PAUSES)
# In seconds. Taking one and sending it back takes about 10 ms on a small machine, and several times that on a busy one.
_APART: Final = 0.05
_GIVE_BACK_WITHIN: Final = 2.0
RETURNS: Final = "oracode_returns"

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class _Waiting(NamedTuple):
    message: Any
    returns: int


class RequeueingConsumer(Consumer):
    """Celery's consumer, with patience for tasks that it doesn't know.

    What waits here is lost if the process is killed: the stream or the due-set brings the work again.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: set[_Waiting] = set()

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        """Give the message back after a pause; one that came back often enough is thrown away.

        Not by Celery's code: that writes a traceback for each, which delays other tasks where there are many.
        """
        del body, exc
        returns = int(message.headers.get(RETURNS, 0))
        names = {"task": str(message.headers.get("task"))[:100], "returns": returns}
        if returns >= MOST_RETURNS:
            log.error("task.unknown", **names)
            message.reject()
            return
        log.info("task.given_back", **names)
        waiting = _Waiting(message, returns)
        message.ack()
        self.timer.call_after(_PAUSES[returns] + _APART * len(self._waiting), self._give_back, (waiting,))
        self._waiting.add(waiting)

    def stop(self) -> None:
        """Give back what waits here at once, for two seconds at most, then stop. Others may be able to run it."""
        deadline = time.monotonic() + _GIVE_BACK_WITHIN
        for waiting in list(self._waiting):
            if time.monotonic() > deadline or not self._give_back(waiting):
                break
        super().stop()

    def _give_back(self, waiting: _Waiting) -> bool:
        """Send the message anew, unless that was done; return False where the broker doesn't take it."""
        if waiting not in self._waiting:
            return True
        self._waiting.remove(waiting)
        message = waiting.message
        try:
            with self.app.producer_pool.acquire(block=True) as producer:
                producer.publish(
                    message.body,
                    exchange=message.delivery_info.get("exchange") or "",
                    routing_key=message.delivery_info.get("routing_key"),
                    headers={**message.headers, RETURNS: waiting.returns + 1},
                    content_type=message.content_type,
                    content_encoding=message.content_encoding,
                    correlation_id=message.properties.get("correlation_id"),
                    retry=False,
                )
        except Exception as error:  # noqa: BLE001 - every broker has errors of its own; all mean the same
            log.warning("task.not_given_back", error=type(error).__name__)
            return False
        return True
