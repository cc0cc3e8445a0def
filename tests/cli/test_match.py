"""`oracode match`: exit codes, the contract's JSON, and what an operator sees."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.cli.match_runs import DEVICE, FITS, LONG, MISSES, cli, run
from worker.cli import match_inputs

DEVICE_ID = "d0000000-0000-0000-0000-000000000001"
BROKEN = {"booking_id": "BK-1003"}


def test_contract_example(files: Path) -> None:
    """The object that the contract shows, and exit code 0."""
    result = run(files, FITS, "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert {name: found[name] for name in ("outcome", "starts_at", "ends_at", "max_time_rounding", "fit")} == {
        "outcome": "matched",
        "starts_at": "2026-12-01T16:00:00-08:00",
        "ends_at": "2026-12-05T10:00:00-08:00",
        "max_time_rounding": "1hour",
        "fit": "locks_out",
    }
    assert found["slot"]["name"] == "Guest 4pm-10am"
    assert (found["check_in_gap_minutes"], found["check_out_gap_minutes"]) == (15, -15)
    assert [one["verdict"] for one in found["considered"]] == ["fits", "master"]
    assert found["suggestions"] == []


@pytest.mark.parametrize("as_json", [False, True], ids=["for people", "as JSON"])
@pytest.mark.parametrize(
    ("booking", "code"),
    [
        pytest.param(FITS, 0, id="matched"),
        pytest.param(MISSES, 1, id="not matched"),
        pytest.param(LONG, 1, id="too long"),
        pytest.param(BROKEN, 2, id="unusable"),
        pytest.param("not JSON", 2, id="no JSON"),
        pytest.param("", 2, id="empty"),
        pytest.param(b"\xff\xfe\x00", 2, id="no text"),
        pytest.param(FITS | {"check_out": "2026-12-01T15:00"}, 2, id="ends early on the lock's clock"),
        pytest.param([FITS], 2, id="a list"),
        pytest.param(
            {"specversion": "1.0", "id": "1", "source": "s", "type": "booking.cancelled", "data": {"booking_id": "B"}},
            2,
            id="cancelled",
        ),
    ],
)
def test_exit_codes(files: Path, booking: Any, code: int, *, as_json: bool) -> None:
    """0 when matched, 1 when not, 2 when the input can't be used."""
    result = run(files, booking, *["--json"] * as_json)
    assert result.exit_code == code
    assert result.stdout
    if as_json:
        found = json.loads(result.stdout)
        assert found["outcome"]
        assert "suggestions" in found


def test_unusable_booking_names_every_problem(files: Path) -> None:
    """As JSON and for people."""
    found = json.loads(run(files, BROKEN, "--json").stdout)
    assert found["outcome"] == "invalid_booking"
    assert [one["field"] for one in found["problems"]] == ["device_ids", "check_in", "check_out"]
    text = run(files, BROKEN).stdout
    for field in ("device_ids", "check_in", "check_out"):
        assert f"- {field}:" in text


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        pytest.param([FITS, FITS], 0, id="all matched"),
        pytest.param([FITS, MISSES], 1, id="one missed"),
        pytest.param([BROKEN, MISSES, FITS], 2, id="one unusable"),
    ],
)
def test_json_lines(files: Path, lines: list[dict[str, Any]], codes: int) -> None:
    """One result a line, in order; the exit code is that of the worst."""
    result = run(files, "\n".join(map(json.dumps, lines)) + "\n\n", "--json")
    assert result.exit_code == codes
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(found) == len(lines)
    expected = {"BK-1001": "matched", "BK-1002": "no_slot", "BK-1003": "invalid_booking"}
    assert [one["outcome"] for one in found] == [expected[str(one["booking_id"])] for one in lines]


def test_one_broken_line_spoils_no_other(files: Path) -> None:
    """Each line is read alone, the first too."""
    result = run(files, b"\xff{\n" + json.dumps(FITS).encode() + b"\n{", "--json")
    outcomes = [json.loads(line)["outcome"] for line in result.stdout.splitlines()]
    assert outcomes == ["invalid_booking", "matched", "invalid_booking"]


