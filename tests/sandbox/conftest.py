"""Fixtures: one sandbox for all tests that need nothing special of it, and a webhook receiver."""

from collections.abc import Iterator

import pytest

from tests.sandbox.harness import Receiver, Sandbox


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    """Run a sandbox in memory whose codes move every 20 ms."""
    with Sandbox("--step", "0.02", "--retry-scale", "0.01") as running:
        yield running


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    """Lend the shared sandbox, with nothing wrong in it before and after."""
    yield shared_sandbox
    shared_sandbox.arrange("DELETE", "/sandbox/faults")
    shared_sandbox.arrange("POST", "/sandbox/outage", {"on": False})
    shared_sandbox.arrange("POST", "/sandbox/delivery", {})


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Run a webhook endpoint."""
    listening = Receiver()
    yield listening
    listening.close()
