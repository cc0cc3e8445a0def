"""Tasks of another version: a message that this worker can't run goes back into the queue, for one that can.

Celery's own answer is to throw it away with an error (`Consumer.on_unknown_task`, Celery 5.7). The stream or the
due-set would bring the work again after RECLAIM_AFTER, counted as a failure, and half of a fleet would throw it away
again. It goes back as a new message: on RabbitMQ one that is returned counts as delivered, and ours may be so once.
"""

from datetime import timedelta
from typing import Any, Final

import structlog
from celery.worker.consumer import Consumer

# A worker that can run it gets it within a moment, unless it is being restarted just now.
_PAUSE: Final = timedelta(seconds=1)
# Then no version knows it any more. The work that it was for is in a stream or the due-set.
_MOST_RETURNS: Final = 60
RETURNS: Final = "oracode_returns"

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class PatientConsumer(Consumer):
    """Celery's consumer, with patience for tasks that it doesn't know."""

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        """Give the message back after a pause; one that came back often enough is thrown away, as Celery does."""
        returns = int(message.headers.get(RETURNS, 0))
        names = {"task": str(message.headers.get("task"))[:100], "returns": returns}
        if returns >= _MOST_RETURNS:
            log.error("task.unknown", **names)
            super().on_unknown_task(body, message, exc)
            return
        log.info("task.given_back", **names)
        self.timer.call_after(_PAUSE.total_seconds(), self._give_back, (message, returns + 1))

    def _give_back(self, message: Any, returns: int) -> None:
        """Send the message anew, then acknowledge it. Cut off in between, it is there twice, which tasks bear."""
        try:
            with self.app.producer_pool.acquire(block=True) as producer:
                producer.publish(
                    message.body,
                    exchange=message.delivery_info.get("exchange") or "",
                    routing_key=message.delivery_info.get("routing_key"),
                    headers={**message.headers, RETURNS: returns},
                    content_type=message.content_type,
                    content_encoding=message.content_encoding,
                    correlation_id=message.properties.get("correlation_id"),
                    retry=False,
                )
            message.ack()
        except Exception as error:  # noqa: BLE001 - every broker has errors of its own; all mean the same
            # It stays unacknowledged, and the broker gives it out again.
            log.warning("task.not_given_back", error=type(error).__name__)
