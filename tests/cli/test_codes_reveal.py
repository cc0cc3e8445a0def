"""`oracode codes reveal` of a booking on several doors."""

import json

from click.testing import CliRunner

from tests.sandbox.harness import Sandbox
from tests.worker.machine import Machine
from worker.cli import oracode


def test_doors_without_a_code_are_named(machine: Machine, sandbox: Sandbox) -> None:
    """The others' PINs are shown; exit 1, because not every door has one."""
    good, without_slots = sandbox.door(name="Front door"), sandbox.door(name="Back door", slots=[])
    booking = machine.book(good, without_slots)
    (code,) = machine.made(good)
    ran = CliRunner().invoke(oracode, ["codes", "reveal", booking.booking_id])
    assert ran.exit_code == 1
    assert code["pin"] in ran.stdout
    assert "No PIN for Back door: no_slots_configured." in ran.stderr
    assert "Front door" not in ran.stderr

    listed = CliRunner().invoke(oracode, ["codes", "reveal", booking.booking_id, "--json"])
    assert {(told := json.loads(line))["device_id"]: told["pin"] for line in listed.stdout.splitlines()} == {
        good: code["pin"],
        without_slots: None,
    }


def test_every_door_has_one(machine: Machine, sandbox: Sandbox) -> None:
    """Exit 0, and nothing on standard error."""
    booking = machine.until(machine.book(sandbox.door(), sandbox.door()), "ready")
    ran = CliRunner().invoke(oracode, ["codes", "reveal", booking.booking_id])
    assert (ran.exit_code, ran.stderr, len(ran.stdout.splitlines())) == (0, "", 2)
