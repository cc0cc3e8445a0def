"""The outcomes of one booking that one receiver hasn't taken yet: the queue as a value, and how it changes. Pure.

They are sent in order: the next one only after the one before it was taken or given up. An outcome that isn't taken is
given up three days after it was published.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from shared.domain import versions
from shared.domain.versions import NOT_IN_JSON, UnknownFields

TRIED_FOR: Final = timedelta(days=3)
# Pauses between tries; the last one is repeated.
_PAUSES: Final = tuple(timedelta(seconds=each) for each in (5, 15, 60, 300, 900, 1800, 3600, 7200))
# Spreads the tries for many bookings when their receiver comes back.
_JITTER: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedOutcome:
    """One outcome: its place in the booking's sequence, and the CloudEvent as JSON. Never a PIN."""

    sequence: int
    event: str
    queued_at: datetime
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeQueue:
    """The queue of one receiver for one booking.

    - `pending`: outcomes to be sent, in order. `next_at`: when the first is tried next, or until when it is leased.
    - `attempts`, `error`: the tries of the first one so far, and why the last one failed.
    - `not_taken`: outcomes that were given up. A person may send them again.
    - `last_sequence`: the sequence of the latest outcome that was ever queued.
    """

    receiver: str = ""
    booking_id: str = ""
    last_sequence: int = 0
    pending: tuple[QueuedOutcome, ...] = ()
    not_taken: tuple[QueuedOutcome, ...] = ()
    attempts: int = 0
    next_at: datetime | None = None
    error: str = ""
    schema: str = versions.OUTCOME_QUEUE
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


def add_outcome(queue: OutcomeQueue, outcome: QueuedOutcome) -> OutcomeQueue:
    """Add an outcome at the end. One that was queued before changes nothing."""
    if outcome.sequence <= queue.last_sequence:
        return queue
    after = replace(queue, last_sequence=outcome.sequence, pending=(*queue.pending, outcome))
    return after if queue.pending else _from_the_start(after, outcome.queued_at)


def lease_first(queue: OutcomeQueue, until: datetime) -> OutcomeQueue:
    """Lease the first outcome: no other worker sends it before `until`."""
    return replace(queue, next_at=until)


def record_delivery(queue: OutcomeQueue, sequence: int, now: datetime) -> OutcomeQueue:
    """Take out an outcome that the receiver has accepted."""
    if not queue.pending or queue.pending[0].sequence != sequence:
        return queue
    return _from_the_start(replace(queue, pending=queue.pending[1:]), now)


def record_failed_try(
    queue: OutcomeQueue,
    sequence: int,
    *,
    error: str,
    now: datetime,
    jitter: float,
    retry_after: timedelta | None = None,
) -> OutcomeQueue:
    """Record a failed try of the first outcome: it is tried again after a pause, or given up after three days.

    `jitter` is a number from 0 to 1. `retry_after` is what the receiver asks for, which lengthens the pause.
    """
    if not queue.pending or queue.pending[0].sequence != sequence:
        return queue
    first, *rest = queue.pending
    if now - first.queued_at >= TRIED_FOR:
        given_up = replace(queue, pending=tuple(rest), not_taken=(*queue.not_taken, first))
        return replace(_from_the_start(given_up, now), error=error)
    pause = max(_PAUSES[min(queue.attempts, len(_PAUSES) - 1)] * (1 + _JITTER * jitter), retry_after or timedelta())
    return replace(queue, attempts=queue.attempts + 1, error=error, next_at=now + pause)


def resend_all(queue: OutcomeQueue, now: datetime) -> OutcomeQueue:
    """Send everything that wasn't taken again, from now on and in order, for another three days."""
    if not queue.pending and not queue.not_taken:
        return queue
    again = tuple(replace(each, queued_at=now) for each in queue.not_taken)
    pending = tuple(sorted((*again, *queue.pending), key=lambda each: each.sequence))
    return _from_the_start(replace(queue, pending=pending, not_taken=()), now)


def discard_given_up(queue: OutcomeQueue) -> OutcomeQueue:
    """Remove the outcomes that were given up."""
    return replace(queue, not_taken=()) if queue.not_taken else queue


def _from_the_start(queue: OutcomeQueue, now: datetime) -> OutcomeQueue:
    return replace(queue, attempts=0, error="", next_at=now if queue.pending else None)
