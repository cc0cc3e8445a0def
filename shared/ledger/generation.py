"""Whether the ledger is still the one we knew: a data server that comes back empty has forgotten every open intent.

A create whose intent was lost may still be on its way to Seam. Whoever notices that the ledger was emptied under its
feet waits, before any create, for as long as such a call could take; then a look finds whatever it made.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from redis import Redis

from shared import redis_keys
from shared.clock import Clock


class Generation:
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

    def _current(self) -> str:
        found = self._redis.get(redis_keys.GENERATION)
        if found is None:
            self._redis.set(redis_keys.GENERATION, self._new_id(), nx=True)
            found = self._redis.get(redis_keys.GENERATION)
        return str(found)
