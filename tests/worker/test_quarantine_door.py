"""Work that kills its workers is left alone for a while and told; it ends by itself when it succeeds."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from shared import redis_keys
from shared.contracts import ADVANCE_DOOR, SWEEP_DUE
from shared.domain.booking.record import Booking
from shared.ledger.due_set import door_item, periodic_job_item
from tests.sandbox.harness import Sandbox
from tests.worker.machine import Machine
from tests.worker.task_table import TaskTable
from worker.handlers.advance_door import AdvanceDoor
from worker.tasks import MOST_STARTS


class Killed(Exception):
    """Stands in for the end of a worker."""


@pytest.fixture
def booking(machine: Machine, sandbox: Sandbox) -> Booking:
    """Return a booking with a door that is still to be worked on."""
    applied = machine.handlers.apply_booking(machine.publish(machine.new_id(), [sandbox.door()]))
    assert applied is not None
    return applied


def sweep(machine: Machine, worker: TaskTable, times: int) -> None:
    """Sweep so often, each time after all leases have ended."""
    for _ in range(times):
        machine.clock.move(timedelta(hours=2))
        worker.do(SWEEP_DUE, is_beat=False)


def is_told(machine: Machine, booking: Booking) -> bool:
    """Whether people were told that work on its door fails."""
    return machine.alerts.get(f"booking/{booking.booking_id}/internal_error/{booking.doors[0].key}") is not None


def test_a_door_that_kills_its_worker_is_put_aside(
    machine: Machine, booking: Booking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its work was begun and not ended four times in a row."""
    worker = TaskTable(machine)
    send = worker.send_task

    def send_to_its_end(name: str, args: Any = (), kwargs: Any = None) -> None:
        with suppress(Killed):
            send(name, args, kwargs)

    def kill(*_: Any, **__: Any) -> None:
        raise Killed

    monkeypatch.setattr(worker, "send_task", send_to_its_end)
    monkeypatch.setattr(AdvanceDoor, "__call__", kill)
    sweep(machine, worker, MOST_STARTS)
    assert not is_told(machine, booking)
    sweep(machine, worker, 1)
    assert is_told(machine, booking)


def test_a_door_that_is_late_is_not_put_aside(
    machine: Machine, booking: Booking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tasks are lost with the broker, or wait in a long queue: its work was never begun."""
    worker = TaskTable(machine)
    advance = worker.tasks[ADVANCE_DOOR]
    monkeypatch.setitem(worker.tasks, ADVANCE_DOOR, lambda *_, **__: None)
    sweep(machine, worker, 3 * MOST_STARTS)
    assert not is_told(machine, booking)
    monkeypatch.setitem(worker.tasks, ADVANCE_DOOR, advance)
    sweep(machine, worker, 1)
    assert machine.creates(booking.doors[0].device_id) == 1


def test_a_door_that_kills_is_told_and_tried_again_later(machine: Machine, sandbox: Sandbox) -> None:
    """Only its record is written; the alert ends with the next success."""
    device_id = sandbox.door()
    booking = machine.handlers.apply_booking(machine.publish(machine.new_id(), [device_id]))
    assert booking is not None
    machine.handlers.quarantine(door_item(booking.booking_id, device_id), 5)
    alert = machine.alerts.get(f"booking/{booking.booking_id}/internal_error/{device_id}")
    assert alert is not None
    assert alert.is_open
    assert machine.creates(device_id) == 0
    machine.sweep()
    assert machine.creates(device_id) == 0
    machine.clock.move(timedelta(minutes=11))
    machine.sweep()
    machine.until(booking, "ready")
    alert = machine.alerts.get(alert.notice.key)
    assert alert is not None
    assert not alert.is_open


def test_a_missing_or_unreadable_booking_stops_no_sweep(machine: Machine, redis_client: Redis) -> None:
    """An unknown booking leaves the due-set; a record that can't be read is logged."""
    machine.handlers.due.set([(door_item("BK-404", "d"), machine.clock())])
    machine.handlers.quarantine(door_item("BK-404", "d"), 5)
    assert machine.handlers.due.claim(machine.clock(), 10) == []
    redis_client.hset(redis_keys.booking_record("BK-odd"), mapping={"version": 1, "record": "{}"})
    machine.handlers.quarantine(door_item("BK-odd", "d"), 5)
    machine.handlers.quarantine(periodic_job_item("reconcile"), 5)
