"""Fixtures: a Seam stand-in with codes that are set quickly, a worker on it, and a channel for alerts."""

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.sandbox.harness import Sandbox
from tests.support.server import DataServer
from tests.worker.alert_stage import Channel, Stage
from tests.worker.machine import Machine
from tests.worker.seam_proxy import SeamProxy, before


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    """Run a sandbox in memory with codes that move every 10 ms."""
    with Sandbox("--step", "0.01", "--retry-scale", "0.01") as running:
        yield running


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    """Lend the shared sandbox; before and after, no faults are set."""
    yield shared_sandbox
    shared_sandbox.arrange("DELETE", "/sandbox/faults")
    shared_sandbox.arrange("DELETE", "/alerts")
    shared_sandbox.arrange("POST", "/sandbox/outage", {"on": False})
    shared_sandbox.arrange("POST", "/sandbox/settings", {"latency_seconds": 0, "step_seconds": 0.01})


@pytest.fixture
def proxy(sandbox: Sandbox) -> Iterator[SeamProxy]:
    """Run a proxy in front of the sandbox."""
    with before(sandbox.url) as running:
        yield running


@pytest.fixture
def machine(redis_client: Redis, data_server: DataServer, sandbox: Sandbox) -> Machine:
    """Return a worker without channels."""
    return Machine(redis_client, data_server.url, sandbox)


@pytest.fixture
def channel() -> Channel:
    """Return a channel that records its messages."""
    return Channel("a")


@pytest.fixture
def stage(redis_client: Redis, channel: Channel) -> Stage:
    """Return a ledger and a worker of alerts with that channel."""
    return Stage(redis_client, [channel])
