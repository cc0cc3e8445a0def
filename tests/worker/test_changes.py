"""Bookings that change: the same window needs no new code, another window does, and no code is ever forgotten."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.seam.errors import Refused
from tests.sandbox.harness import Sandbox, in_days
from tests.support.waiting import wait_until
from tests.worker.machine import Machine

LATER: dict[str, Any] = {"check_out": in_days(6, "10:15:00")}


def test_an_update_with_the_same_window_makes_no_code(machine: Machine, sandbox: Sandbox) -> None:
    """Another label, or times that the same slot serves: the code stays."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id), "ready")
    machine.until(machine.update(booking, 1, label="Renamed"), "ready")
    machine.until(machine.update(booking, 2, check_in=in_days(2, "16:30:00")), "ready")
    now_it = machine.ledger.get(booking.booking_id)
    assert (now_it.revision, now_it.doors[0].residual) == (2, ())
    assert (len(machine.made(device_id)), machine.creates(device_id)) == (1, 1)


def test_an_update_with_another_window_makes_a_new_code(machine: Machine, sandbox: Sandbox) -> None:
    """A code that can't be deleted is reported as residual access until it ends."""
    device_id = sandbox.door()
    before = machine.until(machine.book(device_id), "ready")
    after = machine.until(machine.update(before, 1, **LATER), "ready")

    assert len(machine.made(device_id)) == 2
    old, new = before.doors[0].code, after.doors[0].code
    assert old is not None
    assert new is not None
    assert after.doors[0].residual == (old,)
    assert after.residual_access_until == old.window.ends_at
    assert new.window.ends_at == datetime.fromisoformat(in_days(6, "10:00:00"))


def test_a_change_that_fits_no_slot_still_reports_the_old_code(machine: Machine, sandbox: Sandbox) -> None:
    """The new stay waits; the old stay's code still opens the door, and is named."""
    device_id = sandbox.door()
    before = machine.until(machine.book(device_id), "ready")
    after = machine.update(before, 1, check_in=in_days(2, "03:00:00"))
    assert (after.state, after.reason) == ("waiting", "no_slot")
    assert after.residual_access_until is not None


def test_an_update_in_the_middle_of_a_create(machine: Machine, sandbox: Sandbox) -> None:
    """The code of the old stay is found first; then the new stay gets its own."""
    device_id = sandbox.door()
    sandbox.fault("access_codes.create", "disconnect_after", device_id=device_id)
    booking = machine.book(device_id)
    assert booking.state == "creating"
    after = machine.until(machine.update(booking, 1, **LATER), "ready")
    assert len(machine.made(device_id)) == 2
    assert len(after.doors[0].residual) == 1
    assert machine.creates(device_id) == 2


def test_a_cancellation_before_the_code(machine: Machine, sandbox: Sandbox) -> None:
    """Nothing is made, and no residual access is told."""
    device_id = sandbox.door(slots=[])
    booking = machine.book(device_id)
    cancelled = machine.cancel(booking)
    assert (cancelled.state, cancelled.residual_access_until) == ("cancelled", None)
    slots = [{"name": "Guest", "check_in": "16:00", "check_out": "10:00"}]
    sandbox.arrange("PATCH", f"/sandbox/devices/{device_id}", {"slots": slots})
    machine.handlers.advance_door(booking.booking_id, device_id)
    assert machine.made(device_id) == []


def test_a_cancellation_after_the_code(machine: Machine, sandbox: Sandbox) -> None:
    """Oracode codes can't be deleted, as a rule: people are told until when the code opens the door."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id), "ready")
    cancelled = machine.cancel(booking)
    assert booking.doors[0].code is not None
    ends_at = booking.doors[0].code.window.ends_at
    assert (cancelled.state, cancelled.residual_access_until) == ("cancelled", ends_at)
    outcome = machine.outcomes(booking.booking_id)[-1]
    assert outcome["type"] == "access-code.cancelled"
    assert datetime.fromisoformat(outcome["data"]["residual_access_until"]) == ends_at


def test_a_cancellation_in_the_middle_of_a_create(machine: Machine, sandbox: Sandbox) -> None:
    """The code is found nevertheless, and told as residual access: the last outcome is the true one."""
    device_id = sandbox.door()
    sandbox.fault("access_codes.create", "disconnect_after", device_id=device_id)
    booking = machine.book(device_id)
    assert booking.state == "creating"
    machine.cancel(booking)
    for _ in range(10):
        machine.clock.move(timedelta(seconds=5))
        machine.sweep()
    now_it = machine.ledger.get(booking.booking_id)
    assert now_it.state == "cancelled"
    assert now_it.residual_access_until is not None
    assert machine.outcomes(booking.booking_id)[-1]["data"]["residual_access_until"] is not None


def test_a_cancellation_before_its_booking(machine: Machine, sandbox: Sandbox) -> None:
    """The booking comes later, and stays cancelled."""
    device_id = sandbox.door()
    booking_id = machine.new_id()
    machine.apply(machine.publish(booking_id, [], kind="cancelled", revision=1))
    assert machine.apply(machine.publish(booking_id, [device_id], revision=0)) is None
    assert machine.ledger.get(booking_id).state == "cancelled"
    assert machine.made(device_id) == []


def test_a_cancelled_booking_can_be_booked_again(machine: Machine, sandbox: Sandbox) -> None:
    """A newer revision does it; the stay must not get a second code."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id), "ready")
    machine.cancel(booking)
    machine.until(machine.update(booking, 1, device_id), "ready")
    assert len(machine.made(device_id)) == 1


