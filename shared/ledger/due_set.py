"""The due-set: what is worked on next, and when. What waits has a member here, and never waits as a task in the broker.

It is a sorted set by time, so that a sweep reads only what is due. Claiming a member moves it one lease into the
future. If the worker is killed, the member is due again when the lease ends.

Besides this module only a write of a record changes it, in the same atomic step: `shared.ledger.booking_due_times` says
how, `shared.ledger.records` does it.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from redis import Redis
from redis.client import Pipeline

from shared import redis_keys
from shared.domain.times.epoch import milliseconds

_CLAIM: Final = (Path(__file__).parent / "claim_due.lua").read_text(encoding="utf-8")
_BEGIN: Final = (Path(__file__).parent / "begin_due.lua").read_text(encoding="utf-8")
_FINISH: Final = (Path(__file__).parent / "finish_due.lua").read_text(encoding="utf-8")

# With the default lease of a minute, the longest lease is about an hour.
_MOST_DOUBLINGS: Final = 6

# The subjects that this version knows, each with its number of ids. A member holds nothing else, and its form never
# changes. A newer version uses a new subject for new work; this version puts such members back.
_SUBJECTS: Final = {
    "door": 2,
    "alert": 1,
    "chore": 1,
    "refresh": 1,
    "account": 1,
    "conflicts": 1,
    "outcome": 2,
    "removal": 2,
}


@dataclass(frozen=True, slots=True)
class DueItem:
    """What is due: its subject, and the subject's `ids`.

    A door of a booking (booking_id, door key), a group of alerts (its name), a periodic job (its name), the reading of
    a door that has bookings to come (device_id), that of a connected account with such doors (connected_account_id),
    the comparison of a door's bookings with each other (device_id), outcomes for a receiver (its name, lane), or the
    look at codes that Seam was asked to delete (booking_id, door key).
    """

    subject: str
    ids: tuple[str, ...]

    @property
    def is_known(self) -> bool:
        """Whether this version knows the item's subject."""
        return _SUBJECTS.get(self.subject) == len(self.ids)

    def encoded(self) -> str:
        """Return the item as a member of the sorted set."""
        return json.dumps([self.subject, *self.ids], separators=(",", ":"))


def door_item(booking_id: str, device_id: str) -> DueItem:
    """Name one door of one booking."""
    return DueItem("door", (booking_id, device_id))


def alert_item(group: str) -> DueItem:
    """Name one group of alerts."""
    return DueItem("alert", (group,))


def periodic_job_item(name: str) -> DueItem:
    """Name one periodic job."""
    return DueItem("chore", (name,))


def refresh_item(device_id: str) -> DueItem:
    """Name the reading of one door."""
    return DueItem("refresh", (device_id,))


def account_item(account_id: str) -> DueItem:
    """Name the reading of one connected account."""
    return DueItem("account", (account_id,))


def conflicts_item(device_id: str) -> DueItem:
    """Name the comparison of a door's bookings with each other."""
    return DueItem("conflicts", (device_id,))


def outcome_item(receiver: str, lane: int) -> DueItem:
    """Name one lane (connection) of a receiver of outcomes."""
    return DueItem("outcome", (receiver, str(lane)))


def removal_item(booking_id: str, door_key: str) -> DueItem:
    """Name the look at those codes of one door of one booking that Seam was asked to delete."""
    return DueItem("removal", (booking_id, door_key))


