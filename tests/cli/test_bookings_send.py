"""`oracode bookings cancel`, `change` and `check`; and ids and commands that are mistyped."""

import json
import os
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from shared.domain.messages.parse import parse_booking_message
from shared.domain.stay.stay import UnitRules
from tests.sandbox.harness import Sandbox, in_days
from tests.worker.machine import Machine
from worker.cli import oracode


def run(*arguments: str, stdin: str | None = None) -> Result:
    """Run `oracode bookings …`."""
    result = CliRunner().invoke(oracode, ["bookings", *arguments], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def published(machine: Machine) -> list[tuple[str, dict[str, Any]]]:
    """Return the stream's entries: (entry's id, message) each."""
    entries: Any = machine.redis.xrange("booking-created")
    return [(entry_id, json.loads(fields["message"])) for entry_id, fields in entries]


def bare(booking_id: str, device_id: str, **fields: Any) -> dict[str, Any]:
    """Return a bare message for a stay that fits the sandbox's usual slot."""
    stay = {"check_in": in_days(2, "15:45:00"), "check_out": in_days(5, "10:15:00")}
    return {"booking_id": booking_id, "device_ids": [device_id], **stay, **fields}


def applied(machine: Machine) -> None:
    """Let the worker take everything that stands in the stream."""
    for entry_id, _ in published(machine):
        machine.apply(entry_id)


@pytest.mark.parametrize("revision", [None, 4], ids=["without revisions", "with revisions"])
def test_a_cancellation_is_the_bookings_own(machine: Machine, sandbox: Sandbox, revision: int | None) -> None:
    """Of its own source; it cancels all that is known. Asked again, there is nothing to do."""
    booking = machine.book(sandbox.door(), revision=revision)
    result = run("cancel", booking.booking_id)
    assert (result.exit_code, booking.booking_id in result.stdout) == (0, True)
    ((_, message),) = published(machine)
    assert (message["source"], message["type"]) == ("/tests", "booking.cancelled")
    applied(machine)
    assert machine.ledger.get(booking.booking_id).state == "cancelled"
    again = run("cancel", booking.booking_id)
    assert (again.exit_code, "is cancelled already" in again.stderr) == (1, True)
    assert (published(machine), machine.parked.count()) == ([], 0)


def test_a_booking_of_bare_messages_is_cancelled_too(machine: Machine, sandbox: Sandbox) -> None:
    """It has no source, and so has the cancellation."""
    booking_id = machine.new_id()
    machine.apply(machine.append(json.dumps(bare(booking_id, sandbox.door()))))
    result = run("cancel", booking_id, "--json")
    shown = json.loads(result.stdout)
    assert (shown["booking_id"], shown["message"]["source"]) == (booking_id, "")
    assert shown["entry_id"] == published(machine)[0][0]
    applied(machine)
    assert machine.ledger.get(booking_id).cancelled


@pytest.mark.parametrize("revision", [None, 4], ids=["without revisions", "with revisions"])
def test_a_change_keeps_what_is_not_given(machine: Machine, sandbox: Sandbox, revision: int | None) -> None:
    """The next revision where there are any; the stay's other end, the door and the label as they were."""
    booking = machine.until(machine.book(sandbox.door(), revision=revision, label="Room 101"), "ready")
    later = in_days(7, "10:15:00")
    assert run("change", booking.booking_id, "--check-out", later).exit_code == 0
    ((_, message),) = published(machine)
    assert (message["source"], message["type"]) == ("/tests", "booking.updated")
    assert message["data"].get("revision") == (None if revision is None else 5)
    applied(machine)
    changed = machine.until(booking, "ready")
    assert machine.parked.count() == 0
    assert changed.stay is not None
    assert booking.stay is not None
    assert changed.stay.check_out.at.isoformat() == later
    assert changed.stay.check_in == booking.stay.check_in
    assert [door.device_id for door in changed.doors] == [door.device_id for door in booking.doors]
    assert changed.label == "Room 101"
    again = run("change", booking.booking_id, "--check-out", later)
    assert (again.exit_code, "booked so already" in again.stderr) == (1, True)


def test_what_cannot_be_used_is_not_published(machine: Machine, sandbox: Sandbox) -> None:
    """With what is wrong; no change at all is asked what it is to be."""
    booking = machine.book(sandbox.door())
    for arguments, said in (
        (("--check-out", "12/05/2026"), "which number is the month"),
        (("--check-out", "2026-01-01T10:00Z"), "is not after check_in"),
        (("--door", "Room 101"), "is not a UUID"),
        ((), "Say what changes"),
    ):
        result = run("change", booking.booking_id, *arguments)
        assert result.exit_code == 2, arguments
        assert said in result.stderr
    assert published(machine) == []


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--check-out", in_days(1, "10:15:00", offset="")), "is not after check_in"),
        (("--check-in", "2098-01-01T16:00", "--check-out", "2098-01-05T10:00"), "over three years ahead"),
        (("--check-out", in_days(9, "")[:10]), "is a date alone"),
    ],
)
def test_what_would_be_parked_or_fit_no_door_is_not_published(
    machine: Machine, sandbox: Sandbox, arguments: tuple[str, ...], why: str
) -> None:
    """Also where only the lock's clock tells the order of a local time and an instant."""
    booking = machine.book(sandbox.door())
    result = run("change", booking.booking_id, *arguments)
    assert (result.exit_code, why in result.stderr) == (2, True)
    assert published(machine) == []


