"""`oracode match`: exit codes, the contract's JSON, and what an operator sees."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from tests.domain.building import device, vendor_slot
from worker.cli import match, match_inputs
from worker.cli.match import command

DEVICE = device(
    vendor_slot("16:00:00[America/Los_Angeles]", "10:00:00[America/Los_Angeles]", name="Guest 4pm-10am"),
    vendor_slot("00:00[America/Los_Angeles]", "00:00[America/Los_Angeles]", name="Owner", is_master=True),
)
DEVICE_ID = "d0000000-0000-0000-0000-000000000001"
FITS = {
    "booking_id": "BK-1001",
    "device_ids": ["11111111-1111-1111-1111-444444444444"],
    "check_in": "2026-12-01T15:45:00-08:00",
    "check_out": "2026-12-05T10:15:00-08:00",
}
MISSES = FITS | {"booking_id": "BK-1002", "check_in": "2026-12-01T14:00"}
BROKEN = {"booking_id": "BK-1003"}
LONG = FITS | {"booking_id": "BK-1004", "check_out": "2027-01-20T10:00:00-08:00"}

# The real group lives elsewhere; a command must work in any.
cli = click.Group(commands={"match": command})


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Return a folder with a device file in it."""
    (tmp_path / "device.json").write_text(json.dumps({"device": DEVICE}))
    return tmp_path


def run(files: Path, booking: Any, *more: str, env: Mapping[str, str] | None = None) -> Result:
    """Run the command on the device file and a booking."""
    path = files / "booking.json"
    if isinstance(booking, bytes):
        path.write_bytes(booking)
    else:
        path.write_text(booking if isinstance(booking, str) else json.dumps(booking))
    args = ["match", "--device", str(files / "device.json"), "--booking", str(path), *more]
    result = CliRunner().invoke(cli, args, env=env)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


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
    """Said so, on standard error, with exit code 2."""
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
    """What isn't a file is asked for at Seam."""
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
    """Seam is asked for it as it writes ids itself."""
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


HUMAN = """\
BK-1002 at Room 101 (America/Los_Angeles)
2026-12-01 14:00 → 2026-12-05 10:15, 3 days 20 h 15 min, hourly

                              00    03    06    09    12    15    18    21    24
check-in                                                  ▼
check-out                                         ▼
Guest 4pm-10am                ████████████████████············████████████████
Owner                         ████████████████████████████████████████████████

  ✘ Guest 4pm-10am (in: 2 h later, out: 15 min earlier): check-in is more than
  60 minutes away
  ✘ Owner (in: 10 h later, out: 10 h 15 min earlier): a master slot is never
  used

✘ NO SLOT: no usable slot lies within 60 minutes of both check-in and check-out

What would help, smallest change first:
  1. Move the check-in 2 h later, to 2026-12-01 16:00: a code of “Guest
  4pm-10am” then works from 2026-12-01 16:00 to 2026-12-05 10:00
  America/Los_Angeles.
  2. Ask the dormakaba installer for a time slot 14:00 to 10:30: a code then
  works from 2026-12-01 14:00 to 2026-12-05 10:30 America/Los_Angeles.
"""


def test_what_an_operator_sees(files: Path) -> None:
    """The booking, the day, every slot with its gaps, the reason, what to do."""
    assert run(files, MISSES).stdout == HUMAN


def test_matched_for_people(files: Path) -> None:
    """What the gaps mean to the guest."""
    text = run(files, FITS).stdout
    assert "✔ MATCHED: “Guest 4pm-10am”" in text
    assert "The guest waits 15 min at check-in; it ends 15 min before check-out." in text
    assert "← this one" in text


