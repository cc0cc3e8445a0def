"""Runs blocking calls (the ledger, Seam) in threads of their own, so that the event loop, and so webhooks, never wait.

A few threads, a bounded queue before them, and a limit to how long a request waits. A request that finds the
queue full, or waits too long, is told to come again.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final, TypeVar

import structlog
from redis.exceptions import RedisError

from receiver.refusals import Unavailable
from shared.domain.versions import OfNewerVersion
from shared.ledger.records import Conflict

T = TypeVar("T")

# For each thread: one that is running, and so many that wait.
_WAITING_PER_THREAD: Final = 8

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class BlockingCalls:
    """A pool of `threads` for calls of one kind. A call that is given up on goes on in its thread, and counts."""

    def __init__(self, name: str, *, threads: int, within: timedelta) -> None:
        self._name = name
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most = self._room = threads * (1 + _WAITING_PER_THREAD)
        self._within = within.total_seconds()

    async def run(self, call: Callable[[], T]) -> T:
        """Return what `call` returns. Raises Unavailable: no room, no answer in time, or no data server."""
        if self._room <= 0:
            raise Unavailable
        self._room -= 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, call)
        future.add_done_callback(self._done)
        try:
            return await asyncio.wait_for(asyncio.shield(future), self._within)
        except (TimeoutError, RedisError, OSError, Conflict, OfNewerVersion) as error:
            log.warning("call.failed", name=self._name, kind=type(error).__name__)
            raise Unavailable from None

    @property
    def is_idle(self) -> bool:
        """Whether no call runs or waits."""
        return self._room == self._most

    def close(self) -> None:
        """Take no more calls; those that run end by their own time-outs."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _done(self, future: "asyncio.Future[T]") -> None:
        self._room += 1
        if not future.cancelled():
            # Read here: else the event loop warns of an error that no request waited for.
            future.exception()
