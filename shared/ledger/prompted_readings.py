"""Prompted readings of doors and connected accounts. They wait in the due-set, so a kill loses none.

There is at most one reading in each interval. A prompt that comes earlier waits for the interval's end.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys
from shared.clock import Clock
from shared.ledger.due_set import DueItem, DueSet

# How a subject of the due-set is called in keys.
_KINDS: Final = {"refresh": "door", "account": "account"}


class PromptedReadings:
    """Prompts readings, and puts each at its next time. Items are made by `refresh_item` and `account_item`."""

    def __init__(self, redis: Redis, *, due: DueSet, clock: Clock, at_most_every: timedelta) -> None:
        self._redis = redis
        self._due = due
        self._clock = clock
        self._at_most_every = at_most_every

    def prompt(self, items: Iterable[DueItem], *, within: timedelta = timedelta()) -> None:
        """Make each item due as soon as it may be read again; several items are spread over the time `within`.

        Idempotent. An item that is being read just now is read once more afterwards.
        """
        items = list(dict.fromkeys(items))
        pipeline = self._redis.pipeline(transaction=False)
        for item in items:
            pipeline.pttl(redis_keys.read_lately(*_named(item)))
        # The server answers below 0 where there is no such key.
        waits = [timedelta(milliseconds=max(0, each)) for each in pipeline.execute()] if items else []
        now = self._clock()
        for number, (item, wait) in enumerate(zip(items, waits, strict=True)):
            key = redis_keys.prompted(*_named(item))
            # Counted before the item is put at its time, so that `reschedule` sees either the count or the time.
            pipeline.incr(key)
            pipeline.expire(key, redis_keys.PROMPTED_FOR)
            self._due.advance([item], now + max(wait, within * number / len(items)), pipeline=pipeline)
        if items:
            pipeline.execute()

    def begin(self, item: DueItem) -> int:
        """Note that the reading begins; return the count of prompts, which `reschedule` needs (0: none lately)."""
        kind, name = _named(item)
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.get(redis_keys.prompted(kind, name))
        pipeline.set(redis_keys.read_lately(kind, name), "1", px=self._at_most_every)
        return int(cast(Any, pipeline.execute())[0] or 0)

    def reschedule(self, item: DueItem, again_at: datetime | None, *, begun: int) -> None:
        """Put an item at its next time after a reading; None takes it out. A prompt that came meanwhile isn't lost."""
        self._due.set([(item, again_at)])
        now_count = int(cast(Any, self._redis.get(redis_keys.prompted(*_named(item)))) or 0)
        if now_count != begun:
            self.prompt([item])


def _named(item: DueItem) -> tuple[str, str]:
    return _KINDS[item.subject], item.ids[0]
