"""`oracode match`: options, settings and the doors file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.match_runs import FITS, LONG, run
from tests.domain.building import device, vendor_slot
from worker.cli import match


def test_split(files: Path) -> None:
    """A long stay becomes codes, and the exit code says that it is served."""
    result = run(files, LONG, "--json", "--long-stays", "split")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["outcome"] == "matched"
    assert len(found["codes"]) == 2
    assert found["ends_at"] == "2027-01-20T10:00:00-08:00"
    assert "SPLIT INTO 2 CODES" in run(files, LONG, "--long-stays", "split").stdout


@pytest.mark.parametrize(
    ("more", "env", "chosen"),
    [
        pytest.param([], {}, "16:00", id="nearest by default"),
        pytest.param(["--preference", "cover"], {}, "15:00", id="option"),
        pytest.param([], {"SLOT_PREFERENCE": "cover"}, "15:00", id="setting"),
        pytest.param(["--preference", "nearest"], {"SLOT_PREFERENCE": "cover"}, "16:00", id="option over setting"),
    ],
)
def test_preference(files: Path, more: list[str], env: dict[str, str], chosen: str) -> None:
    """The option overrides the setting."""
    two = device(*(vendor_slot(f"{at}[UTC]", "10:00[UTC]", name=at) for at in ("16:00", "15:00")))
    (files / "device.json").write_text(json.dumps(two))
    booking = FITS | {"check_in": "2026-12-01T15:55", "check_out": "2026-12-05T10:00"}
    assert json.loads(run(files, booking, "--json", *more, env=env).stdout)["slot"]["name"] == chosen


def test_biweekly(files: Path) -> None:
    """Off by default."""
    biweekly = device(vendor_slot("16:00[UTC]", "10:00[UTC]", is_biweekly_mode=True))
    (files / "device.json").write_text(json.dumps(biweekly))
    booking = FITS | {"check_in": "2026-12-01T16:00", "check_out": "2026-12-05T10:00"}
    assert run(files, booking).exit_code == 1
    assert run(files, booking, "--allow-biweekly").exit_code == 0
    assert run(files, booking, env={"ALLOW_BIWEEKLY": "true"}).exit_code == 0


def test_doors_file(files: Path) -> None:
    """Dates take the unit's times; an unknown unit is an error; a broken file is named."""
    doors = files / "doors.yaml"
    doors.write_text('"101": {device_ids: d0000000-0000-0000-0000-000000000001, check_in: 16:00, check_out: 10:00}')
    dates = {"booking_id": "B", "unit": "101", "check_in": "2026-12-01", "check_out": "2026-12-05"}
    assert run(files, dates).exit_code == 2
    assert run(files, dates, "--doors-file", str(doors)).exit_code == 0
    assert run(files, dates, env={"DOORS_FILE": str(doors)}).exit_code == 0
    unknown = run(files, dates | {"unit": "102"}, "--doors-file", str(doors))
    assert unknown.exit_code == 2
    assert "'102' is not in the doors file" in unknown.stdout
    doors.write_text("a: 1")
    assert "line 1" in run(files, dates, "--doors-file", str(doors)).stderr


def test_an_invalid_setting_that_is_not_needed_is_ignored(files: Path) -> None:
    """DOORS_FILE names no file: that matters to bookings of units alone, and as an option always."""
    missing = str(files / "nowhere.yaml")
    assert run(files, FITS, env={"DOORS_FILE": missing}).exit_code == 0
    needed = run(files, FITS | {"unit": "101", "device_ids": None}, env={"DOORS_FILE": missing})
    assert needed.exit_code == 2
    assert "nowhere.yaml" in needed.stderr
    assert run(files, FITS, "--doors-file", missing).exit_code == 2


def test_all_bad_settings_are_named_at_once_by_their_names(files: Path) -> None:
    """Settings can be corrected in one go.

    A setting that an option overrules isn't read, and an empty one counts as absent.
    """
    env = {"SLOT_PREFERENCE": "best", "ALLOW_BIWEEKLY": "perhaps", "LONG_STAYS": "\x1b[2J"}
    bad = run(files, FITS, env=env)
    assert bad.exit_code == 2
    assert [line.split()[0] for line in bad.stderr.splitlines()] == ["ALLOW_BIWEEKLY", "SLOT_PREFERENCE", "LONG_STAYS"]
    assert bad.stderr.replace("\n", "").isprintable()
    options = ["--preference", "cover", "--no-allow-biweekly", "--long-stays", "split"]
    assert run(files, FITS, *options, env=env).exit_code == 0
    assert run(files, FITS, env=dict.fromkeys(env, "")).exit_code == 0


def test_on_files_nothing_heavy_is_imported(files: Path) -> None:
    """No Redis, no HTTP, no settings: an explanation must come at once."""
    (files / "booking.json").write_text(json.dumps(FITS))
    code = (
        "import sys; from worker.cli.match import command;"
        "command(standalone_mode=False) if False else None;"
        "import contextlib\n"
        "with contextlib.suppress(SystemExit): command()\n"
        "heavy = {'rich', 'httpx', 'pydantic', 'yaml', 'redis', 'celery', 'structlog'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    args = ["--device", str(files / "device.json"), "--booking", str(files / "booking.json")]
    clean = {name: value for name, value in os.environ.items() if name != "DOORS_FILE"}
    finished = subprocess.run([sys.executable, "-c", code, *args], env=clean, capture_output=True, check=False)
    assert finished.returncode == 0, finished.stderr


def test_module_exports_its_command() -> None:
    """The group looks for that name."""
    assert match.command.name == "match"