def test_indented_message_is_one(files: Path) -> None:
    """Several lines aren't JSON Lines yet."""
    assert run(files, json.dumps(FITS, indent=2)).exit_code == 0


def test_standard_input(files: Path) -> None:
    """`-` reads the booking from there."""
    args = ["match", "--device", str(files / "device.json"), "--booking", "-", "--json"]
    result = CliRunner().invoke(cli, args, input=json.dumps(FITS))
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param("{}", "not a lock", id="empty object"),
        pytest.param('{"device_type": "ecobee_thermostat"}', "its device_type is 'ecobee_thermostat'", id="thermostat"),
        pytest.param("[]", "a list is not a device object", id="list"),
        pytest.param("{", "not JSON", id="no JSON"),
        pytest.param("[" * 100_000, "nested too deeply", id="deep"),
        pytest.param(json.dumps(FITS), "not a lock", id="a booking"),
    ],
)
def test_device_that_is_no_lock(files: Path, content: str, says: str) -> None:
    """The message on standard error says so; exit code 2."""
    result = run(files, FITS)
    (files / "device.json").write_text(content)
    result = run(files, FITS, "--json")
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("device_path", "booking_path"),
    [("missing.json", "device.json"), ("device.json", "missing.json"), ("device.json", ".")],
    ids=["no device file", "no booking file", "a folder"],
)
def test_missing_files(files: Path, device_path: str, booking_path: str) -> None:
    """Exit code 2, and which file it is."""
    args = ["match", "--device", str(files / device_path), "--booking", str(files / booking_path)]
    result = CliRunner().invoke(cli, args)
    assert result.exit_code == 2
    assert str(files) in result.stderr


def test_device_from_seam(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device_id that isn't a file is read from Seam."""
    asked = []

    def fetch(device_id: str) -> dict[str, Any]:
        asked.append(device_id)
        return DEVICE

    monkeypatch.setattr(match_inputs, "_device_from_seam", fetch)
    (files / "booking.json").write_text(json.dumps(FITS))
    args = ["match", "--device", DEVICE_ID, "--booking", str(files / "booking.json")]
    assert CliRunner().invoke(cli, args).exit_code == 0
    assert asked == [DEVICE_ID]


def test_device_id_in_capitals(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seam is asked for the id in lower case, as it writes ids itself."""
    asked = []

    def fetch(device_id: str) -> dict[str, Any]:
        asked.append(device_id)
        return DEVICE

    monkeypatch.setattr(match_inputs, "_device_from_seam", fetch)
    (files / "booking.json").write_text(json.dumps(FITS))
    args = ["match", "--device", DEVICE_ID.upper(), "--booking", str(files / "booking.json")]
    assert CliRunner().invoke(cli, args).exit_code == 0
    assert asked == [DEVICE_ID]


def test_device_id_that_is_no_uuid(files: Path) -> None:
    """Exit code 2 and a sentence that says what would be right."""
    (files / "booking.json").write_text(json.dumps(FITS))
    args = ["match", "--device", "Room 101", "--booking", str(files / "booking.json")]
    result = CliRunner().invoke(cli, args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'Room 101' is not a UUID" in result.stderr
    assert "11111111-1111-1111-1111-444444444444" in result.stderr


def test_seam_out_of_reach(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 3."""

    def fetch(_: str) -> dict[str, Any]:
        raise match_inputs.Unreachable("Seam can't be reached")

    monkeypatch.setattr(match_inputs, "_device_from_seam", fetch)
    (files / "booking.json").write_text(json.dumps(FITS))
    args = ["match", "--device", DEVICE_ID, "--booking", str(files / "booking.json")]
    result = CliRunner().invoke(cli, args)
    assert result.exit_code == 3
    assert "can't be reached" in result.stderr
