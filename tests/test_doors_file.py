"""The doors file: what is read, and every problem with its line."""

import re
import textwrap
from dataclasses import fields
from datetime import time, timedelta
from pathlib import Path

import pytest

from shared.domain.stay.stay import Granularity, UnitRules
from shared.doors_file import InvalidDoorsFile, load_doors_file

D, E = "d0000000-0000-0000-0000-000000000001", "d0000000-0000-0000-0000-000000000002"
WHOLE = """\
# Ocean Beach Vacations
"101":
  device_ids: [11111111-1111-1111-1111-444444444444]
  check_in: 16:00
  check_out: 10:00
  buffer_before: 30m
  buffer_after: 1h
  granularity: daily
  lead_time: 14d
102:
  device_ids:
    - d0000000-0000-0000-0000-000000000001
    - D0000000-0000-0000-0000-000000000002
"""


@pytest.fixture
def doors_file(tmp_path: Path) -> Path:
    """Return where the file is."""
    return tmp_path / "doors.yaml"


def problems_of(path: Path, content: str | bytes) -> list[tuple[int, str]]:
    """Return the lines and texts with which a file is refused."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    with pytest.raises(InvalidDoorsFile) as refused:
        load_doors_file(path)
    assert str(refused.value).startswith(str(path))
    return [(one.line, one.text) for one in refused.value.problems]


def test_whole_file(doors_file: Path) -> None:
    """Every field; numbers that YAML would make of times and names are read as they are written."""
    doors_file.write_text(WHOLE)
    units = load_doors_file(doors_file)
    assert units == {
        "101": UnitRules(
            unit="101",
            device_ids=("11111111-1111-1111-1111-444444444444",),
            check_in=time(16),
            check_out=time(10),
            buffer_before=timedelta(minutes=30),
            buffer_after=timedelta(hours=1),
            granularity=Granularity.DAILY,
            lead_time=timedelta(days=14),
        ),
        "102": UnitRules(
            unit="102", device_ids=("d0000000-0000-0000-0000-000000000001", "d0000000-0000-0000-0000-000000000002")
        ),
    }


@pytest.mark.parametrize(
    "check_in", ["16:00", '"16:00"', "'16:00'", "!!str 16:00"], ids=["bare", "double", "single", "tag"]
)
def test_ways_to_write_a_time(doors_file: Path, check_in: str) -> None:
    """Quoted or not: YAML 1.1 would read 16:00 as 960."""
    doors_file.write_text(f"u: {{device_ids: {D}, check_in: {check_in}, buffer_before: 0m}}")
    assert load_doors_file(doors_file)["u"].check_in == time(16)


def test_the_file_that_the_page_shows(project: Path, doors_file: Path) -> None:
    """It is read, and has every field."""
    page = (project / "docs/howto/add-a-door.md").read_text()
    (shown,) = re.findall(r"^ *```yaml\n(.*?)^ *```", page, re.MULTILINE | re.DOTALL)
    doors_file.write_text(textwrap.dedent(shown))
    units = load_doors_file(doors_file).values()
    assert [each.name for each in fields(UnitRules) if not any(getattr(unit, each.name) for unit in units)] == []


def test_anchors(doors_file: Path) -> None:
    """Values may be shared by name."""
    doors_file.write_text(f"a: {{device_ids: {D}, check_in: &in 15:00}}\nb: {{device_ids: {D}, check_in: *in}}\n")
    assert load_doors_file(doors_file)["b"].check_in == time(15)


def test_where_a_unit_is(doors_file: Path) -> None:
    """Its building and tags, for alerts; one tag may stand alone."""
    doors_file.write_text(
        f"a: {{device_ids: {D}, building: Tower A, tags: [vip, west]}}\nb: {{device_ids: {D}, tags: vip}}\n"
    )
    units = load_doors_file(doors_file)
    assert (units["a"].building, units["a"].tags) == ("Tower A", ("vip", "west"))
    assert (units["b"].building, units["b"].tags) == ("", ("vip",))


PROBLEMS: list[tuple[str, str | bytes, list[tuple[int, str]]]] = [
    ("empty", "", [(0, "is empty")]),
    ("comment alone", "# nothing\n", [(0, "is empty")]),
    ("list", "- a\n", [(1, "must be a mapping of units")]),
    ("text", "hello", [(1, "must be a mapping of units")]),
    ("not YAML", "a: [1\nb: 2\n", [(2, "is not YAML")]),
    ("tab", "a:\n\tdevices: d\n", [(2, "is not YAML")]),
    ("two documents", f"a: {{device_ids: {D}}}\n---\nb: {{device_ids: {D}}}\n", [(2, "is not YAML")]),
    ("unknown alias", "a: *b\n", [(1, "is not YAML")]),
    ("not UTF-8", b"\xff\xfea", [(0, "can't be read")]),
    ("control character", "a: \x00", [(0, "is not YAML")]),
    ("no devices", "a:\n  check_in: 16:00\n", [(1, "unit 'a' has no device_ids")]),
    ("empty devices", "a:\n  device_ids: []\n", [(2, "device_ids must be 1 to 100")]),
    ("null devices", "a:\n  device_ids:\n", [(2, "a device id must be")]),
    ("nested devices", "a:\n  device_ids: [[d]]\n", [(2, "a device id must be")]),
    ("device twice", f"a:\n  device_ids:\n  - {D}\n  - {D.upper()}\n", [(4, f"device '{D}' is listed twice")]),
    ("too many devices", f"a:\n  device_ids: {[f'{D[:-3]}{n:03}' for n in range(101)]}\n", [(2, "device_ids must be")]),
    ("a device that is no UUID", f"a:\n  device_ids: [{D}, front-door, '101', {D}0]\n", [
        (2, "'front-door' is not a UUID: give the device_id as Seam shows it"), (2, "'101' is not a UUID"),
        (2, f"'{D}0' is not a UUID")]),
    ("unit without rules", "a:\n", [(1, "unit 'a' must be a mapping")]),
    ("unit is a list", "a: [d]\n", [(1, "unit 'a' must be a mapping")]),
    ("unit without a name", f'"": {{device_ids: {D}}}\n', [(1, "the name of a unit must be")]),
    ("unit named by a list", f"? [a]\n: {{device_ids: {D}}}\n", [(1, "the name of a unit must be")]),
    ("unit twice", f"a: {{device_ids: {D}}}\na: {{device_ids: {E}}}\n",
     [(2, "'a' is a unit a second time: it stands on line")]),
    ("field twice", f"a:\n  device_ids: {D}\n  device_ids: {E}\n", [(3, "'device_ids' is a field a second time")]),
    ("unknown field", f"a:\n  device_ids: {D}\n  chekin: 16:00\n",
     [(3, "'chekin' is not known: there are device_ids")]),
    ("field is a list", f"a:\n  device_ids: {D}\n  [x]: y\n", [(3, "this is not known")]),
    ("time", f"a:\n  device_ids: {D}\n  check_in: 4 PM\n", [(3, "'4 PM' is not a time of day such as 16:00")]),
    ("impossible time", f"a:\n  device_ids: {D}\n  check_in: 24:00\n", [(3, "'24:00' is not a time")]),
    ("time is a list", f"a:\n  device_ids: {D}\n  check_in: [16, 0]\n", [(3, "must be one value")]),
    ("buffer", f"a:\n  device_ids: {D}\n  buffer_before: 30\n", [(3, "'30' is not a duration")]),
    ("long buffer", f"a:\n  device_ids: {D}\n  buffer_after: 25h\n", [(3, "too long for a buffer")]),
    ("granularity", f"a:\n  device_ids: {D}\n  granularity: weekly\n", [(3, "write hourly or daily")]),
    ("building", f"a:\n  device_ids: {D}\n  building: [x]\n", [(3, "a building must be 1 to 128")]),
    ("tag", f"a:\n  device_ids: {D}\n  tags: [x, [y]]\n", [(3, "a tag must be 1 to 128")]),
    ("lead time", f"a:\n  device_ids: {D}\n  lead_time: 0d\n", [(3, "must be longer than zero")]),
    ("everything at once", "a:\n  lead_time: x\n  check_in: y\nb: {}\n", [
        (1, "unit 'a' has no device_ids"), (2, "'x' is not a duration"), (3, "'y' is not a time"),
        (4, "unit 'b' has no device_ids")]),
    ("deep", "a: " + "[" * 3000, [(0, "")]),
]  # fmt: skip


@pytest.mark.parametrize(("content", "expected"), [pytest.param(*row, id=name) for name, *row in PROBLEMS])
def test_problems(doors_file: Path, content: str | bytes, expected: list[tuple[int, str]]) -> None:
    """Each fault on its line, all of them in the order of the file."""
    found = problems_of(doors_file, content)
    assert len(found) == len(expected)
    for (line, text), (expected_line, says) in zip(found, expected, strict=True):
        assert says in text
        assert text.isprintable()
        if says:
            assert line == expected_line


def test_missing_file(doors_file: Path) -> None:
    """Said as the system says it."""
    with pytest.raises(InvalidDoorsFile, match="No such file"):
        load_doors_file(doors_file)
