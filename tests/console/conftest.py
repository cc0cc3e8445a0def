"""Fixtures: the running app of `console` on the tests' data server."""

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.console.console import Console, running, settings_for
from tests.sandbox.harness import Sandbox
from tests.support.server import DataServer
from tests.support.waiting import PATIENCE
from tests.worker.machine import Machine


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer for the worker than a person would: other tests keep the processors busy."""
    monkeypatch.setattr("receiver.console.commands._WAIT", 6.0 * PATIENCE)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Run a sandbox in memory whose codes move every 10 ms."""
    with Sandbox("--step", "0.01", "--retry-scale", "0.01") as running_sandbox:
        yield running_sandbox


@pytest.fixture
def machine(redis_client: Redis, data_server: DataServer, sandbox: Sandbox) -> Machine:
    """Return a worker without channels."""
    return Machine(redis_client, data_server.url, sandbox)


@pytest.fixture
def console(data_server: DataServer, redis_client: Redis) -> Iterator[Console]:
    """Run the app on an empty data server."""
    del redis_client
    with running(settings_for(data_server.url)) as it:
        yield it
