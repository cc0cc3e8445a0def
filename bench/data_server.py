"""A data server for each measurement, started as in deploy/local: with an append-only file, synced on every write."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from redis import Redis

from bench.processes import OTHER_CORE, Started, scratch
from bench.waiting import wait_until
from deploy.local import data_server
from deploy.local.ports import free_port


@dataclass(frozen=True, slots=True)
class DataServer:
    """A running server."""

    process: Started
    port: int
    password: str

    @property
    def url(self) -> str:
        """The address with its password."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def client(self, **options: Any) -> Redis:
        """Connect."""
        return Redis.from_url(self.url, decode_responses=True, **options)

    def used_bytes(self) -> int:
        """Return the bytes that its data takes now."""
        with self.client() as redis:
            info: Any = redis.info("memory")
            return int(info["used_memory"])


def keep_data_again(redis: Redis) -> None:
    """Turn on the append-only file again, and wait until it holds all data."""
    redis.config_set("appendonly", "yes")

    def is_rewritten() -> bool:
        state: Any = redis.info("persistence")
        return not state["aof_rewrite_in_progress"] and not state.get("aof_rewrite_scheduled")

    wait_until(is_rewritten, within=300, what="the append-only file")


@contextmanager
def fresh_server() -> Iterator[DataServer]:
    """Lend an empty server."""
    with scratch() as folder:
        port, password = free_port(), secrets.token_urlsafe(16)
        command = data_server.configure(folder / "redis", port=port, password=password)
        with Started("data server", command, core=OTHER_CORE) as process:
            server = DataServer(process, port, password)
            process.until(lambda: _answers(server))
            yield server


def _answers(server: DataServer) -> bool:
    with server.client(socket_timeout=1) as redis:
        return bool(redis.ping())
