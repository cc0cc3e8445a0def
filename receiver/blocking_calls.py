"""Runs blocking calls (the ledger, Seam) in threads of their own, so that they never delay the event loop and webhooks.

There are a few threads, a bounded queue, and a longest wait for each request. If the queue is full, or the wait too
long, the request gets 503 and may be sent again.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final, TypeVar

import structlog
from redis.exceptions import RedisError

from receiver.refusals import Unavailable
from shared.domain.versions import NewerVersionNeeded
from shared.ledger.records import Conflict

T = TypeVar("T")

# How many calls may wait for each thread.
_WAITING_PER_THREAD: Final = 8

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class BlockingCalls:
    """A pool of `threads` for calls of one kind. After `within` a request is refused; its call goes on, and counts."""

    def __init__(self, name: str, *, threads: int, within: timedelta) -> None:
        self._name = name
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most = self._room = threads * (1 + _WAITING_PER_THREAD)
        self._within = within.total_seconds()

    async def run(self, call: Callable[[], T]) -> T:
        """Return the result of `call`. Raises Unavailable: the queue is full, a time-out, or no data server."""
        if self._room <= 0:
            raise Unavailable
        self._room -= 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, call)
        future.add_done_callback(self._done)
        try:
            return await asyncio.wait_for(asyncio.shield(future), self._within)
        except (TimeoutError, RedisError, OSError, Conflict, NewerVersionNeeded) as error:
            log.warning("call.failed", name=self._name, kind=type(error).__name__)
            raise Unavailable from None

    @property
    def is_idle(self) -> bool:
        """Whether no call runs or waits."""
        return self._room == self._most

    def close(self) -> None:
        """Take no more calls. Running calls end by their own time-outs. Idempotent."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _done(self, future: "asyncio.Future[T]") -> None:
        self._room += 1
        if not future.cancelled():
            # Retrieved here, because the event loop warns of an error that nothing has retrieved.
            future.exception()
