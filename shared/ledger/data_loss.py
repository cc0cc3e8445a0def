"""The ledger epoch: notices a data server that came back empty, or older, and so has forgotten open intents.

A create whose intent was lost may still be on its way to Seam. A process that notices such a ledger waits before any
create, for as long as such a call could take. Then a look finds the code that it made. An older ledger, as after a
failover, is noticed through what is noted in it (`shared.ledger.rollback`), and all processes wait. As long as a ledger
is young, one look isn't enough: Seam's list may lag behind what the ledger before it had made.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from redis import Redis

from shared import redis_keys
from shared.clock import Clock
from shared.ledger.rollback import LedgerPrimary

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
        self._primary = LedgerPrimary(redis, settle=settle)
        self._rolled_back_at: datetime | None = None

    def settled_at(self) -> datetime | None:
        """Return from when on creates are safe; None where nothing of the ledger was ever lost as far as we know."""
        current = self._current()
        if self._known is not None and current != self._known:
            self._settled_at = self._clock() + self._settle
        self._known = current
        state = self._primary.note()
        if state.rollback is not None:
            self._rolled_back_at = state.rollback.noticed_at
        if not state.pause:
            return self._settled_at
        over_at = self._clock() + state.pause
        return max(over_at, self._settled_at) if self._settled_at is not None else over_at

    def is_settled(self) -> bool:
        """Say whether creates are safe now."""
        settled_at = self.settled_at()
        return settled_at is None or self._clock() >= settled_at

    def is_young(self, within: timedelta = YOUNG_FOR) -> bool:
        """Say whether the ledger, as `settled_at` saw it last, was begun or rolled back `within` this time."""
        if self._rolled_back_at is not None and self._clock() - self._rolled_back_at < within:
            return True
        _, separator, begun_at = (self._known or "").rpartition(_SEPARATOR)
        return not separator or self._clock().timestamp() - float(begun_at) < within.total_seconds()

    def _current(self) -> str:
        found = self._redis.get(redis_keys.GENERATION)
        if found is None:
            begun = f"{self._new_id()}{_SEPARATOR}{self._clock().timestamp()}"
            self._redis.set(redis_keys.GENERATION, begun, nx=True)
            found = self._redis.get(redis_keys.GENERATION)
        return str(found)
