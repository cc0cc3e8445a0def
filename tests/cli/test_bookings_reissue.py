"""`oracode bookings reissue`: it says what it means, asks, and orders once."""

import pytest
from click.testing import CliRunner, Result

from shared.domain.booking.record import Booking
from tests.sandbox.harness import Sandbox
from tests.worker.machine import Machine
from worker.cli import oracode


@pytest.fixture
def ready(machine: Machine, sandbox: Sandbox) -> Booking:
    """Return a booking with a code that can't be deleted."""
    return machine.until(machine.book(sandbox.door()), "ready")


def reissue(*arguments: str, answer: str = "") -> Result:
    """Run the command, and answer its question."""
    result = CliRunner().invoke(oracode, ["bookings", "reissue", *arguments], input=answer)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_it_asks_first(ready: Booking, machine: Machine) -> None:
    """What stays open until when stands above the question; no is no."""
    asked = reissue(ready.booking_id, answer="n\n")
    assert asked.exit_code == 1
    assert "It can't be deleted" in asked.stdout
    assert "Make a new code?" in asked.output
    assert machine.ledger.get(ready.booking_id) == ready


def test_it_orders_once(ready: Booking, machine: Machine) -> None:
    """The worker makes the code; asked again before that, it is told."""
    done = reissue(ready.booking_id, "--by", "ann", "--reason", "card lost", answer="y\n")
    assert (done.exit_code, "A new code is made" in done.stdout) == (0, True)
    again = reissue(ready.booking_id, "--yes")
    assert again.exit_code == 1
    assert "there is no code for this door" in again.stderr
    after = machine.until(ready, "ready")
    assert machine.creates(after.doors[0].device_id) == 2
    story = CliRunner().invoke(oracode, ["bookings", "show", ready.booking_id]).stdout
    assert "ann asked for a new code" in story
    assert "card lost" in story


def test_a_door_that_isnt_the_bookings(ready: Booking) -> None:
    """Its doors are named."""
    refused = reissue(ready.booking_id, "--door", "d0000000-0000-0000-0000-000000000009", "--yes")
    assert refused.exit_code == 1
    assert ready.doors[0].device_id in refused.stderr
