"""Bookings of a running system, exported and replayed against its sandbox: the same decisions, or a difference told."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.integration.test_upkeep_commands import stay
from tests.sandbox.harness import in_days
from tests.support.machine import Machine


def test_exported_bookings_are_decided_as_they_were(machine: Machine, tmp_path: Path) -> None:
    """A code, a stay that fits no slot, a cancelled one; then a door of the file has another slot, and that is told."""
    fitting, misfit = machine.add_door(("16:00", "10:00")), machine.add_door(("03:00", "05:00"))
    ready = machine.publish(device_ids=[fitting], label="Guest Anna Secret", **stay())
    waiting = machine.publish(device_ids=[misfit], **stay())
    cancelled = machine.publish(device_ids=[fitting], **stay(first=20))
    for booking_id, state in ((ready, "ready"), (waiting, "waiting"), (cancelled, "scheduled")):
        machine.wait_for(booking_id, state)
    machine.oracode("bookings", "cancel", cancelled)
    machine.wait_for(cancelled, "cancelled")
    file = tmp_path / "traffic.jsonl"

    exported = machine.oracode("events", "export", "--since", "1h", str(file))

    assert exported.returncode == 0, exported.stderr
    (pin,) = [code["pin"] for code in machine.codes(fitting)]
    assert [secret for secret in (ready, waiting, "Anna", pin) if secret in file.read_text()] == []
    # Other tests have bookings on the same system.
    lines = [line for line in map(json.loads, file.read_text().splitlines()) if is_about(line, {fitting, misfit})]
    decided = [[each["decided"] for each in line["verdicts"]] for line in lines if line["kind"] == "booking"]
    assert sorted(decided) == [[], ["code"], ["waiting"]]

    replayed = replay(machine, file, lines)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert "3 bookings: 2 decided as before, 0 not; 1 can't be compared" in replayed.stdout

    door = next(line["device"] for line in lines if line["kind"] == "door" and line["device"]["device_id"] == fitting)
    door["properties"] = json.loads(json.dumps(door["properties"]).replace("16:00", "16:30"))
    differs = replay(machine, file, lines, "--json")
    assert differs.returncode == 1
    answers = [json.loads(line) for line in differs.stdout.splitlines()]
    assert sorted(each["is_compared"] for each in answers) == [False, True, True]
    (difference,) = filter(None, (each["difference"] for each in answers))
    assert difference.startswith(f"{fitting}: was code {in_days(1, '16:00', offset='')} to ")
    assert f"is code {in_days(1, '16:30', offset='')} to " in difference


def is_about(line: dict[str, Any], doors: set[str]) -> bool:
    """Say whether a line of a traffic file is its head, one of these doors, or a booking of one."""
    match line["kind"]:
        case "door":
            return line["device"]["device_id"] in doors
        case "booking":
            return not doors.isdisjoint(line["device_ids"])
        case _:
            return True


def replay(
    machine: Machine, file: Path, lines: list[dict[str, Any]], *options: str
) -> subprocess.CompletedProcess[str]:
    """Replay these lines."""
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return machine.oracode("replay", str(file), "--wait", "60s", *options)


def test_what_is_no_traffic_file_is_refused(machine: Machine, tmp_path: Path) -> None:
    """With why, before anything is done."""
    file = tmp_path / "other.jsonl"
    for text, why in (("", "doesn't begin"), ('{"kind": "traffic", "schema": "9.0"}', "another version")):
        file.write_text(text)
        answer = machine.oracode("replay", str(file))
        assert answer.returncode == 2
        assert why in answer.stderr
