"""Stalled workers are replaced, and restarts under load lose no webhook: with real processes."""

import os
import random
import signal
from collections.abc import Iterator

import pytest
from celery import Celery

from shared.contracts import QUEUE
from tests.faults.load import WebhookLoad, fitting_stay, wait_for_all
from tests.faults.recovery import Killer
from tests.faults.stages import SETTINGS
from tests.faults.table import WITHIN
from tests.support.machine import Machine
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Run everything once."""
    running = Machine(tmp_path_factory.mktemp("restarts") / "data", SETTINGS)
    running.start()
    yield running
    running.stop()


def test_a_worker_that_takes_no_messages_is_replaced_in_time(machine: Machine) -> None:
    """It was told to take none: it still answers, but does no work. It ends itself, and the next one works."""
    stalled = machine.run()["pids"]["worker"]
    probe = Killer(machine, random.Random(1), {})._event_probe()
    app = Celery(broker=machine.run()["redis_url"], set_as_current=False)
    answers = app.control.cancel_consumer(QUEUE, reply=True)
    app.close()
    assert answers
    wait_until(lambda: machine.run()["pids"].get("worker") not in (stalled, None), within=WITHIN, what="another worker")
    wait_until(probe, within=WITHIN, what="work is done again")
    assert '"process.stalled"' in machine.logs()


def test_a_rolling_restart_under_load_loses_no_webhook(machine: Machine) -> None:
    """Each process is asked to end (SIGTERM) while webhooks come: every webhook gets a 202, and is recorded."""
    load = WebhookLoad(machine)
    load.start()
    try:
        for name in ("web", "worker", "web", "beat", "worker", "web"):
            pid = machine.run()["pids"][name]
            before = load.answers[202]
            os.kill(pid, signal.SIGTERM)
            wait_until(lambda: machine.run()["pids"].get(name) not in (pid, None), what=f"another {name}")  # noqa: B023
            wait_until(lambda: load.answers[202] > before + 50, what="webhooks are accepted")  # noqa: B023
    finally:
        load.stop()
    assert set(load.answers) == {202}
    assert load.answers[202] > 300
    assert wait_for_all(load, machine, within=30) == []


def test_a_worker_that_is_asked_to_end_finishes_its_work(machine: Machine) -> None:
    """A create that waits for Seam when SIGTERM comes is finished by that worker: one call, no doubt, one code."""
    door = machine.add_door(("16:00", "10:00"))
    slow = {"operation": "access_codes.create", "kind": "slow", "seconds": 1.5, "times": 1, "device_id": door}
    machine.seam("POST", "/sandbox/faults", slow)
    pid = machine.run()["pids"]["worker"]
    booking_id = machine.publish(device_ids=[door], **fitting_stay())
    wait_until(lambda: machine.booking(booking_id).get("state") == "creating", what="it is being made")
    os.kill(pid, signal.SIGTERM)
    machine.wait_for(booking_id, "ready")
    assert len(machine.codes(door)) == 1
    asked = machine.seam("GET", f"/sandbox/requests?device_id={door}&path=/access_codes/create")["requests"]
    assert len(asked) == 1
