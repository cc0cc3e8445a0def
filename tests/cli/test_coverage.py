"""`oracode coverage`: shares, what was lacking, and the fewest slots to ask for."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from tests.domain.building import device, vendor_slot
from worker.cli.coverage import command

cli = click.Group(commands={"coverage": command})
ZONE = "[America/Los_Angeles]"
D1, D2 = "d0000000-0000-0000-0000-000000000001", "d0000000-0000-0000-0000-000000000002"
FIRST = device(vendor_slot(f"16:00{ZONE}", f"10:00{ZONE}"), device_id=D1, display_name="Room 1")
SECOND = device(device_id=D2, display_name="Room 2")


def booking(check_in: str = "16:00", check_out: str = "10:00", **fields: Any) -> dict[str, Any]:
    """Return a booking of four nights at the first door."""
    return {
        "booking_id": "B",
        "device_ids": [D1],
        "check_in": f"2026-12-01T{check_in}",
        "check_out": f"2026-12-05T{check_out}",
    } | fields


def run(folder: Path, bookings: str, *more: str, devices: Any = FIRST, name: str = "b.jsonl") -> Result:
    """Run the command on files with these contents."""
    (folder / name).write_text(bookings)
    (folder / "d.json").write_text(devices if isinstance(devices, str) else json.dumps(devices))
    args = ["coverage", "--bookings", str(folder / name), "--devices", str(folder / "d.json"), *more]
    result = CliRunner().invoke(cli, args)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def lines(*bookings: dict[str, Any]) -> str:
    """Return bookings as JSON Lines."""
    return "\n".join(map(json.dumps, bookings))


TEXT = """\
50 % of 4 stays fit (2)

Room 1                         ██████████··········   50 %  2 of 4

What the others lacked:
       2  a slot 13:00 → 10:00

Ask the installer for 1 slot, for 95 % (the fewest):
  Room 1                         13:00 → 10:00  +2 stays
Then 100 % fit.

1 bookings were set aside:
  booking 5: none of its doors is among the devices
"""


def test_what_an_operator_sees(tmp_path: Path) -> None:
    """Share, door by door, what was lacking, what to ask for, what wasn't counted."""
    bookings = [booking()] * 2 + [booking("13:00")] * 2 + [booking(device_ids=["d0000000-0000-0000-0000-000000000009"])]
    result = run(tmp_path, lines(*bookings))
    assert result.stdout == TEXT
    assert result.exit_code == 1


def test_json(tmp_path: Path) -> None:
    """The same as an object."""
    result = run(tmp_path, lines(booking(), booking("13:00"), {}), "--json", "--share", "0.9")
    found = json.loads(result.stdout)
    assert (found["stays"], found["fitting"], found["share"]) == (2, 1, 0.5)
    assert found["proposal"]["slots"] == [
        {
            "device_id": D1,
            "door": "Room 1",
            "check_in_time": "13:00",
            "check_out_time": "10:00",
            "is_24_hour": False,
            "stays": 1,
        }
    ]
    assert found["proposal"]["is_exact"] is True
    assert found["set_aside"]["bookings"] == 1
    assert "booking_id" in found["set_aside"]["reasons"][0]


@pytest.mark.parametrize(("share", "code"), [("0.5", 0), ("0.51", 1), ("1", 1), ("2", 2)])
def test_exit_code(tmp_path: Path, share: str, code: int) -> None:
    """0 when the wanted share fits already."""
    assert run(tmp_path, lines(booking(), booking("13:00")), "--share", share).exit_code == code


CSV = f"""\
Booking_ID,device_id,check_in,check_out,granularity
B-1,{D1},2026-12-01T16:00,2026-12-05T10:00,
,{D1};{D2},2026-12-01 16:00,2026-12-05 10:00,hourly
"""


def test_csv(tmp_path: Path) -> None:
    """Columns by name; several doors in one field; rows without an id."""
    result = run(tmp_path, CSV, "--json", devices={"devices": [FIRST, SECOND]}, name="b.csv")
    found = json.loads(result.stdout)
    assert [(one["name"], one["stays"], one["fitting"]) for one in found["doors"]] == [
        ("Room 1", 2, 2),
        ("Room 2", 1, 0),
    ]


def test_csv_without_a_door_is_for_the_only_one(tmp_path: Path) -> None:
    """As an export of one unit is."""
    result = run(tmp_path, "\ufeffcheck_in,check_out\n2026-12-01T16:00,2026-12-05T10:00\n", name="b.csv")
    assert result.exit_code == 0


def test_units(tmp_path: Path) -> None:
    """A unit's doors and default times come from the doors file."""
    doors = tmp_path / "doors.yaml"
    doors.write_text(f"u: {{device_ids: [{D1}, {D2}], check_in: 16:00, check_out: 10:00}}")
    dates = {"booking_id": "B", "unit": "u", "check_in": "2026-12-01", "check_out": "2026-12-05"}
    devices = json.dumps(FIRST) + "\n" + json.dumps(SECOND)
    result = run(tmp_path, lines(dates), "--json", "--doors-file", str(doors), devices=devices)
    assert json.loads(result.stdout)["stays"] == 2


def test_several_device_files(tmp_path: Path) -> None:
    """After one --devices or several."""
    (tmp_path / "e.json").write_text(json.dumps({"device": SECOND}))
    for more in (["--devices", str(tmp_path / "e.json")], [str(tmp_path / "e.json")]):
        result = run(tmp_path, lines(booking(), booking(device_ids=[D2])), "--json", *more)
        assert len(json.loads(result.stdout)["doors"]) == 2


@pytest.mark.parametrize(
    ("bookings", "devices", "says"),
    [
        pytest.param("", FIRST, "neither JSON Lines nor CSV", id="no bookings"),
        pytest.param("hello", FIRST, "neither JSON Lines nor CSV", id="text"),
        pytest.param("{}", FIRST, "no booking can be counted", id="none usable"),
        pytest.param("\udcff", FIRST, "not UTF-8", id="not UTF-8"),
        pytest.param(lines(booking()), {"devices": []}, "no device", id="no devices"),
        pytest.param(lines(booking()), [{}], "not a lock", id="no lock"),
        pytest.param(lines(booking()), "{", "not JSON", id="devices not JSON"),
    ],
)
def test_unusable_input(tmp_path: Path, bookings: str, devices: Any, says: str) -> None:
    """Exit code 2, and why."""
    (tmp_path / "raw").write_bytes(bookings.encode("utf-8", "surrogateescape"))
    (tmp_path / "d.json").write_text(devices if isinstance(devices, str) else json.dumps(devices))
    args = ["coverage", "--bookings", str(tmp_path / "raw"), "--devices", str(tmp_path / "d.json")]
    result = CliRunner().invoke(cli, args)
    assert result.exit_code == 2
    assert says in result.stderr


def test_nothing_helps(tmp_path: Path) -> None:
    """Stays that no slot would serve."""
    year = booking() | {"check_out": "2027-12-05T10:00"}
    text = run(tmp_path, lines(year)).stdout
    assert "too long" in text
    assert "No new slot would bring the share nearer" in text
