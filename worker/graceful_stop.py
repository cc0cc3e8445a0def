"""SIGTERM to a worker: what is in hand is finished, within a bound, and the rest is given back.

Celery waits for running tasks, however long they take, and gives back what it had fetched and not begun. What still
runs at the bound is cut off, as `kill -9` would: its entry or its door comes back after RECLAIM_AFTER, elsewhere.
"""

import os
import sys
import threading
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

import structlog
from celery.signals import worker_shutting_down

# One call to Seam at its default time-out, and a little; below the 30 seconds that init systems usually wait.
DRAIN_WITHIN: Final = timedelta(seconds=25)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def bound_the_stop() -> None:
    """Let no shutdown of this process take longer than DRAIN_WITHIN."""

    @worker_shutting_down.connect(weak=False)
    def _(**_: Any) -> None:
        log.info("worker.draining")
        timer = threading.Timer(DRAIN_WITHIN.total_seconds(), _cut)
        timer.daemon = True
        timer.start()


def _cut() -> None:
    log.warning("worker.drain_cut")
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(0)
