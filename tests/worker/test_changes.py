"""Bookings that change: the same window makes nothing, another one a new code, and no code is ever forgotten."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.seam.errors import Refused
from tests.sandbox.harness import Sandbox, in_days
from tests.support.waiting import wait_until
from tests.worker.machine import Machine

LATER: dict[str, Any] = {"check_out": in_days(6, "10:15:00")}


def test_an_update_with_the_same_window_makes_nothing(machine: Machine, sandbox: Sandbox) -> None:
    """Another label, or times that the same slot serves: the code at hand goes on."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id), "ready")
    machine.until(machine.update(booking, 1, label="Renamed"), "ready")
    machine.until(machine.update(booking, 2, check_in=in_days(2, "16:30:00")), "ready")
    now_it = machine.ledger.get(booking.booking_id)
    assert (now_it.revision, now_it.doors[0].residual) == (2, ())
    assert (len(machine.made(device_id)), machine.creates(device_id)) == (1, 1)


def test_an_update_with_another_window_makes_a_new_code(machine: Machine, sandbox: Sandbox) -> None:
    """What can't be deleted is reported as residual access, until it ends."""
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


def test_a_change_that_fits_no_slot_keeps_the_old_code_in_sight(machine: Machine, sandbox: Sandbox) -> None:
    """The new stay waits; the code for the old one still opens the door, and is named."""
    device_id = sandbox.door()
    before = machine.until(machine.book(device_id), "ready")
    after = machine.update(before, 1, check_in=in_days(2, "03:00:00"))
    assert (after.state, after.reason) == ("waiting", "no_slot")
    assert after.residual_access_until is not None


def test_an_update_in_the_middle_of_a_create(machine: Machine, sandbox: Sandbox) -> None:
    """The code that was made for the old stay is found first, then the new stay gets its own."""
    device_id = sandbox.door()
    sandbox.fault("access_codes.create", "disconnect_after", device_id=device_id)
    booking = machine.book(device_id)
    assert booking.state == "creating"
    after = machine.until(machine.update(booking, 1, **LATER), "ready")
    assert len(machine.made(device_id)) == 2
    assert len(after.doors[0].residual) == 1
    assert machine.creates(device_id) == 2


def test_a_cancellation_before_the_code(machine: Machine, sandbox: Sandbox) -> None:
    """Nothing is made, and no residual access told."""
    device_id = sandbox.door(slots=[])
    booking = machine.book(device_id)
    cancelled = machine.cancel(booking)
    assert (cancelled.state, cancelled.residual_access_until) == ("cancelled", None)
    slots = [{"name": "Guest", "check_in": "16:00", "check_out": "10:00"}]
    sandbox.arrange("PATCH", f"/sandbox/devices/{device_id}", {"slots": slots})
    machine.handlers.advance_door(booking.booking_id, device_id)
    assert machine.made(device_id) == []


def test_a_cancellation_after_the_code(machine: Machine, sandbox: Sandbox) -> None:
    """Oracode codes can't be deleted, as a rule: who cancels is told until when the code opens the door."""
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
    """The code is found all the same, and told as residual access: the last word is the true one."""
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
    """The booking comes late, and stays dead."""
    device_id = sandbox.door()
    booking_id = machine.new_id()
    machine.apply(machine.publish(booking_id, [], kind="cancelled", revision=1))
    assert machine.apply(machine.publish(booking_id, [device_id], revision=0)) is None
    assert machine.ledger.get(booking_id).state == "cancelled"
    assert machine.made(device_id) == []


