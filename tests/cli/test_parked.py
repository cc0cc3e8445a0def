"""What the command line tells of parked and refused messages: what each is, and what is so for now."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner, Result

from shared.clock import system_clock
from shared.domain.booking.record import Booking
from shared.domain.messages.message import InvalidMessage, Problem
from shared.domain.messages.parse import parse_booking_message
from shared.domain.messages.refused import refused_message
from shared.ops_commands import REPLAY, OpsCommand
from shared.refused_messages import RefusedMessages
from shared.replay_results import ReplayResults
from tests.sandbox.harness import Sandbox, in_days
from tests.worker.machine import Machine, meanwhile
from worker.cli import oracode


@pytest.fixture
def booking(machine: Machine, sandbox: Sandbox) -> Booking:
    """Return a booking with a code, whose cancellation is parked: it comes from another source."""
    booking = machine.until(machine.book(sandbox.door()), "ready")
    other = {"type": "booking.cancelled", "id": "1", "source": "/other", "data": {"booking_id": booking.booking_id}}
    assert machine.apply(machine.append(json.dumps(other))) is None
    return booking


def run(*arguments: str) -> Result:
    """Run `oracode …`."""
    result = CliRunner().invoke(oracode, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_a_parked_cancellation_is_told_wherever_its_booking_is(machine: Machine, booking: Booking) -> None:
    """As what it is, and that the code stays valid: never that no code is made."""
    (entry,) = machine.parked.list()
    assert entry.parked.kind == "cancellation"
    assert "cancellation" in run("parked", "list").stdout
    shown = run("bookings", "show", booking.booking_id).stdout
    assert f"A cancellation of {booking.booking_id} is parked" in shown
    assert "the code stays valid" in shown
    arrivals = run("arrivals", "--hours", "72")
    assert arrivals.exit_code == 1
    assert f"A cancellation of {booking.booking_id} is parked" in arrivals.stdout
    told = [json.loads(line) for line in run("arrivals", "--hours", "72", "--json").stdout.splitlines()]
    (parked,) = [each for each in told if "parked_id" in each]
    assert (parked["reason"], parked["kind"]) == ("cancellation_parked", "cancellation")
    assert parked["check_in"]
    assert not any("no code is made" in text for text in (shown, arrivals.stdout))


def test_a_parked_message_is_shown_by_its_booking_too(machine: Machine, booking: Booking) -> None:
    """Without any id the command says which there are."""
    (entry,) = machine.parked.list()
    assert entry.parked_id in run("parked", "show", booking.booking_id).stdout
    without = run("parked", "show")
    assert without.exit_code == 2
    assert f"{entry.parked_id}  cancellation  {booking.booking_id}" in without.stderr
    assert run("parked", "show", "BK-NONE").exit_code == 1
    assert json.loads(run("parked", "list", "--json").stdout)["kind"] == "cancellation"


@pytest.mark.parametrize("is_known", [True, False])
def test_a_refused_message_is_shown_with_its_booking(machine: Machine, sandbox: Sandbox, *, is_known: bool) -> None:
    """Whether the ledger has the booking or not; and in the doctor's list."""
    booking_id = machine.new_id()
    if is_known:
        machine.book(sandbox.door(), booking_id=booking_id)
    text = json.dumps({"booking_id": booking_id, "device_ids": [sandbox.door()], "check_in": "tomorrow"})
    with pytest.raises(InvalidMessage) as invalid:
        parse_booking_message(text)
    RefusedMessages(machine.redis).keep(refused_message(text, invalid.value.problems), system_clock())
    result = run("bookings", "show", booking_id)
    assert result.exit_code == (0 if is_known else 1)
    assert f"A message for {booking_id} was refused at" in result.stdout
    assert "check_in: … is neither a time nor a date" in result.stdout
    findings = [json.loads(line) for line in run("doctor", "--json").stdout.splitlines()]
    assert any(found["subject"] == "refused booking" and booking_id in found["text"] for found in findings)


def test_a_refused_booking_of_tonight_is_an_arrival_at_risk(machine: Machine) -> None:
    """Among the arrivals, and first of all that the doctor has to say of refusals, however many came later."""
    now = system_clock()
    refused = RefusedMessages(machine.redis)
    for number, hours in enumerate((5, *range(200, 215))):
        text = json.dumps({"booking_id": f"BK-{number}", "check_in": (now + timedelta(hours=hours)).isoformat()})
        problem = Problem("unit", "'Villa 7' is not in the doors file", "add it")
        refused.keep(refused_message(text, [problem]), now + timedelta(seconds=number))
    result = run("arrivals")
    assert result.exit_code == 1
    assert "Nobody arrives" not in result.stdout
    assert f"{now + timedelta(hours=5):%Y-%m-%d %H:%M} UTC, at risk: A message for BK-0 was refused at" in result.stdout
    assert "1 in the next 48 hours: 0 ready, 0 on its way, 1 at risk." in result.stdout
    (told,) = [json.loads(line) for line in run("arrivals", "--json").stdout.splitlines()]
    assert (told["booking_id"], told["reason"], told["parked_id"]) == ("BK-0", "booking_refused", None)
    findings = [json.loads(line) for line in run("doctor", "--json").stdout.splitlines()]
    texts = {found["subject"]: found["text"] for found in reversed(findings)}
    assert "BK-0" in texts["refused booking"]
    assert texts["refused bookings"] == "16 in the last 7 days"
    assert texts["arrivals"] == "1 of 1 in the next 48 hours at risk, the nearest BK-0 (booking_refused)"


