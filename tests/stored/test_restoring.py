"""A backup of what the release before stored is restored with today's: nothing is made twice, people are told the rest.

Real processes, `oracode backup`, the steps of docs/backup.md, and Seam (the sandbox), which knows more than the backup.
"""

import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import structlog
from click.testing import CliRunner
from redis import Redis

from deploy.local.ports import free_port
from shared.clock import system_clock
from tests.faults.load import fitting_stay
from tests.stored.replay import RECORDINGS, Recording, put
from tests.stored.stage import settings_for
from tests.support.machine import Machine
from tests.support.server import DataServer
from tests.support.waiting import wait_until
from tests.worker.channel_servers import SlackApi
from tests.worker.recording_server import recording
from worker.cli.backup import command as backup
from worker.cli.restored import command as restored

OLDEST = RECORDINGS[0]
# What had no code in the backup, got one afterwards, and must not get a second one.
MADE_AFTERWARDS = ("PENDING", "RECEIVED", "CREATING-OPEN", "UNREAD")


def run_command(command: Any, url: str, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """Run a command that must succeed on a data server; return what it says."""
    logging = structlog.get_config()
    with monkeypatch.context() as patch:
        patch.setenv("REDIS_URL", url)
        result = CliRunner().invoke(command, arguments)
    # Commands set up logging of their own.
    structlog.configure(**logging)
    assert result.exit_code == 0, result.output
    return result.output


def restore(file: Path, directory: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """Do what docs/backup.md says, in place of the server's directory, which is moved aside."""
    directory.rename(directory.with_name("moved-aside"))
    directory.mkdir()
    (directory / "dump.rdb").write_bytes(file.read_bytes())
    server = DataServer(directory, more="appendonly no\n")
    server.start()
    with closing(Redis.from_url(server.url, decode_responses=True)) as client:
        assert client.dbsize()
        client.config_set("appendonly", "yes")
        wait_until(lambda: not any(_rewriting(client)), what="the append-only file")
    run_command(restored, server.url, monkeypatch, *arguments)
    server.stop()


def _rewriting(client: Redis) -> tuple[bool, bool]:
    info: Any = client.info("persistence")
    return bool(info["aof_rewrite_in_progress"]), bool(info["aof_rewrite_scheduled"])


def codes_of(machine: Machine, booking_id: str) -> list[str]:
    """Return the ids of the booking's codes at Seam that open a door."""
    codes = machine.seam("GET", "/sandbox/access_codes")["access_codes"]
    return [
        each["access_code_id"] for each in codes if each["name"].split(" ")[0] == booking_id and each["phase"] != "gone"
    ]


def test_a_backup_of_the_release_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes made since are taken over; one whose booking the backup doesn't know is told, and found by its booking."""
    directory = tmp_path / "data"
    given = Recording.read(OLDEST)
    put(given, directory)
    given.write_doors_file(directory)
    server = DataServer(directory / "redis")
    server.start()
    taken_at = system_clock()
    file = Path(json.loads(run_command(backup, server.url, monkeypatch, str(tmp_path), "--json"))["file"])
    server.stop()
    seam_port = free_port()
    with recording(SlackApi()) as slack:
        settings = settings_for(directory, slack=slack.url, away=f"http://127.0.0.1:{seam_port}/alerts/away")
        machine = Machine(directory, settings | {"SEAM_TIMEOUT": "2s"})
        machine.start("--seam-port", str(seam_port))
        made = {
            each: machine.wait_for(each, "ready", within=60)["devices"][0]["access_code_id"] for each in MADE_AFTERWARDS
        }
        device_id, lost, stay = machine.add_door(("16:00", "10:00")), f"LOST-{uuid4().hex[:6]}", fitting_stay()
        machine.publish(booking_id=lost, device_ids=[device_id], **stay)
        stray = machine.wait_for(lost, "ready", within=60)["devices"][0]["access_code_id"]
        machine.stop()

        restore(file, directory / "redis", monkeypatch, "--since", f"{taken_at - timedelta(minutes=1):%Y-%m-%dT%H:%M}")
        machine.start("--seam-port", str(seam_port))
        try:
            for booking_id, code_id in made.items():
                booking = machine.wait_for(booking_id, "ready", within=60)
                assert booking["devices"][0]["access_code_id"] == code_id
                assert codes_of(machine, booking_id) == [code_id]
            assert machine.booking(lost) == {}
            wait_until(lambda: stray in told(machine), within=60, what="the code without a booking is told")
            assert "restored from a backup" in told(machine)
            machine.publish(booking_id=lost, device_ids=[device_id], **stay)
            again = machine.wait_for(lost, "ready", within=60)
            assert [again["devices"][0]["access_code_id"]] == [stray] == codes_of(machine, lost)
        finally:
            machine.stop()


def told(machine: Machine) -> str:
    """Return what people are told of the restore."""
    lines = machine.oracode("alerts", "list", "--problem", "ledger_rolled_back", "--json").stdout
    return " ".join(f"{alert['subject']} {alert['happened']}" for alert in map(json.loads, lines.splitlines()))
