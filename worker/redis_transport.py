"""Kombu's transports for Redis and its Sentinels, with what they leave open when a connection is lost.

A channel that is closed, but has work left, such as an acknowledgement of a task that ended since, makes a new pool of
connections. Without its transport it has no address any more and fails with AttributeError (kombu 5.7, `Channel.pool`),
which ends the worker. As a connection error it is passed over, as kombu means it.

A channel also makes a new client for each step of each message (`Channel.conn_or_acquire`), which takes longer than the
step itself. One client for all of them is enough: its pool gives each step a connection.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kombu.transport.redis import Channel, SentinelChannel, SentinelTransport, Transport
from redis.exceptions import ConnectionError as Disconnected

from shared.primary_finder import FollowingConnection, FollowingSSLConnection


class _Steady:
    """What both channels share. They come before kombu's class."""

    connection: Any
    Client: Any
    _shared: tuple[Any, Any] = (None, None)

    @contextmanager
    def conn_or_acquire(self, client: Any = None) -> Iterator[Any]:
        """Give the caller's client, or the channel's own. Raises ConnectionError as `pool` does."""
        yield client or self._shared_client()

    def _shared_client(self) -> Any:
        pool = self.pool
        of_pool, client = self._shared
        if of_pool is not pool:
            client = self.Client(connection_pool=pool)
            self._shared = pool, client
        return client

    @property
    def pool(self) -> Any:
        """Return the pool. Raises ConnectionError once the channel's connection is closed."""
        self._check()
        return super().pool  # type: ignore[misc]

    @property
    def async_pool(self) -> Any:
        """Return the pool of the consumer. Raises ConnectionError once the channel's connection is closed."""
        self._check()
        return super().async_pool  # type: ignore[misc]

    def _check(self) -> None:
        if self.connection is None or self.connection.client is None:
            raise Disconnected("the channel's connection is closed")


class SteadyChannel(_Steady, Channel):
    """A channel of one Redis."""


class SteadyTransport(Transport):
    """Redis."""

    Channel = SteadyChannel


class SteadySentinelChannel(_Steady, SentinelChannel):
    """A channel of the primary that the Sentinels name, and follow it by itself."""

    connection_class = FollowingConnection
    connection_class_ssl = FollowingSSLConnection


class SteadySentinelTransport(SentinelTransport):
    """Redis behind Sentinels."""

    Channel = SteadySentinelChannel


STEADY: dict[type, type] = {Transport: SteadyTransport}
