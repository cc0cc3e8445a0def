"""Which server is the primary now: asked of the Sentinels by redis-py, with what it leaves open.

It asks at each new connection. But a server that was the primary may live on, without anybody who tells it so: its
connections don't break, and what is written to it is lost. So a connection also asks once a second, before it sends.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from redis.asyncio.connection import SSLConnection as AsyncSSLConnection
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.asyncio.sentinel import SentinelConnectionPool as AsyncSentinelPool
from redis.asyncio.sentinel import SentinelManagedConnection as AsyncSentinelConnection
from redis.connection import SSLConnection
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import RedisError
from redis.sentinel import MasterNotFoundError, Sentinel, SentinelManagedConnection

_ASKED_EVERY: Final = 1.0
_ANOTHER: Final = "another server is the primary now"


class PrimaryFinder(Sentinel):
    """The library's finder, for many threads: one asks, and those who wait meanwhile take its answer.

    After a failover a hundred threads ask at once. A Sentinel whose host is gone makes each of them wait for it, and
    the library reorders its list of Sentinels without a lock.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self._asking = threading.Lock()
        self._answered_at = float("-inf")
        self._answer: tuple[str, int] | RedisError = MasterNotFoundError("nobody was asked")

    def discover_master(self, service_name: str) -> tuple[str, int]:
        """Return host and port of the primary. Raises MasterNotFoundError, a ConnectionError, and ResponseError."""
        return self._asked(service_name, after=time.monotonic())

    def recent(self, service_name: str) -> tuple[str, int]:
        """Return the same, as it was told within the last second."""
        return self._asked(service_name, after=time.monotonic() - _ASKED_EVERY)

    def _asked(self, service_name: str, *, after: float) -> tuple[str, int]:
        with self._asking:
            if self._answered_at < after:
                try:
                    self._answer = super().discover_master(service_name)  # type: ignore[no-untyped-call]
                except RedisError as error:
                    self._answer = error
                self._answered_at = time.monotonic()
            answer = self._answer
        if isinstance(answer, RedisError):
            # One of its own for each thread: a traceback grows with every raise.
            raise type(answer)(*answer.args) from answer
        return answer


class FollowingConnection(SentinelManagedConnection):
    """A connection that breaks by itself once the Sentinels name another primary."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self._asked_at = time.monotonic()

    def connect_to(self, address: tuple[str, int]) -> None:
        """Connect to a primary that was just named."""
        self._asked_at = time.monotonic()
        super().connect_to(address)  # type: ignore[no-untyped-call]

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:  # noqa: FBT001, FBT002 - theirs
        """Send, unless another server is the primary now: then raises ConnectionError, and is disconnected."""
        now = time.monotonic()
        if not self.is_connected:
            # The library itself would go back to the server that it was connected to.
            self.connect()  # type: ignore[no-untyped-call]
        elif now - self._asked_at >= _ASKED_EVERY:
            self._asked_at = now
            pool: Any = self.connection_pool
            finder = pool.sentinel_manager
            ask = finder.recent if isinstance(finder, PrimaryFinder) else finder.discover_master
            try:
                address = ask(pool.service_name)
            except (RedisError, OSError):
                # Nobody knows another one.
                address = (self.host, self.port)
            if address != (self.host, self.port):
                self.disconnect()  # type: ignore[no-untyped-call]
                raise Disconnected(_ANOTHER)
        super().send_packed_command(command, check_health)  # type: ignore[no-untyped-call]


class FollowingSSLConnection(FollowingConnection, SSLConnection):
    """The same with TLS."""


class AsyncFollowingConnection(AsyncSentinelConnection):
    """The same for asyncio."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self._asked_at = time.monotonic()

    async def connect_to(self, address: tuple[str, int]) -> None:
        """Connect to a primary that was just named."""
        self._asked_at = time.monotonic()
        await super().connect_to(address)  # type: ignore[no-untyped-call]

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:  # noqa: FBT001, FBT002 - theirs
        """Send, unless another server is the primary now: then raises ConnectionError, and is disconnected."""
        now = time.monotonic()
        if not self.is_connected:
            # The library itself would go back to the server that it was connected to.
            await self.connect()  # type: ignore[no-untyped-call]
        elif now - self._asked_at >= _ASKED_EVERY:
            self._asked_at = now
            pool: Any = self.connection_pool
            try:
                address = await pool.sentinel_manager.discover_master(pool.service_name)
            except (RedisError, OSError):
                # Nobody knows another one.
                address = (self.host, self.port)
            if address != (self.host, self.port):
                await self.disconnect()
                raise Disconnected(_ANOTHER)
        await super().send_packed_command(command, check_health)


class AsyncFollowingSSLConnection(AsyncFollowingConnection, AsyncSSLConnection):
    """The same for asyncio, with TLS."""


class AsyncPrimaryPool(AsyncSentinelPool):
    """The library's pool of such connections, which also closes those to the Sentinels."""

    def __init__(
        self, name: str, hosts: Sequence[tuple[str, int]], asking: Mapping[str, Any], *, tls: bool, **options: Any
    ) -> None:
        """Ask the Sentinels at `hosts`, to which `asking` are the options, for the primary of this name."""
        kind = AsyncFollowingSSLConnection if tls else AsyncFollowingConnection
        sentinel = AsyncSentinel(hosts, sentinel_kwargs=asking)  # type: ignore[no-untyped-call]
        super().__init__(name, sentinel, connection_class=kind, **options)  # type: ignore[no-untyped-call]

    async def aclose(self) -> None:
        """Close all connections. Idempotent."""
        await super().aclose()
        await self.sentinel_manager.aclose()
