"""The processes check their settings first: every problem on stderr, exit code 2, nothing started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.settings import Settings

PROCESSES = {
    "web": (["receiver"], {"SEAM_WEBHOOK_SECRET", "REDIS_URL"}),
    "worker": (["worker", "worker"], {"SEAM_API_KEY", "REDIS_URL"}),
    "beat": (["worker", "beat"], {"REDIS_URL"}),
}


def started(project: Path, command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Start a process with these settings and none else; return it when it has ended."""
    ours = {name.upper() for name in Settings.model_fields}
    kept = {name: value for name, value in os.environ.items() if name.upper() not in ours}
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(("command", "required"), PROCESSES.values(), ids=PROCESSES.keys())
def test_all_problems_at_once(project: Path, command: list[str], required: set[str]) -> None:
    """What is missing and what is malformed stands in one list, by name."""
    ended = started(project, command, CREATE_LEAD_TIME="soon", PORT="none", BOOKING_QUEUE_URL="redis://queue")
    named = {line.split()[0] for line in ended.stderr.splitlines()[1:]}
    assert (ended.returncode, ended.stdout) == (2, "")
    assert named == required | {"CREATE_LEAD_TIME", "PORT", "BOOKING_QUEUE_URL"}


def test_the_worker_checks_its_files_and_addresses_too(project: Path, tmp_path: Path) -> None:
    """ALERT_URLS and DOORS_FILE that can't be used are listed together, and no address is repeated."""
    doors = tmp_path / "doors.yaml"
    doors.write_text("[not a doors file")
    ended = started(
        project,
        ["worker", "worker"],
        SEAM_API_KEY="seam_key",
        REDIS_URL="redis://127.0.0.1:1/0",
        ALERT_URLS="ftp://tell-nobody webhook+https://no-secret.example/",
        DOORS_FILE=str(doors),
    )
    assert ended.returncode == 2
    assert "ALERT_URLS address 1" in ended.stderr
    assert "address 2" in ended.stderr
    assert "DOORS_FILE" in ended.stderr
    assert "tell-nobody" not in ended.stderr


@pytest.mark.parametrize("arguments", [[], ["oops"]], ids=["nothing", "another"])
def test_an_unknown_process_is_refused(project: Path, arguments: list[str]) -> None:
    """`python -m worker` runs what it is told to, or says what it can run."""
    ended = started(project, ["worker", *arguments])
    assert ended.returncode != 0
    assert "worker|beat" in ended.stderr