def test_width_and_hostile_names(files: Path) -> None:
    """80 columns, and nothing that a terminal would obey."""
    names = [
        "\x1b[31mred",
        "[bold]x[/bold]",
        "a\nb",
        "清掃スタッフのための長い名前です" * 3,
        "x" * 200,
        "\u202eabc",
        "",
    ]
    slots = [vendor_slot("16:00[UTC]", "10:00Z", name=name) for name in names]
    (files / "device.json").write_text(json.dumps(device(*slots, display_name="\x1b]0;title\x07")))
    text = run(files, FITS | {"label": "[red]Räume 1"}).stdout
    assert "[bold]x[/bold]" in text
    assert "[red]Räume 1" in text
    for line in text.splitlines():
        assert line.isprintable(), line
        assert len(line) <= 80 or "x" * 100 in line


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_terminals_that_cannot_draw(files: Path, encoding: str) -> None:
    """In ASCII where there is nothing else; never a failure."""
    (files / "booking.json").write_text(json.dumps(MISSES | {"label": "Räume 清"}))
    args = ["--device", str(files / "device.json"), "--booking", str(files / "booking.json")]
    code = "from worker.cli.match import command; command()"
    finished = subprocess.run(
        [sys.executable, "-c", code, *args],
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert finished.returncode == 1, finished.stderr
    text = finished.stdout.decode(encoding)
    assert ("█" if encoding == "utf-8" else "####") in text


def test_a_setting_that_is_not_needed_stands_in_nobodys_way(files: Path) -> None:
    """DOORS_FILE names no file: that matters to bookings of units alone, and as an option always."""
    missing = str(files / "nowhere.yaml")
    assert run(files, FITS, env={"DOORS_FILE": missing}).exit_code == 0
    needed = run(files, FITS | {"unit": "101", "device_ids": None}, env={"DOORS_FILE": missing})
    assert needed.exit_code == 2
    assert "nowhere.yaml" in needed.stderr
    assert run(files, FITS, "--doors-file", missing).exit_code == 2


def test_all_bad_settings_are_named_at_once_by_their_names(files: Path) -> None:
    """Whoever mends settings mends them once; what an option overrules isn't looked at, an empty one is absent."""
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


LATE = FITS | {"booking_id": "BK-1005", "check_in": "2026-12-01T21:18:00-08:00"}


def test_a_walk_in_gets_the_slot_that_has_begun(files: Path) -> None:
    """As the worker decides then: the slot as if chosen, `covers`, and why. Before its start a person decides."""
    before = run(files, LATE, "--json", "--at", "2026-12-01T15:59-08:00")
    assert (before.exit_code, json.loads(before.stdout)["outcome"]) == (1, "no_slot")
    result = run(files, LATE, "--json", "--at", "2026-12-01T21:20-08:00")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["outcome"], found["fit"], found["suggestions"]) == (0, "matched", "locks_out", [])
    assert (found["starts_at"], found["check_in_gap_minutes"]) == ("2026-12-01T16:00:00-08:00", -318)
    covered = LATE | {"check_out": "2026-12-05T09:30:00-08:00"}
    assert json.loads(run(files, covered, "--json", "--at", "2026-12-01T21:20-08:00").stdout)["fit"] == "covers"
    for_people = " ".join(run(files, LATE, "--at", "2026-12-01T21:20-08:00").stdout.split())
    assert "MATCHED: “Guest 4pm-10am”" in for_people
    assert "after the start of the slot “Guest 4pm-10am”. That start has passed" in for_people


def test_without_a_moment_it_is_now(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of this machine."""
    monkeypatch.setattr(match, "system_clock", lambda: datetime(2026, 12, 2, 6, tzinfo=UTC))
    assert run(files, LATE).exit_code == 0
    monkeypatch.setattr(match, "system_clock", lambda: datetime(2026, 12, 1, 6, tzinfo=UTC))
    assert run(files, LATE).exit_code == 1


@pytest.mark.parametrize("at", ["tonight", "2026-12-01T21:20", ""])
def test_a_moment_that_could_be_any_is_refused(files: Path, at: str) -> None:
    """Exit 2, and what to write."""
    result = run(files, LATE, "--at", at)
    assert result.exit_code == 2
    assert "2026-12-01T21:30-08:00" in result.stderr
