"""`oracode bookings choose`: what would do and why the rest wouldn't, and the choice itself."""

import json

import pytest
from click.testing import CliRunner, Result

from shared.domain.booking.record import Booking
from tests.sandbox.harness import Sandbox
from tests.worker.machine import Machine
from worker.cli import oracode

SLOTS = [
    {"name": "Late", "check_in": "18:00", "check_out": "12:00", "user_level_id": "level-late"},
    {"name": "Day", "check_in": "07:00", "check_out": "19:00"},
    {"name": "Staff", "check_in": "06:00", "check_out": "22:00", "is_master": True},
]


@pytest.fixture
def stuck(machine: Machine, sandbox: Sandbox) -> Booking:
    """Return a booking, 15:45 to 10:15, that fits no slot of its door."""
    return machine.book(sandbox.door(slots=SLOTS))


def choose(*arguments: str) -> Result:
    """Run the command."""
    result = CliRunner().invoke(oracode, ["bookings", "choose", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_what_may_be_chosen_is_listed(stuck: Booking) -> None:
    """Each with its window and what that means; then the others, with the reason. Nothing is written."""
    shown = choose(stuck.booking_id)
    assert shown.exit_code == 0
    door, late, day, staff = shown.stdout.splitlines()
    assert stuck.doors[0].device_id in door
    assert late.startswith("  Late")
    assert "18:00 to" in late
    assert "opens 2 h 15 min after check-in, still opens 1 h 45 min after check-out" in late
    assert day.startswith("  Day")
    assert staff == "  Staff: can't be chosen: a master slot is never used"


def test_a_chosen_slot_becomes_a_code(stuck: Booking, machine: Machine) -> None:
    """The answer says what the code will be; the story says who chose. A repeat is told as one."""
    chosen = choose(stuck.booking_id, "Late", "--by", "ann")
    assert chosen.exit_code == 0
    assert "Late, " in chosen.stdout
    assert "opens 2 h 15 min after check-in" in chosen.stdout
    again = choose(stuck.booking_id, "Late", "--by", "bob")
    assert again.exit_code == 0
    assert "was chosen before" in again.stdout
    ready = machine.until(stuck, "ready")
    assert machine.creates(ready.doors[0].device_id) == 1
    story = CliRunner().invoke(oracode, ["bookings", "show", ready.booking_id]).stdout
    assert "slot “Late” was chosen by ann, " in story
    assert "ann chose the slot “Late”: a code from" in story
    shown = json.loads(CliRunner().invoke(oracode, ["bookings", "show", "--json", ready.booking_id]).stdout)
    (choice,) = shown["chosen_slots"]
    assert (choice["name"], choice["by"], choice["device_id"]) == ("Late", "ann", ready.doors[0].device_id)


def test_a_door_with_a_code_is_named(stuck: Booking, machine: Machine) -> None:
    """Without the name the answer is no; with it the code is another."""
    choose(stuck.booking_id, "Late")
    ready = machine.until(stuck, "ready")
    refused = choose(ready.booking_id, "Day")
    assert refused.exit_code == 1
    assert "name the door" in refused.stderr
    assert choose(ready.booking_id, "Day", "--door", ready.doors[0].device_id).exit_code == 0
    machine.sweep()
    after = machine.until(ready, "ready")
    assert after.doors[0].code is not None
    assert f"{after.doors[0].code.window.starts_at:%H:%M}" == "07:00"
    assert len(after.doors[0].residual) == 1


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("Staff",), "a master slot is never used; that can be chosen: “Late”, “Day”"),
        (("Nightly\x1b[2J",), "the door has no such slot"),
        (("Late", "--door", "d0000000-0000-0000-0000-000000000009"), "not on this door"),
    ],
    ids=["master", "unknown", "another door"],
)
def test_what_cannot_be_chosen_is_refused(
    stuck: Booking, machine: Machine, arguments: tuple[str, ...], why: str
) -> None:
    """At once, with the reason and exit code 1; nothing is written, and no terminal is garbled."""
    refused = choose(stuck.booking_id, *arguments)
    assert refused.exit_code == 1
    assert why in refused.stderr
    assert "\x1b" not in refused.stderr
    assert machine.ledger.get(stuck.booking_id) == stuck


def test_a_booking_that_is_over_or_unknown(stuck: Booking, machine: Machine) -> None:
    """There is nothing to choose for it."""
    machine.cancel(stuck)
    for arguments in ((stuck.booking_id,), (stuck.booking_id, "Late")):
        refused = choose(*arguments)
        assert refused.exit_code == 1
        assert "is cancelled" in refused.stderr
    assert choose("BK-gone", "Late").exit_code == 1


def test_a_door_without_any_slot_that_would_do(machine: Machine, sandbox: Sandbox) -> None:
    """Listed all the same, with the reasons; the answer is no."""
    booking = machine.book(sandbox.door(slots=SLOTS[2:]))
    shown = choose(booking.booking_id)
    assert shown.exit_code == 1
    assert "can't be chosen" in shown.stdout
