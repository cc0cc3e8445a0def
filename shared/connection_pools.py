"""Pools of connections to the data server: one for each thread, which notes over which connection its commands went."""

import threading
from collections.abc import Callable
from typing import Any
from weakref import WeakSet, ref

from redis import ConnectionPool
from redis.sentinel import SentinelConnectionPool

from shared.primary_finder import PrimaryFinder


class Commands:
    """Counts the commands of one thread, and notes when they changed to another connection."""

    def __init__(self) -> None:
        self.count = 0
        self._changed_at = 0
        # Weak: a socket that outlives its connection isn't closed by it.
        self._socket: Callable[[], object] = lambda: None

    def add(self, connection: Any) -> None:
        """Count a command (or a pipeline of them) that is over. One that lost its connection was never answered."""
        # A connection object may connect again, also while it repeats a command; its socket is a new one then.
        socket = connection._sock  # noqa: SLF001 - the library names a connection's life by nothing else
        if socket is None:
            return
        self.count += 1
        if socket is not self._socket():
            self._socket = ref(socket)
            self._changed_at = self.count

    def went_over_one(self, since: int) -> bool:
        """Say whether all commands after the first `since` ones were answered over one connection."""
        return self._changed_at <= since + 1


class PoolPerThread(ConnectionPool):
    """A pool of its own for each thread, behind the face of one.

    The library's pool has one lock for all threads and takes it twice a command. Measured with 96 threads that create
    codes: they spent four fifths of their time waiting for it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._of_thread = threading.local()
        self._pools: WeakSet[ConnectionPool] = WeakSet()

    @property
    def commands(self) -> Commands:
        """The commands of this thread."""
        commands: Commands | None = getattr(self._of_thread, "commands", None)
        if commands is None:
            commands = self._of_thread.commands = Commands()
        return commands

    def get_connection(self, command_name: str | None = None, *keys: Any, **options: Any) -> Any:
        """Return a connection of this thread."""
        del command_name, keys, options
        return self._own().get_connection()

    def release(self, connection: Any) -> None:
        """Take a connection of this thread back."""
        self.commands.add(connection)
        self._own().release(connection)

    def disconnect(self, inuse_connections: bool = True) -> None:  # noqa: FBT001, FBT002 - the library's signature
        """Close the connections of all threads."""
        for pool in list(self._pools):
            pool.disconnect(inuse_connections)

    def _own(self) -> ConnectionPool:
        pool: ConnectionPool | None = getattr(self._of_thread, "pool", None)
        if pool is None:
            pool = self._made()
            self._of_thread.pool = pool
            self._pools.add(pool)
        return pool

    def _made(self) -> ConnectionPool:
        return ConnectionPool(self.connection_class, self.max_connections, **self.connection_kwargs)


class SentinelPoolPerThread(PoolPerThread):
    """The same, of connections to the primary that the Sentinels name."""

    def __init__(self, finder: PrimaryFinder, name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._finder = finder
        self._name = name

    def disconnect(self, inuse_connections: bool = True) -> None:  # noqa: FBT001, FBT002 - the library's signature
        """Close the connections of all threads, and those to the Sentinels."""
        super().disconnect(inuse_connections)
        self._finder.close()

    def _made(self) -> ConnectionPool:
        options = {**self.connection_kwargs, "max_connections": self.max_connections}
        return SentinelConnectionPool(  # type: ignore[no-untyped-call]
            self._name, self._finder, connection_class=self.connection_class, **options
        )
