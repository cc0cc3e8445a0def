"""`oracode slots`: a door's day, and what is wrong with it."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from tests.domain.building import device, vendor_slot
from worker.cli.slots import command

cli = click.Group(commands={"slots": command})


def run(folder: Path, content: Any, *more: str) -> Result:
    """Run the command on a device file."""
    path = folder / "device.json"
    path.write_text(json.dumps(content))
    result = CliRunner().invoke(cli, ["slots", str(path), *more])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


SLOTS = [
    vendor_slot("16:00[America/Los_Angeles]", "10:00[America/Los_Angeles]", name="Guest"),
    vendor_slot("07:00[America/Los_Angeles]", "19:00[America/Los_Angeles]", name="Day"),
    vendor_slot("12:00", "12:00", name="Daily", is_24_hour=True),
    vendor_slot("16:00Z", "10:00", name="Broken"),
    vendor_slot("10:00", "10:05", name="Minutes", is_one_shot=True),
]
PICTURE = """\
Room 101 (America/Los_Angeles)

                              00    03    06    09    12    15    18    21    24
Guest                         ████████████████████············████████████████
Day                           ··············████████████████████████··········
Daily                         ████████████████████████████████████████████████
Broken                        ···················unreadable···················
Minutes                       ····················█···························

  Guest: 16:00 → 10:00
  Day: 07:00 → 19:00
  Daily: 12:00 → 12:00 (24 hours)
  Broken: ? → 10:00
  Minutes: 10:00 → 10:05 (one-time)

! “Broken” can't be read, and is never used: check_in_time '16:00Z' has an
offset without a zone, which is right for half the year only.
"""


def test_picture(tmp_path: Path) -> None:
    """Bars over the day, those over midnight in two parts; every slot's times; warnings."""
    result = run(tmp_path, device(*SLOTS))
    assert result.exit_code == 0
    assert result.stdout == PICTURE


@pytest.mark.parametrize("named", ["front-door", "101", "{11111111-1111-1111-1111-444444444444}"])
def test_what_is_neither_a_file_nor_a_device_id(named: str) -> None:
    """Exit code 2 and one sentence; Seam isn't asked, and no setting is needed."""
    result = CliRunner().invoke(cli, ["slots", named])
    assert result.exit_code == 2
    assert f"'{named}' is not a UUID, and there is no such file" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_no_slots(tmp_path: Path) -> None:
    """No picture of nothing, but a warning."""
    text = run(tmp_path, device()).stdout
    assert "No time slot is configured" in text
    assert "00    03" not in text


def test_json(tmp_path: Path) -> None:
    """Slots as they are read, and the warnings by kind."""
    found = json.loads(run(tmp_path, {"device": device(*SLOTS)}, "--json").stdout)
    assert found["time_zone"] == "America/Los_Angeles"
    assert [one["check_in_time"] for one in found["slots"]] == ["16:00", "07:00", "12:00", None, "10:00"]
    assert [one["kind"] for one in found["warnings"]] == ["unreadable"]
    assert found["slots"][4]["is_one_shot"]


def test_not_a_lock(tmp_path: Path) -> None:
    """Exit code 2."""
    result = run(tmp_path, {"device_type": "ecobee_thermostat"})
    assert result.exit_code == 2
    assert "not a lock" in result.stderr


def test_hostile_names(tmp_path: Path) -> None:
    """Nothing that a terminal would obey."""
    slots = [vendor_slot("16:00\x1b", "10:00", name="\x1b[31m[red]\u202e"), vendor_slot("16:00", "10:00", name="")]
    text = run(tmp_path, device(*slots, display_name="\x07")).stdout
    assert all(line.isprintable() for line in text.splitlines())


ISSUES: dict[str, Any] = {
    "errors": [
        {"error_code": "account_disconnected", "message": "Log in, PIN 471108.", "is_connected_account_error": True}
    ],
    "warnings": [{"warning_code": "third_party_integration_detected", "message": "\x1b[31mAnother.\u202e"}],
}


def test_what_seam_reports_comes_first(tmp_path: Path) -> None:
    """Above the slots, with whether it keeps codes from working; no terminal obeys it, and no PIN is in it."""
    text = run(tmp_path, device(*SLOTS, **ISSUES)).stdout
    picture = " ".join(text.split())
    assert "! account error, keeps codes from working: Seam has lost its connection" in picture
    assert "! door warning, keeps no code from working: Another system programs this lock too" in picture
    assert text.index("account error") < text.index("door warning") < text.index("00    03")
    assert "471108" not in text
    assert all(line.isprintable() for line in text.splitlines())


def test_json_has_what_seam_reports(tmp_path: Path) -> None:
    """An empty list where it reports nothing."""
    found = json.loads(run(tmp_path, device(*SLOTS, **ISSUES), "--json").stdout)
    assert [(each["kind"], each["code"], each["blocks"]) for each in found["issues"]] == [
        ("account error", "account_disconnected", True),
        ("door warning", "third_party_integration_detected", False),
    ]
    assert json.loads(run(tmp_path, device(*SLOTS), "--json").stdout)["issues"] == []
