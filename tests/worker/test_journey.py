"""A booking's way through the worker, with a real data server and a Seam stand-in."""

import json
from datetime import timedelta

from redis import Redis

from tests.sandbox.harness import Sandbox, in_days
from tests.shared.keys import everything_in
from tests.worker.machine import Machine


def test_a_booking_becomes_a_code_that_is_ready(machine: Machine, sandbox: Sandbox) -> None:
    """It is made at once with the slot's times, and read until Seam confirms it; each step is told once, in order."""
    device_id = sandbox.door(name="Room 101")
    booking = machine.book(device_id, label="Suite")
    assert booking.state in ("issued", "ready")

    ready = machine.until(booking, "ready")
    (code,) = sandbox.codes(device_id)
    assert code["name"] == f"{booking.booking_id} | Suite"
    assert (code["starts_at"][11:16], code["ends_at"][11:16]) == ("16:00", "10:00")
    assert ready.doors[0].code is not None
    assert ready.doors[0].code.access_code_id == code["access_code_id"]
    assert machine.outcome_types(booking.booking_id) == ["issued", "ready"]
    assert machine.creates(device_id) == 1


def test_no_pin_is_stored_anywhere(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """Seam returns the PIN with every look; nothing that is stored has it."""
    device_id = sandbox.door(pin_at_create=True)
    machine.until(machine.book(device_id), "ready")
    pin = sandbox.codes(device_id)[0]["code"]
    kept = everything_in(redis_client)
    assert len(kept) > 5
    assert not any(pin in text for text in kept.values())


def test_several_doors_are_one_booking(machine: Machine, sandbox: Sandbox) -> None:
    """Each has a code; the booking is ready when all are, and names the door that isn't."""
    good, bad = sandbox.door(), sandbox.door(slots=[])
    booking = machine.book(good, bad)
    assert (booking.state, booking.held_back_by, booking.reason) == ("waiting", bad, "no_slots_configured")
    assert len(machine.made(good)) == 1

    slots = [{"name": "Guest", "check_in": "16:00", "check_out": "10:00"}]
    sandbox.arrange("PATCH", f"/sandbox/devices/{bad}", {"slots": slots})
    ready = machine.until(booking, "ready")
    assert ready.reason == ""
    assert [len(machine.made(each)) for each in (good, bad)] == [1, 1]


def test_a_stay_without_a_slot_waits_until_one_is_there(machine: Machine, sandbox: Sandbox) -> None:
    """People are told once. When the installer adds a slot, the code is made, and the alert ends by itself."""
    device_id = sandbox.door(slots=[{"name": "Early", "check_in": "07:00", "check_out": "19:00"}])
    booking = machine.book(device_id)
    key = f"booking/{booking.booking_id}/no_slot/{device_id}"
    for _ in range(4):
        machine.clock.move(timedelta(seconds=11))
        machine.sweep()
    alert = machine.alerts.get(key)
    assert alert is not None
    assert (machine.ledger.get(booking.booking_id).state, alert.is_open, alert.sequence) == ("waiting", True, 1)
    assert machine.made(device_id) == []

    slots = [{"name": "Guest", "check_in": "16:00", "check_out": "10:00"}]
    sandbox.arrange("PATCH", f"/sandbox/devices/{device_id}", {"slots": slots})
    machine.until(booking, "ready", every=timedelta(seconds=11))
    resolved = machine.alerts.get(key)
    assert resolved is not None
    assert (resolved.is_open, resolved.sequence) == (False, 2)
    assert machine.outcome_types(booking.booking_id) == ["waiting", "issued", "ready"]


def test_a_code_is_made_when_its_lead_time_begins(machine: Machine, sandbox: Sandbox) -> None:
    """Not before: an Oracode code can't be taken back if the stay changes."""
    device_id = sandbox.door()
    times = {"check_in": in_days(20, "16:00:00"), "check_out": in_days(22, "10:00:00")}
    booking = machine.book(device_id, **times)
    assert (booking.state, booking.reason, machine.made(device_id)) == ("scheduled", "lead_time", [])

    due_at = booking.doors[0].due_at
    assert due_at is not None
    machine.clock.move(due_at - machine.clock() - timedelta(seconds=5))
    machine.sweep()
    assert machine.made(device_id) == []
    machine.clock.move(timedelta(seconds=10))
    machine.sweep()
    assert len(machine.made(device_id)) == 1


def test_a_door_that_seam_does_not_know_needs_a_person(machine: Machine, sandbox: Sandbox) -> None:
    """It has failed with its own reason; there is no code."""
    del sandbox
    booking = machine.book("d0000000-0000-0000-0000-000000000404")
    assert (booking.state, booking.reason) == ("failed", "device_not_found")
    assert machine.outcome_types(booking.booking_id) == ["failed"]


def test_a_door_that_takes_no_offline_codes_waits(machine: Machine, sandbox: Sandbox) -> None:
    """Seam may still enable them."""
    booking = machine.book(sandbox.door(offline_codes=False))
    assert (booking.state, booking.reason) == ("waiting", "offline_codes_unsupported")


def test_a_code_that_fails_at_the_lock_needs_a_person(machine: Machine, sandbox: Sandbox) -> None:
    """Seam's text is in the alert; the code is still read, and may recover."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id), "ready")
    code_id = machine.made(device_id)[0]["access_code_id"]
    simulate = {"simulate": "no_space"}
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", simulate)
    machine.handlers.advance_door(booking.booking_id, device_id, prompted=True)
    failed = machine.ledger.get(booking.booking_id)
    assert (failed.state, failed.reason) == ("failed", "code_problem")
    assert "no_space_for_access_code_on_device" in failed.doors[0].detail

    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", {"simulate": "set"})
    machine.until(booking, "ready", every=timedelta(minutes=30))
    assert machine.creates(device_id) == 1


def test_a_code_that_is_gone_needs_a_person(machine: Machine, sandbox: Sandbox) -> None:
    """It isn't made again without an order: the guest has the old PIN."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id), "ready")
    code_id = machine.made(device_id)[0]["access_code_id"]
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", {"simulate": "removed"})
    machine.handlers.advance_door(booking.booking_id, device_id, prompted=True)
    gone = machine.ledger.get(booking.booking_id)
    assert (gone.state, gone.reason, machine.creates(device_id)) == ("failed", "code_gone", 1)


def test_a_window_that_differs_is_told(machine: Machine, sandbox: Sandbox) -> None:
    """The code ends before check-out: it isn't what was asked for, and people are told."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id), "ready")
    code_id = machine.made(device_id)[0]["access_code_id"]
    shifted = {"simulate": "time_frame_changed", "ends_at": in_days(5, "09:00:00")}
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", shifted)
    machine.handlers.advance_door(booking.booking_id, device_id, prompted=True)
    odd = machine.ledger.get(booking.booking_id)
    assert (odd.state, odd.reason) == ("issued", "window_differs")
    assert "09:00" in odd.doors[0].detail


def test_a_stay_ends(machine: Machine, sandbox: Sandbox) -> None:
    """After check-out only the erasure is due; that is told."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id), "ready")
    machine.clock.move(timedelta(days=6))
    machine.sweep()
    assert machine.ledger.get(booking.booking_id).state == "ended"
    assert machine.outcome_types(booking.booking_id) == ["issued", "ready", "ended"]
    machine.clock.move(timedelta(seconds=3))
    machine.sweep()
    assert machine.handlers.due.count(machine.clock()) == (0, 1)


def test_a_stay_that_is_long_over_is_forgotten(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """Its label is erased, and the events of its code; its story is kept for as long again."""
    booking = machine.until(machine.book(sandbox.door(), label="Anna Example"), "ready")
    code = booking.doors[0].code
    assert code is not None
    event = {"event_id": "e", "event_type": "access_code.name_changed", "access_code_id": code.access_code_id}
    machine.handlers.record_events([str(redis_client.xadd("seam-events", {"event": json.dumps(event)}))])
    machine.clock.move(timedelta(days=6))
    machine.sweep()
    assert machine.ledger.get(booking.booking_id).label == "Anna Example"
    machine.clock.move(timedelta(days=91))
    machine.sweep()
    after = machine.ledger.get(booking.booking_id)
    assert (after.label, after.is_forgotten, after.state) == (None, True, "ended")
    assert machine.handlers.due.count(machine.clock()) == (0, 0)
    told = [entry.what for entry in machine.ledger.history(booking.booking_id)]
    assert told[-1] == "booking.forgotten"
    assert "access_code.name_changed" not in told
    # A late repeat of a message doesn't change that.
    machine.apply(machine.publish(booking.booking_id, [booking.doors[0].device_id], kind="updated"))
    assert machine.ledger.get(booking.booking_id).is_forgotten
