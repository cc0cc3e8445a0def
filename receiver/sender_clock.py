"""Measures the clock of the sender of webhooks, by the timestamps of deliveries with a valid signature.

A slow delivery makes the sender's clock seem behind. So of all deliveries since the last `flush` the one with the
timestamp furthest ahead counts: it was the fastest.
"""

import math
import threading
from collections.abc import Callable
from datetime import timedelta

from shared.clock import system_clock


class SenderClock:
    """Keeps the best measurement since the last `flush` that was noted. Thread-safe; `flush` is for one thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead: float | None = None
        self._newest = -math.inf
        # For `flush` alone.
        self._not_noted: float | None = None

    def saw(self, signed_at: float) -> None:
        """Add a measurement. `signed_at` is a genuine delivery's timestamp: epoch seconds by the sender's clock."""
        if signed_at <= self._newest:
            # It came later than one with this timestamp, so it was slower. Timestamps are whole seconds: most end here.
            return
        self._newest = signed_at
        ahead = signed_at - system_clock().timestamp()
        with self._lock:
            if self._ahead is None or ahead > self._ahead:
                self._ahead = ahead

    def flush(self, note: Callable[[timedelta], bool]) -> None:
        """Give `note` how far the sender's clock is ahead of ours, if there was a delivery since the last call.

        If `note` returns False or raises, it is given again with the next call, unless another delivery came since.
        The next one may come in an hour.
        """
        with self._lock:
            ahead, self._ahead = self._ahead, None
            self._newest = -math.inf
        if ahead is None:
            ahead = self._not_noted
        if ahead is not None:
            self._not_noted = ahead
            if note(timedelta(seconds=ahead)):
                self._not_noted = None
