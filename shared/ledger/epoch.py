"""The ledger epoch: notices that the data server came back empty, and so has forgotten every open intent.

A create whose intent was lost may still be on its way to Seam. A worker that notices the loss waits before any create,
for as long as such a call could take. Then a look finds the code that it made. And as long as a ledger is young, one
look isn't enough: Seam's list may lag behind what the ledger before it had made.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from redis import Redis

from shared import redis_keys
from shared.clock import Clock

# How far Seam's lists may lag behind is documented nowhere; a quarter of an hour is far more than was ever seen.
YOUNG_FOR: Final = timedelta(minutes=15)
# How long after a ledger was begun its bookings may be replays of one that was lost.
REBUILT_FOR: Final = timedelta(days=1)
# Between the ledger's name and the moment (epoch seconds) at which it was begun.
_SEPARATOR: Final = "@"


class LedgerEpoch:
    """The ledger's identity, as this process remembers it. Thread-safe: the worst a race does is a longer wait."""

    def __init__(self, redis: Redis, *, settle: timedelta, clock: Clock, new_id: Callable[[], str]) -> None:
        self._redis = redis
        self._settle = settle
        self._clock = clock
        self._new_id = new_id
        self._known: str | None = None
        self._settled_at: datetime | None = None

    def settled_at(self) -> datetime | None:
        """Return from when on creates are safe; None where the ledger was never lost as far as we know."""
        current = self._current()
        if self._known is not None and current != self._known:
            self._settled_at = self._clock() + self._settle
        self._known = current
        return self._settled_at

    def is_young(self, within: timedelta = YOUNG_FOR) -> bool:
        """Say whether the ledger, as `settled_at` saw it last, was begun `within` this time."""
        _, separator, begun_at = (self._known or "").rpartition(_SEPARATOR)
        return not separator or self._clock().timestamp() - float(begun_at) < within.total_seconds()

    def _current(self) -> str:
        found = self._redis.get(redis_keys.GENERATION)
        if found is None:
            begun = f"{self._new_id()}{_SEPARATOR}{self._clock().timestamp()}"
            self._redis.set(redis_keys.GENERATION, begun, nx=True)
            found = self._redis.get(redis_keys.GENERATION)
        return str(found)
