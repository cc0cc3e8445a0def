"""Every call of a worker to Seam is counted, with any result."""

from collections.abc import Mapping
from datetime import timedelta

from redis import Redis

from shared.ledger.seam_call_counts import CallCounts, SeamCallCounts
from tests.sandbox.harness import Sandbox
from tests.worker.machine import Machine


def test_calls_of_a_worker_are_counted(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """By path; failures by their kind, with the latest one."""
    calls = SeamCallCounts(redis_client, machine.clock)

    def counted() -> Mapping[str, CallCounts]:
        return {each.path: each for each in calls.since(machine.clock() - timedelta(hours=1))}

    machine.until(machine.book(sandbox.door()), "ready")
    assert calls.last_failure() is None
    sandbox.arrange("POST", "/sandbox/outage", {"on": True})
    machine.book(sandbox.door())
    assert counted()["/access_codes/create"].calls == 1
    assert {path: each.failures for path, each in counted().items() if each.failures} == {
        "/devices/get": {"Unreachable": 1}
    }
    last = calls.last_failure()
    assert last is not None
    assert (last.path, last.kind) == ("/devices/get", "Unreachable")
