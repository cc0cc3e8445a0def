"""The due-set: what is to be looked at next, and when. Everything that waits, waits here (never in the broker).

A sorted set by time, so that a sweep touches what is due and nothing else. Claiming moves a member a lease into the
future: a worker that dies with it loses the lease, not the member.
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

_CLAIM: Final = (Path(__file__).parent / "claim_due.lua").read_text(encoding="utf-8")
_FINISH: Final = (Path(__file__).parent / "finish_due.lua").read_text(encoding="utf-8")

# Of the default lease of a minute, about an hour.
_MOST_DOUBLINGS: Final = 6

# What this version knows, with how many ids. A member says no more than that, and its shape never changes: what a newer
# version wants otherwise gets a subject of its own, and is put back for it here.
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
    """What is due, by its `ids`.

    A door of a booking (booking_id, door key), a group of alerts (its name), a periodic job (its name), the reading of
    a door that has bookings to come (device_id), that of a connected account with such doors (connected_account_id),
    the comparison of a door's bookings with each other (device_id), outcomes for a receiver (its name, lane), or the
    look at codes that Seam was asked to delete (booking_id, door key).
    """

    subject: str
    ids: tuple[str, ...]

    @property
    def is_known(self) -> bool:
        """Whether this version knows what is to be done with it."""
        return _SUBJECTS.get(self.subject) == len(self.ids)

    def encoded(self) -> str:
        """Return the member as it stands in the sorted set."""
        return json.dumps([self.subject, *self.ids], separators=(",", ":"))


def door_item(booking_id: str, device_id: str) -> DueItem:
    """Name one door of one booking."""
    return DueItem("door", (booking_id, device_id))


def alert_item(group: str) -> DueItem:
    """Name one group of alerts."""
    return DueItem("alert", (group,))


def periodic_job_item(name: str) -> DueItem:
    """Name one of the works that come back at intervals."""
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
    """Name one lane of a receiver of outcomes."""
    return DueItem("outcome", (receiver, str(lane)))


def removal_item(booking_id: str, door_key: str) -> DueItem:
    """Name the look at those codes of one door of one booking that Seam was asked to delete."""
    return DueItem("removal", (booking_id, door_key))


class DueSet:
    """Times at which things are due. Times are stored in milliseconds."""

    def __init__(self, redis: Redis, *, lease: timedelta) -> None:
        self._redis = redis
        self.lease = lease
        self._claim = redis.register_script(_CLAIM)
        self._finish = redis.register_script(_FINISH)

    def hold(self, items: Iterable[DueItem], now: datetime, *, pipeline: Pipeline | None = None) -> None:
        """Make each item due one lease from now at the latest: the net under work that is about to start.

        An item that is due earlier stays so. With a `pipeline`, it is queued there.
        """
        self.advance(items, now + self.lease, pipeline=pipeline)

    def advance(self, items: Iterable[DueItem], at: datetime, *, pipeline: Pipeline | None = None) -> None:
        """Make each item due at `at` at the latest. With a `pipeline`, it is queued there."""
        members = {item.encoded(): milliseconds(at) for item in items}
        if members:
            (pipeline or self._redis).zadd(redis_keys.DUE, members, lt=True)

    def set(self, times: Iterable[tuple[DueItem, datetime | None]], *, pipeline: Pipeline | None = None) -> None:
        """Put each item at its time; None takes it out. Its claims are forgotten: this process has survived it.

        With a `pipeline`, it is queued there.
        """
        given, pipeline = pipeline, pipeline or self._redis.pipeline(transaction=False)
        for item, at in times:
            if at is None:
                pipeline.zrem(redis_keys.DUE, item.encoded())
            else:
                pipeline.zadd(redis_keys.DUE, {item.encoded(): milliseconds(at)})
            pipeline.hdel(redis_keys.CLAIMS, item.encoded())
        if given is None:
            pipeline.execute()

    def time_of(self, item: DueItem) -> str:
        """Return the time at which an item stands, as `finish` compares it; empty where it isn't there."""
        return str(self._redis.zscore(redis_keys.DUE, item.encoded()) or "")

    def finish(self, item: DueItem, at: datetime | None, *, seen: str) -> bool:
        """Put an item that is done at its next time; None takes it out. Atomic.

        `seen` is its time when the work on it began. Where it has another one by now, somebody prompted it meanwhile:
        it stays as it is, and the answer is False.
        """
        args = [item.encoded(), seen, "" if at is None else milliseconds(at)]
        return bool(self._finish(keys=[redis_keys.DUE, redis_keys.CLAIMS], args=args))

    def put_back(self, item: DueItem, at: datetime) -> None:
        """Make a claimed item due at `at` at the latest, as if it hadn't been claimed."""
        pipeline = self._redis.pipeline(transaction=False)
        self.advance([item], at, pipeline=pipeline)
        pipeline.hdel(redis_keys.CLAIMS, item.encoded())
        pipeline.execute()

    def add_missing(self, times: Iterable[tuple[DueItem, datetime]]) -> None:
        """Put each item that isn't there yet at its time; one that is there stays as it is."""
        members = {item.encoded(): milliseconds(at) for item, at in times}
        if members:
            self._redis.zadd(redis_keys.DUE, members, nx=True)

    def claim(self, now: datetime, limit: int) -> list[tuple[DueItem, int]]:
        """Take up to `limit` due items for one lease, each with how often it was claimed in a row.

        Atomic: no two callers get the same item. Each claim doubles the item's lease, until the item is put at a time.
        """
        answer = self._claim(
            keys=[redis_keys.DUE, redis_keys.CLAIMS],
            args=[milliseconds(now), int(self.lease.total_seconds() * 1000), limit, _MOST_DOUBLINGS],
        )
        items = (DueItem(subject, tuple(ids)) for subject, *ids in map(json.loads, answer[::2]))
        return list(zip(items, map(int, answer[1::2]), strict=True))

    def count(self, now: datetime) -> tuple[int, int]:
        """Return how many items are due and how many there are in all."""
        due = self._redis.zcount(redis_keys.DUE, "-inf", milliseconds(now))
        return int(due), int(self._redis.zcard(redis_keys.DUE))


def milliseconds(moment: datetime) -> int:
    """Return a moment as the due-set orders by it: milliseconds since the epoch."""
    return int(moment.timestamp() * 1000)
