"""A door that is booked twice, and residual access during the next guest's stay: told once, ended by itself."""

from datetime import timedelta

from redis import Redis

from shared.domain.alerting.alert import Alert
from shared.ledger.due_set import conflicts_item
from tests.sandbox.harness import Sandbox, in_days
from tests.support.server import DataServer
from tests.worker.machine import Machine

LATER = {"check_in": in_days(3, "15:45:00"), "check_out": in_days(6, "10:15:00")}
AFTER = timedelta(seconds=3)


def told(machine: Machine, problem: str, *booking_ids: str) -> list[Alert]:
    """Return the alerts of this kind that name all of these bookings."""
    return [
        alert
        for alert in machine.alerts.all()
        if alert.notice.problem == problem and all(name in alert.notice.subject for name in booking_ids)
    ]


def compare(machine: Machine) -> None:
    """Compare the bookings after the writes so far."""
    machine.clock.move(AFTER)
    machine.sweep()


def test_both_get_their_codes_and_people_are_told_once(machine: Machine, sandbox: Sandbox) -> None:
    """For any number of writes. It ends when one of them is cancelled."""
    device_id = sandbox.door()
    first = machine.book(device_id)
    second = machine.book(device_id, **LATER)
    names = first.booking_id, second.booking_id
    for booking in (first, second):
        machine.until(booking, "ready")
    compare(machine)
    (alert,) = told(machine, "double_booked", *names)
    assert alert.is_open
    assert (alert.sequence, alert.hit) == (1, 2)
    assert alert.notice.device_id == device_id
    for _ in range(2):
        machine.handlers.check_conflicts(device_id)
    machine.cancel(second)
    compare(machine)
    (alert,) = told(machine, "double_booked", *names)
    assert not alert.is_open


def test_a_cancelled_booking_s_code_is_residual_access_for_the_other_guest(machine: Machine, sandbox: Sandbox) -> None:
    """An Oracode code can't be taken back: after the double booking it is residual access until it ends."""
    device_id = sandbox.door()
    first, second = machine.book(device_id), machine.book(device_id, **LATER)
    for booking in (first, second):
        machine.until(booking, "ready")
    machine.cancel(first)
    compare(machine)
    (alert,) = told(machine, "residual_overlap", first.booking_id, second.booking_id)
    assert alert.is_open
    code = machine.ledger.get(first.booking_id).doors[0].residual[0]
    assert code.access_code_id in alert.notice.happened
    machine.clock.move(code.window.ends_at - machine.clock() + timedelta(seconds=1))
    machine.sweep()
    (alert,) = told(machine, "residual_overlap", first.booking_id, second.booking_id)
    assert not alert.is_open


def test_a_guest_who_was_moved_to_another_door(machine: Machine, sandbox: Sandbox) -> None:
    """The guest still has a code for the old door. The alert names the next guest of that door."""
    old, new = sandbox.door(), sandbox.door()
    moved = machine.until(machine.book(old), "ready")
    machine.update(moved, 1, new)
    follower = machine.book(old, **LATER)
    compare(machine)
    (alert,) = told(machine, "residual_overlap", moved.booking_id, follower.booking_id)
    assert "moved to another door" in alert.notice.happened


def test_a_kill_before_the_comparison_loses_nothing(machine: Machine, sandbox: Sandbox) -> None:
    """The write itself puts the door into the due-set; if the worker dies, it comes back after the lease."""
    device_id = sandbox.door()
    first, second = machine.book(device_id), machine.book(device_id, **LATER)
    machine.clock.move(AFTER)
    claimed = [item for item, _ in machine.handlers.due.claim(machine.clock(), 500)]
    assert conflicts_item(device_id) in claimed
    assert told(machine, "double_booked", first.booking_id, second.booking_id) == []
    machine.clock.move(timedelta(minutes=2))
    machine.sweep()
    assert len(told(machine, "double_booked", first.booking_id, second.booking_id)) == 1


def test_a_change_during_the_comparison_is_compared_again(machine: Machine, sandbox: Sandbox) -> None:
    """The comparison read older data: the door is due again at once, not when the next stay is over."""
    device_id = sandbox.door()
    first, second = machine.book(device_id), machine.book(device_id, **LATER)
    due, item = machine.handlers.due, conflicts_item(device_id)
    seen = due.time_of(item)
    machine.cancel(second)
    due.advance([item], machine.clock() - timedelta(seconds=1))
    assert not due.finish(item, machine.clock() + timedelta(days=1), seen=seen)
    machine.sweep()
    assert told(machine, "double_booked", first.booking_id, second.booking_id) == []
    assert due.finish(item, None, seen=due.time_of(item))
    assert due.time_of(item) == ""
    assert due.finish(item, machine.clock() + timedelta(days=1), seen="")


def test_a_door_without_stays_leaves_the_due_set(machine: Machine, sandbox: Sandbox) -> None:
    """No door is compared for ever; records of an older version are included in the next interval."""
    device_id = sandbox.door()
    machine.cancel(machine.until(machine.book(device_id), "ready"))
    compare(machine)
    assert machine.handlers.due.time_of(conflicts_item(device_id)) == ""
    machine.handlers.refresh_door.plan()
    assert machine.handlers.due.time_of(conflicts_item(device_id)) != ""


def test_it_can_be_turned_off(redis_client: Redis, data_server: DataServer, sandbox: Sandbox) -> None:
    """Dormitories are booked by the bed. Residual access is told nevertheless."""
    quiet = Machine(redis_client, data_server.url, sandbox, double_booking_alerts=False)
    device_id = sandbox.door()
    first, second = quiet.book(device_id), quiet.book(device_id, **LATER)
    compare(quiet)
    assert told(quiet, "double_booked", first.booking_id, second.booking_id) == []
