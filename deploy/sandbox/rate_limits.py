"""Seam's rate limits per device ("Rate Limits" page): sliding windows of one minute."""

from collections import defaultdict, deque
from datetime import datetime, timedelta
from http import HTTPStatus

from deploy.sandbox.clock import Clock
from deploy.sandbox.errors import ApiError

PER_MINUTE = {"access_codes.create": 10, "access_codes.update": 10, "access_codes.delete": 20}
_WINDOW = timedelta(minutes=1)


class RateLimits:
    """Counts calls per device and operation; a call that was turned away doesn't count."""

    def __init__(self, clock: Clock) -> None:
        """Start with empty windows."""
        self._clock = clock
        self._calls: defaultdict[tuple[str, str], deque[datetime]] = defaultdict(deque)

    def remember(self, operation: str, device_id: str, at: datetime) -> None:
        """Count a call from before a restart."""
        self._calls[operation, device_id].append(at)

    def spend(self, operation: str, device_id: str, retry_after: float | None) -> None:
        """Count a call.

        Raises:
            ApiError: 429; with Retry-After only where `retry_after` (seconds) is given.

        """
        now = self._clock()
        calls = self._calls[operation, device_id]
        while calls and calls[0] <= now - _WINDOW:
            calls.popleft()
        if len(calls) >= PER_MINUTE[operation]:
            message = f"Rate limit exceeded: {PER_MINUTE[operation]} calls per minute and device"
            raise ApiError(
                HTTPStatus.TOO_MANY_REQUESTS,
                "rate_limit_exceeded",
                message,
                retry_after=retry_after,
            )
        calls.append(now)
