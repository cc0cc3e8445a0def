"""Counts failed signatures and tokens in memory. A thread beside the event loop writes the counts to the data server.

So a flood of forged requests costs the data server one write every few seconds. `receiver.auth_failures` limits them.
"""

import threading
from collections.abc import Callable
from datetime import datetime

from receiver.refusals import AuthFailure
from shared.clock import Clock, system_clock


class AuthFailureCounts:
    """Counts failures by reason since the last call of `flush`. Thread-safe."""

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._last_at: dict[str, datetime] = {}

    def add(self, failure: AuthFailure) -> None:
        """Count one failure."""
        with self._lock:
            self._counts[failure.reason] = self._counts.get(failure.reason, 0) + 1
            self._last_at[failure.reason] = self._clock()

    def flush(self, write: Callable[[dict[str, int], dict[str, datetime]], None]) -> None:
        """Give the counts to `write`, and reset them. If `write` raises, they are kept, and the error is passed on."""
        with self._lock:
            counts, self._counts = self._counts, {}
            last_at = {reason: self._last_at[reason] for reason in counts}
        if not counts:
            return
        try:
            write(counts, last_at)
        except Exception:
            with self._lock:
                for reason, count in counts.items():
                    self._counts[reason] = self._counts.get(reason, 0) + count
            raise