class DueSet:
    """Stores when items are due, in epoch milliseconds."""

    def __init__(self, redis: Redis, *, lease: timedelta) -> None:
        self._redis = redis
        self.lease = lease
        self._claim = redis.register_script(_CLAIM)
        self._finish = redis.register_script(_FINISH)
        self._begin = redis.register_script(_BEGIN)

    def hold(self, items: Iterable[DueItem], now: datetime, *, pipeline: Pipeline | None = None) -> None:
        """Make each item due one lease from `now` at the latest. Called before the work, in case the worker is killed.

        An item that is due earlier keeps its time. Idempotent. With a `pipeline`, the command is queued there.
        """
        self.advance(items, now + self.lease, pipeline=pipeline)

    def advance(self, items: Iterable[DueItem], at: datetime, *, pipeline: Pipeline | None = None) -> None:
        """Make each item due at `at` at the latest. Idempotent. With a `pipeline`, the command is queued there."""
        members = {item.encoded(): milliseconds(at) for item in items}
        if members:
            (pipeline or self._redis).zadd(redis_keys.DUE, members, lt=True)

    def set(self, times: Iterable[tuple[DueItem, datetime | None]], *, pipeline: Pipeline | None = None) -> None:
        """Put each item at its time; None takes it out. Resets its counts of claims: the work killed no process.

        With a `pipeline`, it is queued there.
        """
        given, pipeline = pipeline, pipeline or self._redis.pipeline(transaction=False)
        for item, at in times:
            if at is None:
                pipeline.zrem(redis_keys.DUE, item.encoded())
            else:
                pipeline.zadd(redis_keys.DUE, {item.encoded(): milliseconds(at)})
            pipeline.hdel(redis_keys.CLAIMS, item.encoded(), f"begun {item.encoded()}")
        if given is None:
            pipeline.execute()

    def time_of(self, item: DueItem) -> str:
        """Return an item's time, in the form that `finish` compares; empty if it isn't in the due-set."""
        return str(self._redis.zscore(redis_keys.DUE, item.encoded()) or "")

    def finish(self, item: DueItem, at: datetime | None, *, seen: str) -> bool:
        """Put an item at its next time once it is done; None takes it out. Atomic. Returns whether that was done.

        `seen` is the item's time when the work on it began. If it has another time now, it was prompted meanwhile: then
        it keeps that time, so that the prompt isn't lost.
        """
        args = [item.encoded(), seen, "" if at is None else milliseconds(at)]
        return bool(self._finish(keys=[redis_keys.DUE, redis_keys.CLAIMS], args=args))

    def put_back(self, item: DueItem, at: datetime) -> None:
        """Make a claimed item due at `at` at the latest, and reset its counts of claims."""
        pipeline = self._redis.pipeline(transaction=False)
        self.advance([item], at, pipeline=pipeline)
        pipeline.hdel(redis_keys.CLAIMS, item.encoded(), f"begun {item.encoded()}")
        pipeline.execute()

    def add_missing(self, times: Iterable[tuple[DueItem, datetime]]) -> None:
        """Put each item that isn't in the due-set at its time; others keep theirs. Idempotent."""
        members = {item.encoded(): milliseconds(at) for item, at in times}
        if members:
            self._redis.zadd(redis_keys.DUE, members, nx=True)

    def begin(self, item: DueItem) -> None:
        """Count that work on a claimed item begins. What isn't claimed isn't counted: it came in another way."""
        self._begin(keys=[redis_keys.CLAIMS], args=[item.encoded()])

    def claim(self, now: datetime, limit: int) -> list[tuple[DueItem, int]]:
        """Claim up to `limit` due items for one lease. Returns each with how often its work was begun in vain.

        Atomic: no two callers get the same item. Each claim in a row doubles the item's lease; `set` and `finish` end
        the row. Work that is merely late was never begun: it counts as nothing.
        """
        answer = self._claim(
            keys=[redis_keys.DUE, redis_keys.CLAIMS],
            args=[milliseconds(now), int(self.lease.total_seconds() * 1000), limit, _MOST_DOUBLINGS],
        )
        items = (DueItem(subject, tuple(ids)) for subject, *ids in map(json.loads, answer[::2]))
        return list(zip(items, map(int, answer[1::2]), strict=True))

    def count(self, now: datetime) -> tuple[int, int]:
        """Return how many items are due, and how many there are."""
        due = self._redis.zcount(redis_keys.DUE, "-inf", milliseconds(now))
        return int(due), int(self._redis.zcard(redis_keys.DUE))
