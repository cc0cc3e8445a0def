"""A process that is alive but stalled ends itself: its supervisor starts it again.

Seen with Celery on Redis: after a restart of the server a worker may never take a message again, although all its
threads are alive. Ending at once is safe, as `kill -9` is: what was under way is in a stream or in the due-set.

Time is counted in looks, not read from a clock: a process that was stopped for a minute hasn't stalled when it goes on.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

# EX_SOFTWARE of sysexits.h: not a refusal of its settings (2), not a signal.
EXIT_STALLED: Final = 70
LOOK_EVERY: Final = timedelta(seconds=1)
# A look late by more than this means that the whole process, or the machine, stood still: nobody was stalled meanwhile.
_LONGEST_LOOK: Final = 2 * LOOK_EVERY

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sign:
    """What one look found.

    `moved`: something was begun or done since the last look. `has_work`: something waits to be done, and could be
    fetched; not so where the server that holds it can't be reached: then waiting is right. `has_room`: somebody is
    free to do it.
    """

    moved: bool
    has_work: bool
    has_room: bool = True


@dataclass(frozen=True, slots=True)
class StallLimits:
    """How long nothing may move while work waits: `idle` if a thread is free to do it, `busy` if none is."""

    idle: timedelta
    busy: timedelta


def stalled_for(before: timedelta, sign: Sign, elapsed: timedelta) -> timedelta:
    """Return for how long work has waited with nothing moving, `elapsed` after a look at which it was `before`."""
    if sign.moved or not sign.has_work:
        return timedelta()
    return before + min(elapsed, _LONGEST_LOOK)


def has_stalled(suspected_for: timedelta, sign: Sign, limits: StallLimits) -> bool:
    """Return whether nothing has moved for too long to be waiting."""
    return suspected_for >= (limits.idle if sign.has_room else limits.busy)


class Watchdog:
    """Looks once a second, in a thread of its own, and ends the process once it has stalled."""

    def __init__(
        self,
        look: Callable[[], Sign],
        limits: StallLimits,
        *,
        end: Callable[[timedelta], None] | None = None,
        every: timedelta = LOOK_EVERY,
    ) -> None:
        self._look = look
        self._limits = limits
        self._end = end or end_process
        self._every = every
        self._stopping = threading.Event()

    def start(self) -> None:
        """Start looking, in a thread."""
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Stop looking: a process that shuts down may do nothing for a while."""
        self._stopping.set()

    def _run(self) -> None:
        suspected_for, looked_at = timedelta(), time.monotonic()
        while not self._stopping.wait(self._every.total_seconds()):
            sign = self._look()
            now = time.monotonic()
            suspected_for = stalled_for(suspected_for, sign, timedelta(seconds=now - looked_at))
            looked_at = now
            if has_stalled(suspected_for, sign, self._limits) and not self._stopping.is_set():
                self._end(suspected_for)
                return


def end_process(suspected_for: timedelta) -> None:
    """Say so and end, without the clean-up that may be what hangs."""
    log.critical("process.stalled", seconds=suspected_for.total_seconds())
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(EXIT_STALLED)
