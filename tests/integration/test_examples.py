"""The examples of a booking system's side, in each language, against a whole running system."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.ports import free_port
from shared.clock import system_clock
from tests.support.machine import PROJECT, Machine
from tests.support.waiting import wait_until
from tests.worker.recording_server import Recorder, Reply, recording

EXAMPLES = PROJECT / "docs" / "examples"
SECRET = "whsec_b2xkIHNlY3JldCBvZiB0aGUgdGVzdHM="
REVEAL_TOKEN = "a-reveal-token"
COMMANDS = {
    "python": (sys.executable, "-I", str(EXAMPLES / "booking_system.py")),
    "node": ("node", str(EXAMPLES / "booking_system.mjs")),
    "shell": ("sh", str(EXAMPLES / "booking_system.sh")),
}
LISTENERS = ("python", "node")


def needed(language: str) -> None:
    """Skip, by name, what this machine lacks."""
    tools = {"python": (), "node": ("node",), "shell": ("curl", "openssl")}[language]
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed")


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    """Return where the examples listen."""
    return {language: free_port() for language in LISTENERS}


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    """Run a receiver that keeps what was posted, for the example that verifies without listening."""
    with recording(lambda _: Reply(204)) as running:
        yield running


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, ports: dict[str, int], recorder: Recorder) -> Iterator[Machine]:
    """Run everything, with the examples as its receivers."""
    addresses = [f"http://127.0.0.1:{port}" for port in ports.values()] + [recorder.url]
    machine = Machine(
        tmp_path_factory.mktemp("examples") / "data",
        {
            "OUTCOME_WEBHOOK_URLS": " ".join(f"{each.replace('://', f'://{SECRET}@')}/outcomes" for each in addresses),
            "OUTCOME_PIN": "true",
            "REVEAL_TOKENS": REVEAL_TOKEN,
            "DOOR_CACHE_FOR": "1s",
        },
    )
    machine.start()
    yield machine
    machine.stop()


class Example:
    """One example, used as its booking system would use it."""

    def __init__(self, command: Sequence[str], run: dict[str, Any]) -> None:
        self.command = command
        self.environment = {
            **os.environ,
            "ORACODE_URL": str(run["web_url"]),
            "BOOKING_TOKEN": str(run["booking_token"]),
            "REVEAL_TOKEN": REVEAL_TOKEN,
            "OUTCOME_SECRET": SECRET,
        }

    def run(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run a command to its end."""
        return subprocess.run(
            [*self.command, *arguments], env=self.environment, input=stdin, capture_output=True, timeout=60, check=False
        )

    def answer(self, *arguments: str) -> dict[str, Any]:
        """Return what a command prints; it must succeed."""
        ran = self.run(*arguments)
        assert ran.returncode == 0, ran.stderr
        content: dict[str, Any] = json.loads(ran.stdout)
        return content


def day(days: int, clock: str) -> str:
    """Return a local time so many days from now."""
    return f"{system_clock().date() + timedelta(days=days)}T{clock}"


@pytest.mark.parametrize("language", COMMANDS)
def test_a_booking_from_each_language(language: str, system: Machine) -> None:
    """Published, asked for, its PIN read, changed, and cancelled; what is refused is said with exit code 1."""
    needed(language)
    example = Example(COMMANDS[language], system.run())
    door, booking_id = system.add_door(("16:00", "10:00")), f"BK-{language}"

    assert example.answer("publish", booking_id, door, day(2, "16:00"), day(4, "10:00"))["status"] == "accepted"
    published_at = int(system_clock().timestamp())
    system.wait_for(booking_id, "ready")
    assert example.answer("status", booking_id)["state"] == "ready"
    (code,) = system.codes(door)
    assert [each["code"] for each in example.answer("pin", booking_id)["devices"]] == [code["pin"]]

    # The shell's revision is of whole seconds.
    wait_until(lambda: int(system_clock().timestamp()) > published_at, what="the next second")
    example.answer("change", booking_id, door, day(2, "16:00"), day(6, "10:00"))
    wait_until(
        lambda: str(example.answer("status", booking_id)["devices"][0]["ends_at"]).startswith(day(6, "10:00")),
        what="the longer stay",
    )
    system.wait_for(booking_id, "ready")
    example.answer("cancel", booking_id)
    wait_until(lambda: example.answer("status", booking_id)["state"] == "cancelled", what="cancelled")
    refused = example.run("pin", booking_id)
    assert refused.returncode != 0
    assert b"no_pin" in refused.stdout + refused.stderr
    assert example.run("status", "BK-nobody").returncode != 0


@pytest.mark.parametrize("language", LISTENERS)
def test_outcomes_are_received(language: str, system: Machine, ports: dict[str, int], tmp_path: Path) -> None:
    """Each once and in order, with its PIN; what isn't signed is refused."""
    needed(language)
    example = Example(COMMANDS[language], system.run())
    said = tmp_path / "said"
    url = f"http://127.0.0.1:{ports[language]}/outcomes"
    with said.open("wb") as output:
        listening = subprocess.Popen(
            [*example.command, "listen", str(ports[language])], env=example.environment, stdout=output
        )
    try:

        def refuses() -> bool:
            try:
                return httpx.post(url, content=b"{}", timeout=2).status_code == 401
            except httpx.TransportError:
                return False

        wait_until(refuses, what="a listener")
        door, booking_id = system.add_door(("16:00", "10:00")), f"BK-heard-by-{language}"
        example.answer("publish", booking_id, door, day(2, "16:00"), day(4, "10:00"))

        def told() -> list[dict[str, Any]]:
            lines = [json.loads(line) for line in said.read_text().splitlines()]
            return [line for line in lines if line["id"].startswith(f"{booking_id}/")]

        wait_until(lambda: told() and told()[-1]["state"] == "ready", what="its outcomes")
        assert [line["id"] for line in told()] == [f"{booking_id}/{number}" for number in (1, 2)]
        assert told()[-1]["doors"] == [{"device_id": door, "new_pin": False, "has_pin": True}]
        (code,) = system.codes(door)
        assert code["pin"] not in said.read_text()
    finally:
        listening.terminate()
        listening.wait(10)


def test_the_shell_verifies_a_signature(system: Machine, recorder: Recorder) -> None:
    """Of the body as it came; another body, time or secret is not genuine."""
    needed("shell")
    example = Example(COMMANDS["shell"], system.run())
    door = system.add_door(("16:00", "10:00"))
    example.answer("publish", "BK-verified", door, day(2, "16:00"), day(4, "10:00"))
    wait_until(lambda: [each for each in recorder.got if b"BK-verified" in each.body], what="an outcome")
    request = next(each for each in recorder.got if b"BK-verified" in each.body)
    headers = {name.lower(): value for name, value in request.headers.items()}
    signed = [headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature")]
    assert example.run("verify", *signed, stdin=request.body).returncode == 0
    assert example.run("verify", *signed, stdin=request.body + b" ").returncode == 1
    assert example.run("verify", signed[0], str(int(signed[1]) + 1), signed[2], stdin=request.body).returncode == 1
    assert example.run("verify", signed[0], "1", signed[2], stdin=request.body).returncode == 1
    assert example.run("verify", signed[0], "x", signed[2], stdin=request.body).returncode == 1
    example.environment["OUTCOME_SECRET"] = "whsec_AAAA"
    assert example.run("verify", *signed, stdin=request.body).returncode == 1