def test_times_that_are_over_need_a_word_of_their_own(machine: Machine, sandbox: Sandbox) -> None:
    """The booking ends for good by them: without the word nothing is published, and it is said why."""
    booking = machine.until(machine.book(sandbox.door()), "ready")
    past = ("--check-in", in_days(-5, "15:45:00", offset=""), "--check-out", in_days(-2, "10:15:00", offset=""))
    result = run("change", booking.booking_id, *past)
    assert (result.exit_code, published(machine)) == (2, [])
    assert "the booking ends for good, and it can't be changed back. Nothing was published." in result.stderr
    assert run("change", booking.booking_id, *past, "--knows-it-ends").exit_code == 0
    applied(machine)
    # Who ended it knows it: nobody is told.
    assert machine.until(booking, "ended").reason == ""
    assert not any(booking.booking_id in alert.key for alert in machine.alerts.open())
    (line,) = machine.story_lines(booking.booking_id, "booking.change_asked")
    assert line.endswith(" asked to end the booking by times that are over.")
    begun = machine.until(machine.book(sandbox.door()), "ready")
    assert run("change", begun.booking_id, "--check-in", in_days(-1, "15:45:00", offset="")).exit_code == 0


@pytest.mark.parametrize("has_file", [False, True])
def test_times_of_a_unit_that_are_over(
    machine: Machine, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_file: bool
) -> None:
    """Dates get the unit's times, by DOORS_FILE or as the booking has them."""
    device_id = sandbox.door()
    unit = UnitRules(unit="101", device_ids=(device_id,), check_in=time(16), check_out=time(10))
    own = Machine(machine.redis, os.environ["REDIS_URL"], sandbox, units={"101": unit})
    dates = {"check_in": in_days(2, "")[:10], "check_out": in_days(5, "")[:10]}
    booking = own.apply(own.append(json.dumps({"booking_id": own.new_id(), "unit": "101", **dates})))
    assert booking is not None
    if has_file:
        doors = tmp_path / "doors.yaml"
        doors.write_text(f'"101":\n  device_ids: [{device_id}]\n  check_in: "16:00"\n  check_out: "10:00"\n')
        monkeypatch.setenv("DOORS_FILE", str(doors))
    past = ("--check-in", in_days(-5, "")[:10], "--check-out", in_days(-2, "")[:10])
    result = run("change", booking.booking_id, *past)
    assert (result.exit_code, "ends for good" in result.stderr) == (2, True)
    later = run("change", booking.booking_id, "--check-out", in_days(6, "")[:10])
    assert later.exit_code == 0, later.stderr


