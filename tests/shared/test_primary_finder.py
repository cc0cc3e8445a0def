"""Connections leave a server that lives on and is the primary no more, once the Sentinels name another."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as Disconnected
from redis.sentinel import MasterNotFoundError

import shared.primary_finder
from receiver.script_connection import ScriptConnection
from shared.primary_finder import PrimaryFinder
from shared.redis_client import connect, connect_async
from shared.replicas import begin_step
from tests.support.server import DataServer


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[DataServer]]:
    """Run two servers of which either may be called the primary."""
    directory = Path(tmp_path_factory.mktemp("two"))
    both = [DataServer(directory / name, password="of-both") for name in ("one", "two")]
    for server in both:
        server.start()
    yield both
    for server in both:
        server.stop()


class Named:
    """Stands in for a Sentinel: names the server that a test wants, and counts how often it is asked."""

    def __init__(self, server: DataServer) -> None:
        self.server: DataServer | None = server
        self.asked = 0

    def sentinel_masters(self) -> dict[str, Any]:
        """Answer as redis-py's client of a Sentinel does."""
        self.asked += 1
        if self.server is None:
            raise Disconnected("nobody is there")
        state = {"ip": "127.0.0.1", "port": self.server.port, "is_master": True, "is_sdown": False, "is_odown": False}
        return {"oracode": {**state, "num-other-sentinels": 2}}

    def close(self) -> None:
        """Do nothing."""


class NamedAsync(Named):
    """The same for asyncio."""

    async def sentinel_masters(self) -> dict[str, Any]:  # type: ignore[override]
        """Answer as redis-py's client of a Sentinel does."""
        return super().sentinel_masters()

    async def aclose(self) -> None:
        """Do nothing."""


URL = "redis+sentinel://:of-both@127.0.0.1:1/oracode/0"


@pytest.fixture(autouse=True)
def _asked_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask before each command: tests don't wait for a second."""
    monkeypatch.setattr(shared.primary_finder, "_ASKED_EVERY", 0.0)


def port_of(client: Redis) -> int:
    """Return the port of the server that answers."""
    said: Any = client.config_get("port")
    return int(said["port"])


def test_a_client_follows(servers: list[DataServer]) -> None:
    """With single commands and with pipelines; without any Sentinel it stays where it is."""
    client = connect(URL)
    sentinel = Named(servers[0])
    pool: Any = client.connection_pool
    pool._finder.sentinels = [sentinel]
    assert port_of(client) == servers[0].port
    sentinel.server = servers[1]
    assert port_of(client) == servers[1].port
    sentinel.server = None
    assert port_of(client) == servers[1].port
    sentinel.server = servers[0]
    pipeline = client.pipeline(transaction=False)
    pipeline.config_get("port")
    assert pipeline.execute()[0]["port"] == str(servers[0].port)
    client.close()


def test_a_step_is_over_one_connection_unless_it_followed(servers: list[DataServer]) -> None:
    """Its first command may follow: then all of it was done at the new primary."""
    client = connect(URL)
    sentinel = Named(servers[0])
    pool: Any = client.connection_pool
    pool._finder.sentinels = [sentinel]
    port_of(client)
    sentinel.server = servers[1]
    step = begin_step(client)
    assert port_of(client) == port_of(client) == servers[1].port
    assert step.commands.went_over_one(step.since)
    sentinel.server = servers[0]
    assert port_of(client) == servers[0].port
    assert not step.commands.went_over_one(step.since)
    client.close()


def test_a_connection_in_another_thread_follows_too(servers: list[DataServer]) -> None:
    """Each thread has a pool of its own."""
    client = connect(URL)
    sentinel = Named(servers[0])
    pool: Any = client.connection_pool
    pool._finder.sentinels = [sentinel]
    before, after = Barrier(2), Barrier(2)
    seen: list[int] = []

    def work() -> None:
        seen.append(port_of(client))
        before.wait(10)
        after.wait(10)
        seen.append(port_of(client))

    thread = Thread(target=work)
    thread.start()
    before.wait(10)
    sentinel.server = servers[1]
    after.wait(10)
    thread.join(10)
    assert seen == [servers[0].port, servers[1].port]
    client.close()


def test_web_follows(servers: list[DataServer]) -> None:
    """Its client, and its connection for appending."""

    async def followed() -> list[object]:
        redis = connect_async(URL)
        sentinel = NamedAsync(servers[0])
        pool: Any = redis.connection_pool
        pool.sentinel_manager.sentinels = [sentinel]
        script = ScriptConnection(redis, "return string.match(redis.call('INFO', 'server'), 'tcp_port:(%d+)')")
        seen: list[object] = [await script.run([], []), (await redis.config_get("port"))["port"]]
        sentinel.server = servers[1]
        seen += [await script.run([], []), (await redis.config_get("port"))["port"]]
        await script.close()
        await redis.aclose()
        return seen

    one, two = (str(server.port) for server in servers)
    assert asyncio.run(followed()) == [one, one, two, two]


def test_threads_that_wait_take_one_answer(servers: list[DataServer], monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred that reconnect at once don't ask a hundred times; each gets an error of its own where there is none."""
    finder: Any = PrimaryFinder([])
    sentinel = Named(servers[0])
    finder.sentinels = [sentinel]
    assert finder.discover_master("oracode") == ("127.0.0.1", servers[0].port)
    monkeypatch.setattr(shared.primary_finder, "_ASKED_EVERY", 60.0)
    assert finder.recent("oracode") == ("127.0.0.1", servers[0].port)
    assert sentinel.asked == 1
    sentinel.server = None
    with pytest.raises(MasterNotFoundError):
        finder.discover_master("oracode")
    with pytest.raises(MasterNotFoundError):
        finder.recent("oracode")
    assert sentinel.asked == 2
