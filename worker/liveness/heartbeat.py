"""The heartbeat: notes that sweeps happen, here and for a monitor outside.

HEARTBEAT_URL is for a monitor outside of this system (healthchecks.io and the like): it alerts when the calls stop.
"""

import time
from datetime import timedelta
from typing import Final

import httpx
import structlog
from redis.exceptions import RedisError

from shared.clock import Clock
from shared.domain.alerting.missed_heartbeats import SWEEP
from shared.ledger.heartbeats import Heartbeats

_CALL_EVERY: Final = timedelta(seconds=60)
_TIMEOUT: Final = 5.0

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Heartbeat:
    """Called by every sweep; calls outside once a minute. A failure here doesn't stop the sweep."""

    def __init__(self, *, beats: Heartbeats, url: str, client: httpx.Client, clock: Clock) -> None:
        self._beats = beats
        self._url = url
        self._client = client
        self._clock = clock

    def __call__(self) -> None:
        """Note the sweep, and call outside where it is time; at most one of all workers calls."""
        now = self._clock()
        try:
            self._beats.beat(SWEEP, now)
            is_time = bool(self._url) and self._beats.take_turn("heartbeat", now, every=_CALL_EVERY)
        except (RedisError, OSError) as error:
            log.warning("pulse.failed", error=type(error).__name__)
            return
        if is_time:
            self._call()

    def _call(self) -> None:
        started = time.monotonic()
        try:
            answer = self._client.get(self._url, timeout=_TIMEOUT, follow_redirects=False)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # The error's text may hold the address, which is a secret.
            log.warning("heartbeat.failed", error=type(error).__name__)
        else:
            seconds = round(time.monotonic() - started, 3)
            if answer.is_success:
                log.debug("heartbeat.sent", seconds=seconds)
            else:
                log.warning("heartbeat.failed", error=f"HTTP {answer.status_code}", seconds=seconds)
