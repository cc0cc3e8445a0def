"""How we connect to the data server: with timeouts everywhere, and no repeats hidden below the caller."""

import threading
from typing import Any, Final
from weakref import WeakSet

from redis import ConnectionPool, Redis
from redis.asyncio import Redis as AsyncRedis
from redis.backoff import NoBackoff
from redis.retry import Retry

# What stands in an answer for bytes that are not UTF-8; JSON that a program writes doesn't hold it.
REPLACED: Final = "\ufffd"
# Above the one second for which the dispatcher lets the server block, below the patience of Svix (15 s).
_ANSWER_WITHIN: Final = 5.0
# A webhook's sender waits 15 seconds for our answer: also after one repeat, "come again" must be said well before.
_ANSWER_WEB_WITHIN: Final = 3.0
_CONNECT_WITHIN: Final = 2.0
# An idle connection is checked before it is used again: the server may have been restarted under it.
_CHECK_EVERY: Final = 10


class PoolPerThread(ConnectionPool):
    """A pool of its own for each thread, behind the face of one.

    The library's pool has one lock for all threads and takes it twice a command. Measured with 96 threads that create
    codes: they spent four fifths of their time waiting for it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._of_thread = threading.local()
        self._pools: WeakSet[ConnectionPool] = WeakSet()

    def get_connection(self, command_name: str | None = None, *keys: Any, **options: Any) -> Any:
        """Return a connection of this thread."""
        del command_name, keys, options
        return self._own().get_connection()

    def release(self, connection: Any) -> None:
        """Take a connection of this thread back."""
        self._own().release(connection)

    def disconnect(self, inuse_connections: bool = True) -> None:  # noqa: FBT001, FBT002 - the library's signature
        """Close the connections of all threads."""
        for pool in list(self._pools):
            pool.disconnect(inuse_connections)

    def _own(self) -> ConnectionPool:
        pool: ConnectionPool | None = getattr(self._of_thread, "pool", None)
        if pool is None:
            pool = ConnectionPool(self.connection_class, self.max_connections, **self.connection_kwargs)
            self._of_thread.pool = pool
            self._pools.add(pool)
        return pool


def connect(url: str) -> Redis:
    """Return a client (nothing is opened yet). One repeat, for a connection that died while it was idle.

    A repeat is safe: every script of ours may run twice. Its answers are texts; bytes that aren't UTF-8 become
    replacement characters, so that an entry that somebody wrote wrongly can be read, and parked.
    """
    pool = PoolPerThread.from_url(
        url,
        decode_responses=True,
        encoding_errors="replace",
        socket_timeout=_ANSWER_WITHIN,
        socket_connect_timeout=_CONNECT_WITHIN,
        socket_keepalive=True,
        health_check_interval=_CHECK_EVERY,
        retry=Retry(NoBackoff(), 1),
    )
    return Redis.from_pool(pool)


def connect_async(url: str) -> AsyncRedis:
    """Return an asyncio client (nothing is opened yet), with the same rules."""
    from redis.asyncio.retry import Retry as AsyncRetry  # noqa: PLC0415 - the web process alone needs it

    return AsyncRedis.from_url(
        url,
        decode_responses=True,
        socket_timeout=_ANSWER_WEB_WITHIN,
        socket_connect_timeout=_CONNECT_WITHIN,
        socket_keepalive=True,
        health_check_interval=_CHECK_EVERY,
        retry=AsyncRetry(NoBackoff(), 1),
    )