def test_a_door_that_is_dropped_and_one_that_is_added(machine: Machine, sandbox: Sandbox) -> None:
    """The dropped door's code is residual access, the added door gets a code, the kept door isn't changed."""
    kept, dropped, added = sandbox.door(), sandbox.door(), sandbox.door()
    booking = machine.until(machine.book(kept, dropped), "ready")
    after = machine.until(machine.update(booking, 1, kept, added), "ready")
    assert [len(machine.made(each)) for each in (kept, dropped, added)] == [1, 1, 1]
    assert after.door(dropped).state == "cancelled"
    assert after.residual_access_until is not None


def test_an_older_revision_changes_nothing(machine: Machine, sandbox: Sandbox) -> None:
    """Messages may come in the wrong order; the highest revision counts."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id, revision=5), "ready")
    assert machine.apply(machine.publish(booking.booking_id, [device_id], revision=4, **LATER)) is None
    assert machine.ledger.get(booking.booking_id) == booking
    assert len(machine.made(device_id)) == 1


def test_a_code_that_may_be_extended_is_extended(machine: Machine, sandbox: Sandbox) -> None:
    """The guest keeps the PIN; there is no second code and no residual access."""
    device_id = sandbox.door(code_flags={"is_extendable": True})
    booking = machine.until(machine.book(device_id), "ready")
    after = machine.until(machine.update(booking, 1, **LATER), "ready")
    (code,) = machine.made(device_id)
    assert code["ends_at"].startswith(in_days(6, "10:00:00")[:16])
    assert (after.doors[0].residual, after.reason) == ((), "")


@pytest.mark.parametrize("kind", ["error_after", "disconnect_after", "error_before"])
def test_an_extension_without_an_answer(machine: Machine, sandbox: Sandbox, kind: str) -> None:
    """Seam is read, and asked again: one code, with the new window."""
    device_id = sandbox.door(code_flags={"is_extendable": True})
    booking = machine.until(machine.book(device_id), "ready")
    sandbox.fault("access_codes.update", kind, device_id=device_id)
    after = machine.until(machine.update(booking, 1, **LATER), "ready")
    assert len(machine.made(device_id)) == 1
    assert after.doors[0].code is not None
    assert after.doors[0].code.window.ends_at == datetime.fromisoformat(in_days(6, "10:00:00"))


@pytest.mark.parametrize("kind", [None, "error_after", "error_before"], ids=["well", "500 after", "500 before"])
def test_a_code_that_may_be_deleted_is_deleted(machine: Machine, sandbox: Sandbox, kind: str | None) -> None:
    """After a cancellation there is no residual access."""
    device_id = sandbox.door(code_flags={"is_cancellable": True})
    booking = machine.until(machine.book(device_id), "ready")
    if kind is not None:
        sandbox.fault("access_codes.delete", kind, device_id=device_id)
    machine.cancel(booking)
    for _ in range(4):
        machine.clock.move(timedelta(seconds=5))
        machine.sweep()
    now_it = machine.ledger.get(booking.booking_id)
    assert (now_it.state, now_it.residual_access_until) == ("cancelled", None)
    wait_until(lambda: sandbox.codes(device_id) == [])


def test_a_failed_deletion_is_repeated_later(machine: Machine, sandbox: Sandbox) -> None:
    """Not several times at once: Seam limits calls."""
    device_id = sandbox.door(code_flags={"is_cancellable": True})
    booking = machine.until(machine.book(device_id), "ready")
    sandbox.fault("access_codes.delete", "error_before", device_id=device_id, times=3)
    machine.cancel(booking)
    asked = sandbox.look("/sandbox/requests", device_id=device_id, path="/access_codes/delete")["requests"]
    assert len(asked) == 1
    for _ in range(6):
        machine.clock.move(timedelta(seconds=10))
        machine.sweep()
    assert machine.ledger.get(booking.booking_id).residual_access_until is None


def test_an_update_that_changes_nothing_leaves_a_booking_ready(machine: Machine, sandbox: Sandbox) -> None:
    """No new code is issued, and the booking system is told nothing."""
    booking = machine.until(machine.book(sandbox.door()), "ready")
    machine.until(machine.update(booking, 1, label="Renamed"), "ready")
    assert machine.outcome_types(booking.booking_id) == ["issued", "ready"]


def test_a_code_that_was_extended_keeps_its_arrival(machine: Machine, sandbox: Sandbox) -> None:
    """Also after the change, the check-in is known on the lock's clock."""
    device_id = sandbox.door(code_flags={"is_extendable": True})
    booking = machine.until(machine.book(device_id), "ready")
    after = machine.until(machine.update(booking, 1, **LATER), "ready")
    assert machine.creates(device_id) == 1
    assert after.doors[0].check_in == booking.doors[0].check_in
    assert after.doors[0].check_out == datetime.fromisoformat(in_days(6, "10:15:00"))


def test_a_refusal_for_an_older_revision(machine: Machine, sandbox: Sandbox) -> None:
    """The result of a read for the old dates says nothing about the new ones, which are planned at once."""
    door = sandbox.door()
    tried = machine.book(door, check_in=in_days(30, "15:45:00"), check_out=in_days(33, "10:15:00"))
    applied = machine.handlers.apply_booking(
        machine.publish(tried.booking_id, [door], kind="updated", revision=tried.revision + 1)
    )
    assert applied is not None
    refused = Refused("no such door", status=404, error_type="device_not_found")
    after = machine.handlers.advance_door._after_failure(tried, door, refused)
    assert (after.doors[0].state, after.doors[0].due_at) == (applied.doors[0].state, applied.doors[0].due_at)
    machine.sweep()
    assert machine.until(after, "ready").revision == tried.revision + 1
