"""Work that kills its workers is left alone for a while and told; it ends by itself when it succeeds."""

from datetime import timedelta

from redis import Redis

from shared import redis_keys
from shared.ledger.due_set import door_item, periodic_job_item
from tests.sandbox.harness import Sandbox
from tests.worker.machine import Machine


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
