"""Outcomes on their way to webhook receivers: a queue for each receiver and booking, in lanes of the due-set.

A receiver has `LANES` lanes. A lane is one member of the due-set, and sends for one booking after the other. So a
receiver has at most that many connections, however many workers there are, and a slow receiver delays no other.

The queue's record decides. A lane's sorted set, the due-set and the list of outcomes that were given up are derived
from it (`settle`); the last writer of the record corrects them.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final, cast
from zlib import crc32

from redis import Redis

from shared import redis_keys
from shared.clock import Clock
from shared.domain.booking.outcome_queue import TRIED_FOR, OutcomeQueue, QueuedOutcome, add_outcome, lease_first
from shared.domain.times.epoch import milliseconds
from shared.ledger.due_set import DueSet, outcome_item
from shared.ledger.records import Conflict, RecordStore, Stored, Write

LANES: Final = 8
# An empty queue is kept only so that a repeated outcome is recognised.
_EMPTY_FOR: Final = timedelta(days=3)
_PAGE: Final = 500


class OutcomeQueues:
    """Stores the queues of all receivers."""

    def __init__(self, redis: Redis, *, due: DueSet, clock: Clock, retention: timedelta) -> None:
        self._redis = redis
        self._due = due
        self._clock = clock
        self._kept_for = max(retention, 2 * TRIED_FOR)
        self._records = RecordStore(redis, OutcomeQueue)

    def enqueue(self, receivers: Iterable[str], booking_id: str, sequence: int, event: str) -> None:
        """Queue an outcome for each receiver, due at once. Idempotent: after a kill midway it is called again."""
        outcome = QueuedOutcome(sequence=sequence, event=event, queued_at=self._clock())
        for receiver in receivers:
            self.update(receiver, booking_id, lambda it: add_outcome(it, outcome))

    def update(self, receiver: str, booking_id: str, change: Callable[[OutcomeQueue], OutcomeQueue]) -> OutcomeQueue:
        """Apply `change` to a queue, and `settle` it. Raises Conflict if other writers were first too often."""

        def changed(stored: Stored[OutcomeQueue]) -> Write[OutcomeQueue] | None:
            before = stored.record or OutcomeQueue(receiver=receiver, booking_id=booking_id)
            after = change(before)
            return self._write(after) if after is not before else None

        self._records.update(redis_keys.outcome_queue(receiver, booking_id), changed)
        return self.settle(receiver, booking_id)

    def take_in_hand(self, receiver: str, booking_id: str, until: datetime) -> OutcomeQueue | None:
        """Lease the queue until `until`, and return it; None if its first outcome isn't due. Atomic."""
        key = redis_keys.outcome_queue(receiver, booking_id)
        stored = self._records.load(key)
        queue = stored.record
        if queue is not None and not _is_due(queue, self._clock()):
            queue = None
        if queue is not None:
            try:
                self._records.save(key, self._write(lease_first(queue, until)), version=stored.version)
            except Conflict:
                # Another worker has leased it, or a person had it sent again: the lane has its time.
                queue = None
        self.settle(receiver, booking_id)
        return queue

    def settle(self, receiver: str, booking_id: str) -> OutcomeQueue:
        """Put a queue at the time in its record, list it if outcomes were given up, and return it. Idempotent.

        If another process writes the record meanwhile, it is done again with the newer record.
        """
        key = redis_keys.outcome_queue(receiver, booking_id)
        lane = lane_of(booking_id)
        waiting, missed = redis_keys.outcome_lane(receiver, lane), redis_keys.OUTCOMES_NOT_TAKEN
        while True:
            stored = self._records.load(key)
            queue = stored.record or OutcomeQueue(receiver=receiver, booking_id=booking_id)
            pipeline = self._redis.pipeline(transaction=False)
            if queue.pending and queue.next_at is not None:
                pipeline.zadd(waiting, {booking_id: milliseconds(queue.next_at)})
                self._due.advance([outcome_item(receiver, lane)], queue.next_at, pipeline=pipeline)
            else:
                pipeline.zrem(waiting, booking_id)
            member = json.dumps([receiver, booking_id])
            if queue.not_taken:
                pipeline.zadd(missed, {member: (self._clock() + self._kept_for).timestamp()})
            else:
                pipeline.zrem(missed, member)
            pipeline.hget(key, "version")
            if int(pipeline.execute()[-1] or 0) == stored.version:
                return queue

    def next_due(self, receiver: str, lane: int) -> str | None:
        """Return the booking that is due first in a lane; None if none is due now."""
        now = milliseconds(self._clock())
        found = cast(
            Any, self._redis.zrangebyscore(redis_keys.outcome_lane(receiver, lane), "-inf", now, start=0, num=1)
        )
        return str(found[0]) if found else None

    def reschedule(self, receiver: str, lane: int) -> None:
        """Put a lane at the time of its next booking; an empty lane leaves the due-set."""
        at = self._earliest(receiver, lane)
        self._due.set([(outcome_item(receiver, lane), at)])
        # A booking that came in between had set a time, which was just overwritten.
        now_at = self._earliest(receiver, lane)
        if now_at is not None:
            self._due.advance([outcome_item(receiver, lane)], now_at)

    def receivers(self) -> list[str]:
        """Return the receivers for which outcomes wait."""
        found = cast(Any, self._redis.zscan_iter(redis_keys.DUE, match=r'\["outcome",*'))
        return list(dict.fromkeys(str(json.loads(member)[1]) for member, _ in found))

    def waiting(self, receivers: Iterable[str]) -> Iterator[OutcomeQueue]:
        """Yield the queues of these receivers with outcomes that wait for their next try."""
        for receiver in receivers:
            for lane in range(LANES):
                ids = cast(Any, self._redis.zrange(redis_keys.outcome_lane(receiver, lane), 0, -1))
                yield from self._loaded((receiver, str(each)) for each in ids)

    def not_taken(self) -> Iterator[OutcomeQueue]:
        """Yield the queues with outcomes that were given up; drop expired queues from the list."""
        self._redis.zremrangebyscore(redis_keys.OUTCOMES_NOT_TAKEN, "-inf", self._clock().timestamp())
        members = cast(Any, self._redis.zrange(redis_keys.OUTCOMES_NOT_TAKEN, 0, -1))
        yield from self._loaded(tuple(json.loads(each)) for each in members)

    def _loaded(self, names: Iterable[tuple[str, str]]) -> Iterator[OutcomeQueue]:
        keys = [redis_keys.outcome_queue(*each) for each in names]
        for start in range(0, len(keys), _PAGE):
            found = self._records.load_many(keys[start : start + _PAGE], passes_over_newer=True)
            yield from (queue for queue in found if queue is not None)

    def _earliest(self, receiver: str, lane: int) -> datetime | None:
        found = cast(Any, self._redis.zrange(redis_keys.outcome_lane(receiver, lane), 0, 0, withscores=True))
        return datetime.fromtimestamp(found[0][1] / 1000, self._clock().tzinfo) if found else None

    def _write(self, queue: OutcomeQueue) -> Write[OutcomeQueue]:
        kept_for = self._kept_for if queue.pending or queue.not_taken else _EMPTY_FOR
        return Write(record=queue, expires_at=self._clock() + kept_for)


def _is_due(queue: OutcomeQueue, now: datetime) -> bool:
    return bool(queue.pending) and queue.next_at is not None and queue.next_at <= now


def lane_of(booking_id: str) -> int:
    """Return the lane of a booking, from 0. A booking always has the same lane, so its outcomes stay in order."""
    return crc32(booking_id.encode()) % LANES
