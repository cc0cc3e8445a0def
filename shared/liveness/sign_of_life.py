"""A thread that notes every few seconds that this process lives, for `oracode doctor` and the console.

It also notes how far this machine's clock is from the data server's.
"""

import os
import socket
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version

import structlog
from redis import Redis
from redis.exceptions import RedisError

from shared.clock import system_clock
from shared.ledger.clocks import ClockReadings
from shared.ledger.processes import ProcessIdentity, ProcessSigns
from shared.liveness.fleet import SIGN_EVERY

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def this_process(name: str) -> ProcessIdentity:
    """Return who we are; `name` as in the Procfile. Call it when the process begins to serve."""
    try:
        running = version("oracode-codes")
    except PackageNotFoundError:
        running = "unknown"
    return ProcessIdentity(
        process=name, host=socket.gethostname(), pid=os.getpid(), version=running, started_at=system_clock()
    )


class SignOfLife:
    """Gives the first sign at once. `also` are notes that go to the data server in the same round; each may raise."""

    def __init__(
        self,
        redis: Redis,
        identity: ProcessIdentity,
        *,
        also: Iterable[Callable[[], None]] = (),
        every: timedelta = SIGN_EVERY,
    ) -> None:
        self._signs = ProcessSigns(redis)
        self._clocks = ClockReadings(redis)
        self._identity = identity
        self._also = tuple(also)
        self._every = every.total_seconds()
        self._was_noted = True

    def start(self) -> None:
        """Begin, in a thread that ends with the process."""
        threading.Thread(target=self.run, args=(threading.Event(),), name="sign-of-life", daemon=True).start()

    def run(self, stopping: threading.Event) -> None:
        """Give signs until told to stop. Nothing that fails here matters to the process."""
        while True:
            self._note()
            if stopping.wait(self._every):
                return

    def _note(self) -> None:
        try:
            self._signs.sign(self._identity)
            self._clocks.note_ours(f"{self._identity.process} on {self._identity.host}")
            for note in self._also:
                note()
        except (RedisError, OSError) as error:
            # Once an outage: a line every few seconds would tell nothing new.
            if self._was_noted:
                log.warning("sign_of_life.failed", error=type(error).__name__)
            self._was_noted = False
        except Exception:
            # A thread that is gone would make a process that works look dead.
            log.exception("sign_of_life.crashed")
        else:
            self._was_noted = True
