"""The ledger epoch: notices that the data server came back empty, or with older data, and so lost open intents.

If an intent was lost, its create may still be on its way to Seam. So a process that notices this makes no code for as
long as such a call can take. After that, a look at Seam finds the code that the call made. Older data, as after a
failover, is noticed by the note of the primary (`shared.ledger.rollback`), and then all processes wait. While the
ledger is young, one look isn't enough: Seam's list may not yet show the codes that were made before the loss.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from redis import Redis

from shared import redis_keys
from shared.clock import Clock
from shared.ledger.rollback import LedgerPrimary

# Seam doesn't document how late its lists may be. A quarter of an hour is far more than was ever seen.
YOUNG_FOR: Final = timedelta(minutes=15)
# For so long after a ledger was begun, its bookings may be ones that a lost ledger already had codes for.
REBUILT_FOR: Final = timedelta(days=1)
# Separates the ledger's name from the moment (epoch seconds) at which it was begun.
_SEPARATOR: Final = "@"


class LedgerEpoch:
    """The ledger's identity, as this process remembers it. Thread-safe: a race only makes the wait longer."""

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
        """Return from when on creates are safe; None if no loss of the ledger is known."""
        state = self._primary.note()
        current = state.epoch or self._begin()
        if self._known is not None and current != self._known:
            self._settled_at = self._clock() + self._settle
        self._known = current
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
        """Say whether the ledger was begun or rolled back less than `within` ago, as the last `settled_at` saw it."""
        if self._rolled_back_at is not None and self._clock() - self._rolled_back_at < within:
            return True
        _, separator, begun_at = (self._known or "").rpartition(_SEPARATOR)
        return not separator or self._clock().timestamp() - float(begun_at) < within.total_seconds()

    def _begin(self) -> str:
        """Begin an epoch, unless another process does so at this moment; return the ledger's epoch."""
        begun = f"{self._new_id()}{_SEPARATOR}{self._clock().timestamp()}"
        self._redis.set(redis_keys.LEDGER_EPOCH, begun, nx=True)
        return str(self._redis.get(redis_keys.LEDGER_EPOCH))
