"""What commands write where the terminal knows ASCII alone, or the disk is full: no traceback."""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.domain.building import device as device_of
from tests.domain.building import vendor_slot

RUN = [sys.executable, "-c", "from worker.cli import main; main()"]
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
DEVICE = device_of(vendor_slot("16:00", "10:00"), display_name="Zimmer “Süd” 清")


@pytest.fixture
def device(tmp_path: Path) -> str:
    """Return a device file with a name that ASCII doesn't have."""
    path = tmp_path / "device.json"
    path.write_text(json.dumps(DEVICE), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("run", "beginning"),
    [
        (
            ["-c", "from worker.cli.output import safe_output\nwith safe_output(): print('\\u201cS\\u00fcd\\u201d')"],
            "?S?d?",
        ),
        ([*RUN[1:], "slots"], "Zimmer"),
    ],
    ids=["any text", "a command"],
)
def test_ascii_is_enough(device: str, run: list[str], beginning: str) -> None:
    """What it doesn't have is replaced; everything else is told."""
    command, environment = [sys.executable, *run, device], {**os.environ, **ASCII}
    done = subprocess.run(command, env=environment, capture_output=True, check=False, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(beginning)
    assert done.stdout.isascii()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", [["slots"], ["slots", "--json"], ["--help"]], ids=" ".join)
def test_a_full_disk_is_one_sentence(device: str, arguments: list[str]) -> None:
    """Whether it is found at a write or when the rest is flushed."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        words = [*arguments, device] if "slots" in arguments else arguments
        done = subprocess.run([*RUN, *words], stdout=full, stderr=subprocess.PIPE, check=False, text=True)
    assert done.stderr == "The output can't be written: No space left on device.\n"
    assert done.returncode == 3


def test_the_version() -> None:
    """That of the package, alone on its line."""
    done = subprocess.run([*RUN, "--version"], capture_output=True, check=False, text=True)
    assert (done.returncode, done.stdout) == (0, f"{version('oracode-codes')}\n")
