"""Sends outcomes to their receivers: the task behind `outcomes.deliver`, one lane of one receiver at a time.

Outcomes are delivered at least once, in order for each booking. `shared.ledger.outcome_queues` says how many lanes a
receiver has, `shared.domain.booking.outcome_queue` when an outcome is tried again. An outcome is leased, in writing,
before it is sent. If the worker is killed, the next one sends it again under the same id.
"""

import json
import random
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final

import structlog

from shared import metrics
from shared.clock import Clock
from shared.domain.booking.outcome_queue import OutcomeQueue, QueuedOutcome, record_delivery, record_failed_try
from shared.ledger.outcome_queues import OutcomeQueues
from worker.alerts.attempt import attempt
from worker.alerts.channel import NotDelivered
from worker.outcomes.alert import NotTakenAlert
from worker.outcomes.posting import OutcomePost

# Longer than one try can take: reading PINs, and the POST.
_IN_HAND_FOR: Final = timedelta(seconds=60)
_LONGEST_TURN: Final = timedelta(seconds=25)

Prepared = tuple[bytes, Callable[[], None]]
"""What is posted, and what is to be done once it was taken."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def as_published(receiver: str, event: Mapping[str, Any]) -> Prepared:
    """Return an outcome as it was published."""
    del receiver
    return json.dumps(event).encode(), lambda: None


class DeliverOutcomes:
    """May be called at any time, any number of times, for any lane."""

    def __init__(
        self,
        *,
        queues: OutcomeQueues,
        posts: tuple[OutcomePost, ...],
        alert: NotTakenAlert,
        lease: timedelta,
        clock: Clock,
        prepare: Callable[[str, Mapping[str, Any]], Prepared] = as_published,
    ) -> None:
        """Use `prepare` to make what is posted; it may raise NotDelivered, which counts as a failed try."""
        self._queues = queues
        self._posts = {post.name: post for post in posts}
        self._alert = alert
        self._turn = min(_LONGEST_TURN, lease / 2)
        self._clock = clock
        self._prepare = prepare

    def __call__(self, receiver: str, lane: str) -> None:
        """Send what is due in the lane, for some time at most, and put the lane at the time of what comes next."""
        until = time.monotonic() + self._turn.total_seconds()
        while time.monotonic() < until:
            booking_id = self._queues.next_due(receiver, int(lane))
            if booking_id is None:
                break
            queue = self._queues.take_in_hand(receiver, booking_id, self._clock() + _IN_HAND_FOR)
            if queue is not None:
                self._send(queue, queue.pending[0])
        self._queues.reschedule(receiver, int(lane))

    def _send(self, queue: OutcomeQueue, outcome: QueuedOutcome) -> None:
        event = json.loads(outcome.event)
        names = {"receiver": queue.receiver, "booking_id": queue.booking_id, "outcome_id": event["id"]}
        when_taken = attempt(
            lambda: self._post(queue.receiver, event),
            crashed=lambda: log.exception("outcome.crashed", **names),  # noqa: LOG004 - called while it is handled
        )
        if isinstance(when_taken, NotDelivered):
            metrics.OUTCOME_POSTS.add("failed")
            self._failed(queue, outcome, when_taken, names)
            return
        metrics.OUTCOME_POSTS.add("taken")
        log.info("outcome.delivered", **names, type=event["type"], attempts=queue.attempts + 1)
        change = partial(record_delivery, sequence=outcome.sequence, now=self._clock())
        self._queues.update(queue.receiver, queue.booking_id, change)
        when_taken()
        self._alert.resolve_if_over(queue.receiver)

    def _post(self, receiver: str, event: Mapping[str, Any]) -> Callable[[], None]:
        """Post one outcome; return what is to be done once it was taken. Raises NotDelivered."""
        post = self._posts.get(receiver)
        if post is None:
            raise NotDelivered("it is not in OUTCOME_WEBHOOK_URLS")
        body, when_taken = self._prepare(receiver, event)
        post.send(event["id"], body)
        return when_taken

    def _failed(
        self, queue: OutcomeQueue, outcome: QueuedOutcome, reason: NotDelivered, names: Mapping[str, str]
    ) -> None:
        change = partial(
            record_failed_try,
            sequence=outcome.sequence,
            error=str(reason),
            now=self._clock(),
            jitter=random.random(),  # noqa: S311 - spreads the tries
            retry_after=reason.retry_after,
        )
        after = self._queues.update(queue.receiver, queue.booking_id, change)
        if outcome.sequence in {each.sequence for each in after.not_taken}:
            metrics.OUTCOME_POSTS.add("given_up")
            log.error("outcome.given_up", **names, error=str(reason))
            self._alert.raise_alert(queue.receiver)
        else:
            log.warning("outcome.undelivered", **names, attempts=queue.attempts + 1, error=str(reason))
