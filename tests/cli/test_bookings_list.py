"""`oracode bookings list`: all bookings, or those in one state."""

import json

import pytest
from click.testing import CliRunner

from shared.domain.booking.record import State
from tests.sandbox.harness import Sandbox
from tests.worker.machine import Machine
from worker.cli import oracode


@pytest.mark.parametrize("state", State)
def test_each_state_can_be_asked_for(machine: Machine, sandbox: Sandbox, state: State) -> None:
    """By the name that the list itself shows; and only those are listed."""
    booking = machine.book(sandbox.door(slots=[{"name": "Late", "check_in": "18:00", "check_out": "12:00"}]))
    listed = CliRunner().invoke(oracode, ["bookings", "list", "--json", "--state", state.value])
    assert listed.exit_code == 0, listed.output
    found = [json.loads(line)["booking_id"] for line in listed.stdout.splitlines()]
    assert found == ([booking.booking_id] if booking.state is state else [])