def test_a_cancelled_booking_can_be_booked_again(machine: Machine, sandbox: Sandbox) -> None:
    """A newer revision brings it back; two codes for one stay would be one too many."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id), "ready")
    machine.cancel(booking)
    machine.until(machine.update(booking, 1, device_id), "ready")
    assert len(machine.made(device_id)) == 1


def test_a_door_that_is_dropped_and_one_that_is_added(machine: Machine, sandbox: Sandbox) -> None:
    """The dropped one's code is residual access; the added one gets a code; the kept one is left alone."""
    kept, dropped, added = sandbox.door(), sandbox.door(), sandbox.door()
    booking = machine.until(machine.book(kept, dropped), "ready")
    after = machine.until(machine.update(booking, 1, kept, added), "ready")
    assert [len(machine.made(each)) for each in (kept, dropped, added)] == [1, 1, 1]
    assert after.door(dropped).state == "cancelled"
    assert after.residual_access_until is not None


def test_an_older_revision_changes_nothing(machine: Machine, sandbox: Sandbox) -> None:
    """Messages overtake each other; the highest revision stands."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id, revision=5), "ready")
    assert machine.apply(machine.publish(booking.booking_id, [device_id], revision=4, **LATER)) is None
    assert machine.ledger.get(booking.booking_id) == booking
    assert len(machine.made(device_id)) == 1


def test_a_code_that_may_be_extended_is_extended(machine: Machine, sandbox: Sandbox) -> None:
    """The guest keeps the PIN; no second code, no residual access."""
    device_id = sandbox.door(code_flags={"is_extendable": True})
    booking = machine.until(machine.book(device_id), "ready")
    after = machine.until(machine.update(booking, 1, **LATER), "ready")
    (code,) = machine.made(device_id)
    assert code["ends_at"].startswith(in_days(6, "10:00:00")[:16])
    assert (after.doors[0].residual, after.reason) == ((), "")


@pytest.mark.parametrize("kind", ["error_after", "disconnect_after", "error_before"])
def test_an_extension_whose_answer_never_came(machine: Machine, sandbox: Sandbox, kind: str) -> None:
    """It is looked at and asked again: one code, with the new window."""
    device_id = sandbox.door(code_flags={"is_extendable": True})
    booking = machine.until(machine.book(device_id), "ready")
    sandbox.fault("access_codes.update", kind, device_id=device_id)
    after = machine.until(machine.update(booking, 1, **LATER), "ready")
    assert len(machine.made(device_id)) == 1
    assert after.doors[0].code is not None
    assert after.doors[0].code.window.ends_at == datetime.fromisoformat(in_days(6, "10:00:00"))


@pytest.mark.parametrize("kind", [None, "error_after", "error_before"], ids=["well", "500 after", "500 before"])
def test_a_code_that_may_be_deleted_is_deleted(machine: Machine, sandbox: Sandbox, kind: str | None) -> None:
    """A cancellation then leaves no residual access."""
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


def test_a_deletion_that_fails_is_repeated_in_its_time(machine: Machine, sandbox: Sandbox) -> None:
    """Not again and again in the same moment: Seam counts what it is asked."""
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


def test_an_update_that_asks_for_nothing_new_leaves_a_ready_booking_ready(machine: Machine, sandbox: Sandbox) -> None:
    """It isn't issued again, and the booking system is told nothing."""
    booking = machine.until(machine.book(sandbox.door()), "ready")
    machine.until(machine.update(booking, 1, label="Renamed"), "ready")
    assert machine.outcome_types(booking.booking_id) == ["issued", "ready"]


def test_a_code_that_was_extended_keeps_its_arrival(machine: Machine, sandbox: Sandbox) -> None:
    """The check-in is known on the lock's clock after the change too."""
    device_id = sandbox.door(code_flags={"is_extendable": True})
    booking = machine.until(machine.book(device_id), "ready")
    after = machine.until(machine.update(booking, 1, **LATER), "ready")
    assert machine.creates(device_id) == 1
    assert after.doors[0].check_in == booking.doors[0].check_in
    assert after.doors[0].check_out == datetime.fromisoformat(in_days(6, "10:15:00"))


def test_a_refusal_meant_for_an_older_revision(machine: Machine, sandbox: Sandbox) -> None:
    """What a read for the old dates ended with says nothing about the new ones, which are planned at once."""
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