def test_units_and_zones_of_a_change(
    machine: Machine, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A unit takes the place of doors; a zone is written behind the times that it is for."""
    booking = machine.book(sandbox.door())
    doors = tmp_path / "doors.yaml"
    doors.write_text(f'"101":\n  device_ids: [{sandbox.door()}]\n')
    monkeypatch.setenv("DOORS_FILE", str(doors))
    assert run("change", booking.booking_id, "--unit", "102").exit_code == 2
    arguments = ("--unit", "101", "--check-out", "2036-12-05 10:00", "--time-zone", "Europe/Vienna")
    assert run("change", booking.booking_id, *arguments).exit_code == 0
    ((_, message),) = published(machine)
    data = message["data"]
    assert (data["unit"], data["check_out"]) == ("101", "2036-12-05T10:00:00[Europe/Vienna]")
    assert "device_ids" not in data
    assert "[" not in data["check_in"]
    assert parse_booking_message(message).unit == "101"


def test_what_every_message_of_a_file_would_do(machine: Machine, sandbox: Sandbox) -> None:
    """In their order, one upon the other; nothing is published, and 1 because some would be parked."""
    device_id, booking_id, known = sandbox.door(), machine.new_id(), machine.new_id()
    machine.apply(machine.append(json.dumps(bare(known, device_id))))
    before = machine.ledger.get(known)
    foreign = {"specversion": "1.0", "id": "1", "source": "/other", "type": "booking.cancelled"}
    messages = [
        bare(booking_id, device_id),
        bare(booking_id, device_id),
        bare(booking_id, device_id, label="other"),
        bare(known, device_id),
        {**foreign, "source": "", "data": {"booking_id": known}},
        {**foreign, "data": {"booking_id": known}},
        bare("BK 1", device_id, status="cancelled", check_in="12/01/2026"),
        bare("BK 2", device_id, device_ids=None, unit="101"),
    ]
    content = "\n".join([*map(json.dumps, messages), "oops"])
    result = run("check", "-", "--json", stdin=content)
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each["would"] for each in found] == [
        "created", "nothing", "changed", "nothing", "cancelled", "parked", "parked", "parked", "parked",
    ]  # fmt: skip
    assert [each["number"] for each in found] == list(range(1, 10))
    assert [each["booking_id"] for each in found[5:]] == [known, "BK 1", "BK 2", None]
    assert [[one["field"] for one in each["problems"]] for each in found[5:]] == [
        ["source"], ["status", "check_in"], ["unit"], ["message"],
    ]  # fmt: skip
    assert result.exit_code == 1
    assert (published(machine), machine.ledger.get(known), machine.parked.count()) == ([], before, 0)


def test_a_file_without_a_problem(machine: Machine, sandbox: Sandbox, tmp_path: Path) -> None:
    """Exit 0, a line each; what was checked and is then published does that."""
    file = tmp_path / "booking.json"
    booking_id = machine.new_id()
    file.write_text(json.dumps(bare(booking_id, sandbox.door())))
    result = run("check", str(file))
    assert (result.exit_code, result.stdout) == (0, f"message 1  {booking_id}  would be created\n")
    assert run("publish", str(file)).exit_code == 0
    applied(machine)
    assert f"{booking_id}  would change nothing: it was" in run("check", str(file)).stdout.replace("says what", "was")
    assert run("check", "-", stdin=" \n").exit_code == 2


def test_a_mistyped_id_is_answered_with_those_that_are_near(machine: Machine, sandbox: Sandbox) -> None:
    """By every command that takes one."""
    machine.book(sandbox.door(), booking_id="BK-1001")
    machine.book(sandbox.door(), booking_id="HX-2")
    for arguments in (["show"], ["cancel"], ["retry"], ["choose"], ["change", "--label", "x"]):
        result = run(*arguments, "bk1001")
        assert result.exit_code == 1
        assert "Did you mean BK-1001?" in result.stderr
    assert "Did you mean BK-1001?" in CliRunner().invoke(oracode, ["codes", "reveal", "BK-1011"]).stderr
    assert "Did you mean" not in run("show", "nothing like it").stderr
    assert "Did you mean HX-2?" in run("show", "hx-02").stderr
    assert run("show", " BK-1001 ").exit_code == 0


def test_a_booking_whose_message_is_parked_is_told_so(machine: Machine) -> None:
    """It is not in the ledger; who looks for it learns where it is."""
    machine.apply(machine.append('{"booking_id": "BK-7", "check_in": "soon"}'))
    (entry,) = machine.parked.list()
    assert f"`oracode parked show {entry.parked_id}`" in run("show", "BK-7").stdout


def test_a_mistyped_command_is_answered_with_the_one_that_is_near() -> None:
    """At the top as below it."""
    runner = CliRunner()
    assert "Did you mean 'bookings'?" in runner.invoke(oracode, ["bookigns", "list"]).stderr
    assert "'cancel'" in runner.invoke(oracode, ["bookings", "cancle"]).stderr
    assert "Did you mean" not in runner.invoke(oracode, ["xyz"]).stderr
