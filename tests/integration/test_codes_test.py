"""`oracode codes test` on the running system: in a terminal, under `kill -9`, on doors that work and that do not."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.machine import PROJECT, Machine
from tests.support.waiting import wait_until

ORACODE = str(Path(sys.executable).parent / "oracode")


def environment(machine: Machine) -> dict[str, str]:
    """Return what a person's shell beside the running system has."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "PYTHONPATH": str(PROJECT), "ORACODE_DATA_DIR": str(machine.directory)}


_MOST_PRESSES = 4


def in_terminal(machine: Machine, *arguments: str, answer: str, interrupt_at: str = "") -> tuple[int, str]:
    """Run a command in a terminal of its own and answer its question; return its exit status and what it printed.

    `interrupt_at`: press Ctrl-C once this was printed.
    """
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [ORACODE, *arguments],
        cwd=PROJECT,
        env=environment(machine),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    printed = b""
    presses = 0
    try:
        while True:
            if not select.select([controller], [], [], 10 if presses else 60)[0]:
                if not 0 < presses < _MOST_PRESSES:
                    break
                # Python drops an interrupt that comes while it runs a destructor: people press again.
                process.send_signal(signal.SIGINT)
                presses += 1
                continue
            try:
                piece = os.read(controller, 4096)
            except OSError:
                # The other end is closed: the command is over.
                break
            if not piece:
                break
            printed += piece
            if answer and b"[y/N]" in printed:
                os.write(controller, f"{answer}\n".encode())
                answer = ""
            if interrupt_at and interrupt_at.encode() in printed:
                process.send_signal(signal.SIGINT)
                presses, interrupt_at = 1, ""
        return process.wait(30), printed.decode().replace("\r", "")
    finally:
        process.kill()
        process.wait()
        os.close(controller)


def made(machine: Machine, door: str) -> list[dict[str, Any]]:
    """Return every code that the door ever got."""
    return machine.codes(door)


def test_a_door_that_works(machine: Machine) -> None:
    """No makes nothing; yes makes one code, told step by step until it is usable; asked again, it is that code."""
    door = machine.add_door(("16:00", "10:00"))
    status, printed = in_terminal(machine, "codes", "test", door, answer="n")
    assert (status, made(machine, door)) == (1, [])
    assert "It can't be taken back" in printed
    assert "Nothing was made." in printed

    status, printed = in_terminal(machine, "codes", "test", door, answer="y")
    assert status == 0, printed
    (code,) = made(machine, door)
    assert f"access code {code['access_code_id']} was made" in printed
    assert "Seam confirms the code" in printed
    assert "Usable: the code works from " in printed
    assert code["pin"] not in printed

    again = machine.oracode("codes", "test", door, "--yes", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["access_code_id"] == code["access_code_id"]
    assert len(made(machine, door)) == 1


def test_a_door_that_does_not(machine: Machine) -> None:
    """The problem and its next step are shown, with exit 1; people are told too.

    Once the cause is corrected, the same command succeeds.
    """
    door = machine.add_door(("16:00", "10:00"))
    fault = {"operation": "access_codes.create", "kind": "refuse", "device_id": door, "message": "No user level."}
    machine.seam("POST", "/sandbox/faults", fault)
    failed = machine.oracode("codes", "test", door, "--yes", "--json")
    assert failed.returncode == 1, failed.stderr
    found = json.loads(failed.stdout)
    assert [each["problem"] for each in found["problems"]] == ["refused_by_seam"]
    assert "No user level." in found["problems"][0]["happened"]
    wait_until(lambda: any(each["booking_id"] == found["booking_id"] for each in machine.alerts()), what="the alert")
    mended = machine.oracode("codes", "test", door, "--yes")
    assert mended.returncode == 0, mended.stderr
    assert len(made(machine, door)) == 1


def test_nobody_to_ask(machine: Machine) -> None:
    """A script without --yes is refused."""
    door = machine.add_door(("16:00", "10:00"))
    refused = machine.oracode("codes", "test", door)
    assert (refused.returncode, made(machine, door)) == (2, [])
    assert "--yes" in refused.stderr


def test_ctrl_c_says_how_to_follow_on(machine: Machine) -> None:
    """The code is made all the same."""
    door = machine.add_door(("16:00", "10:00"), program_lead_seconds=60)
    status, printed = in_terminal(machine, "codes", "test", door, answer="y", interrupt_at="was made")
    assert status == 1
    assert "It goes on without this command: follow it with `oracode bookings watch`" in printed
    assert "Traceback" not in printed
    assert len(made(machine, door)) == 1


def test_killed_with_9_and_asked_again(machine: Machine) -> None:
    """The command, then the worker, while a create is in doubt: one code in the end."""
    door = machine.add_door(("16:00", "10:00"))
    fault = {"operation": "access_codes.create", "kind": "error_after", "device_id": door}
    machine.seam("POST", "/sandbox/faults", fault)
    command = subprocess.Popen(
        [ORACODE, "codes", "test", door, "--yes"],
        cwd=PROJECT,
        env=environment(machine),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: len(made(machine, door)) == 1, within=30, what="the create")
    command.kill()
    command.wait(10)
    os.kill(machine.run()["pids"]["worker"], signal.SIGKILL)
    again = machine.oracode("codes", "test", door, "--yes", "--json", "--wait", "50s")
    assert again.returncode == 0, again.stdout + again.stderr
    (code,) = made(machine, door)
    assert json.loads(again.stdout)["access_code_id"] == code["access_code_id"]
