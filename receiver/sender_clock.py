"""Measures the clock of the sender of webhooks, by the timestamps of deliveries with a valid signature.

What is on its way for long seems to come from a clock that is behind. So of all deliveries since the last flush the one
that seems most ahead counts: it was on its way for the shortest time.
"""

import threading
from collections.abc import Callable
from datetime import timedelta

from shared.clock import Clock, system_clock


class SenderClock:
    """The best measure since the last `flush`. Thread-safe."""

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._ahead: float | None = None

    def saw(self, signed_at: float) -> None:
        """Take in when a genuine delivery was signed, in epoch seconds of the sender's clock."""
        ahead = signed_at - self._clock().timestamp()
        with self._lock:
            if self._ahead is None or ahead > self._ahead:
                self._ahead = ahead

    def flush(self, note: Callable[[timedelta], None]) -> None:
        """Hand how far the sender's clock is ahead of ours to `note`, where there was a delivery."""
        with self._lock:
            ahead, self._ahead = self._ahead, None
        if ahead is not None:
            note(timedelta(seconds=ahead))