def test_a_check_in_of_no_known_door_says_on_which_clock_it_is(machine: Machine) -> None:
    """A local time without its zone; an instant in UTC, however it was written."""
    wall = (system_clock() + timedelta(hours=20)).replace(tzinfo=None)
    at = f"{system_clock() + timedelta(hours=30):%Y-%m-%dT%H}:00-08:00"
    for booking_id, check_in in (("BK-1", wall.isoformat()), ("BK-2", at)):
        assert machine.apply(machine.append(json.dumps({"booking_id": booking_id, "check_in": check_in}))) is None
    shown = run("arrivals").stdout
    assert f"Check-in {wall:%Y-%m-%d %H:%M}, time zone of the lock not known yet, at risk" in shown
    assert f"Check-in {datetime.fromisoformat(at).astimezone(UTC):%Y-%m-%d %H:%M} UTC, at risk" in shown


def test_a_parked_message_without_a_time_is_said(machine: Machine) -> None:
    """Somebody may wait because of it, and nobody knows when."""
    assert machine.apply(machine.append(json.dumps({"booking_id": "BK-1", "check_in": "tonight"}))) is None
    result = run("arrivals")
    assert "1 message that was parked or refused doesn't say when its guest comes." in result.stdout
    findings = [json.loads(line) for line in run("doctor", "--json").stdout.splitlines()]
    (found,) = [found for found in findings if found["subject"] == "arrivals"]
    assert found["verdict"] == "warn"
    assert "none at risk. 1 message that was parked" in found["text"]


def bad(machine: Machine, sandbox: Sandbox, **fields: str) -> str:
    """Park a message whose check-in can't be read; return its id on the list."""
    stay = {"check_in": "tomorrow", "check_out": in_days(5, "10:15:00")}
    message = {"booking_id": machine.new_id(), "device_ids": [sandbox.door()], **stay, **fields}
    machine.apply(machine.append(json.dumps(message)))
    *_, entry = machine.parked.list()
    return entry.parked_id


def test_a_replay_says_what_became_of_it(machine: Machine, sandbox: Sandbox) -> None:
    """Parked again and why, with exit code 1; applied as which booking, with 0."""
    parked_id = bad(machine, sandbox)
    with meanwhile(machine.apply_all):
        result = run("parked", "replay", parked_id, "--wait", "60s")
    (again,) = machine.parked.list()
    assert result.exit_code == 1
    assert f"{parked_id} went back to booking-created." in result.stdout
    assert f"{parked_id}: It could not be used, and was parked again: check_in: " in result.stdout
    assert f"`oracode parked show {again.parked_id}`" in result.stdout
    mended = json.dumps(json.loads(again.parked.message) | {"check_in": in_days(2, "15:45:00")})
    machine.parked.discard(again)
    good = machine.parked.park(replace(again.parked, message=mended))
    with meanwhile(machine.apply_all):
        result = run("parked", "replay", "all", "--wait", "60s")
    booking_id = json.loads(mended)["booking_id"]
    assert result.exit_code == 0, result.output
    assert f"{good}: It was applied as booking {booking_id}, revision 0. The booking is" in result.stdout
    assert ReplayResults(machine.redis).of([good])[good].by


def test_a_replay_that_no_worker_works_on(machine: Machine, sandbox: Sandbox) -> None:
    """It is said that it waits, after a second; without patience only that it went back."""
    parked_id = bad(machine, sandbox)
    result = run("parked", "replay", parked_id, "--wait", "1s")
    assert result.exit_code == 1
    assert f"{parked_id}: It is back in booking-created, and no worker has worked on it yet." in result.stdout
    assert "It isn't lost" in result.stdout
    other = bad(machine, sandbox)
    result = run("parked", "replay", other, "--wait", "0s")
    assert (result.exit_code, result.stdout) == (0, f"{other} went back to booking-created.\n")
    assert run("parked", "replay", other, "--wait", "soon").exit_code == 2
    assert run("parked", "replay", other).exit_code == 1


def test_a_message_that_is_gone_says_what_became_of_it(machine: Machine, sandbox: Sandbox) -> None:
    """Replayed or discarded, by whom and when; one that never was there is not known."""
    parked_id = bad(machine, sandbox)
    message = json.loads(machine.parked.get(parked_id).parked.message)  # type: ignore[union-attr]
    mended = json.dumps(message | {"check_in": in_days(2, "15:45:00")})
    machine.run_command(OpsCommand(action=REPLAY, target=parked_id, by="olaf", message=mended))
    machine.apply_all()
    for verb in ("replay", "discard", "show"):
        result = run("parked", verb, parked_id)
        assert result.exit_code == 1
        assert f"{parked_id} was replayed by olaf, corrected, at 20" in result.stderr
        assert f"It was applied as booking {message['booking_id']}, revision 0." in result.stderr
    other = bad(machine, sandbox)
    assert run("parked", "discard", other).exit_code == 0
    for verb in ("replay", "discard", "show"):
        result = run("parked", verb, other)
        assert (result.exit_code, "discarded it at 20" in result.stderr) == (1, True)
        assert "Nothing is parked" not in result.stderr
    assert "Nothing is parked under '1-1'." in run("parked", "discard", "1-1").stderr
