"""Seam allows ten creates a minute for a door: the eleventh is due later, the nearest arrival first."""

from datetime import timedelta
from functools import partial

from redis import Redis

from tests.sandbox.harness import Sandbox, in_days
from tests.support.server import DataServer
from tests.worker.machine import Machine, at_once


def test_twelve_bookings_on_one_door(machine: Machine, sandbox: Sandbox) -> None:
    """Ten are made now, two are scheduled; Seam never has to refuse one."""
    device_id = sandbox.door()
    booked = [machine.book(device_id) for _ in range(12)]
    later = [booking for booking in booked if booking.state == "scheduled"]
    assert (len(machine.made(device_id)), len(later)) == (10, 2)
    for booking in later:
        due_at = booking.doors[0].due_at
        assert booking.reason == "door_budget"
        assert due_at is not None
        assert timedelta(0) < due_at - machine.clock() <= timedelta(seconds=61)
    assert not any(request["status"] == 429 for request in _asked(sandbox, device_id))

    # Seam's minute passes in real time. The test moves our clock only, and turns Seam's limit off.
    sandbox.arrange("POST", "/sandbox/settings", {"rate_limits": False})
    for booking in later:
        machine.until(booking, "ready")
    sandbox.arrange("POST", "/sandbox/settings", {"rate_limits": True})
    assert len(machine.made(device_id)) == 12


def test_doors_do_not_share_their_budgets(machine: Machine, sandbox: Sandbox) -> None:
    """A busy door delays no other."""
    busy, other = sandbox.door(), sandbox.door()
    for _ in range(11):
        machine.book(busy)
    assert machine.book(other).state in ("issued", "ready")


def test_the_nearest_arrival_goes_first(machine: Machine, sandbox: Sandbox) -> None:
    """Of the waiting codes, the one with the earliest check-in is made first, whenever it was booked."""
    device_id = sandbox.door()
    for _ in range(10):
        machine.book(device_id)
    far = machine.book(device_id, check_in=in_days(8, "16:00:00"), check_out=in_days(9, "10:00:00"))
    near = machine.book(device_id, check_in=in_days(1, "16:00:00"), check_out=in_days(3, "10:00:00"))
    assert (far.reason, near.reason) == ("door_budget", "door_budget")
    assert near.doors[0].due_at is not None
    assert far.doors[0].due_at is not None
    assert near.doors[0].due_at <= far.doors[0].due_at + timedelta(seconds=1)


def test_a_full_lock_gets_no_more_codes_than_it_holds(
    machine: Machine, sandbox: Sandbox, data_server: DataServer, redis_client: Redis
) -> None:
    """Also if bookings come at the same moment: the nearest arrivals get the places; that others wait is told."""
    device_id = sandbox.door(max_active_codes=3)
    sandbox.arrange("POST", "/sandbox/settings", {"latency_seconds": 0.2})
    machines = [Machine(redis_client, data_server.url, sandbox) for _ in range(6)]
    entries = [
        machine.publish(
            machine.new_id(),
            [device_id],
            check_in=in_days(2 + number, "15:45:00"),
            check_out=in_days(9, "10:15:00"),
        )
        for number in reversed(range(6))
    ]
    at_once(*(partial(one.apply, entry) for one, entry in zip(machines, entries, strict=True)))
    sandbox.arrange("POST", "/sandbox/settings", {"latency_seconds": 0})
    # One that collided with others too often is left to its lease, and swept after it.
    for _ in range(30):
        machine.clock.move(timedelta(seconds=6))
        machine.sweep()
    # The nearest arrival was published last. A door that wasn't read yet has no check-in to sort by.
    bookings = sorted(machine.ledger.of_door(device_id), key=lambda it: -int(it.booking_id.rpartition("-")[2]))
    assert len(machine.made(device_id)) == 3
    assert not any(code["errors"] for code in machine.made(device_id))
    assert [each.doors[0].code is not None for each in bookings] == [True] * 3 + [False] * 3
    assert {each.reason for each in bookings[3:]} == {"door_full"}
    alert = machine.alerts.get(f"door/{device_id}/nearly_full")
    assert alert is not None
    assert alert.is_open


def _asked(sandbox: Sandbox, device_id: str) -> list[dict[str, int]]:
    found: list[dict[str, int]] = sandbox.look("/sandbox/requests", device_id=device_id)["requests"]
    return found
