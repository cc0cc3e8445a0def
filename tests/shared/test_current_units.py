"""The doors file while processes run: read again when it changes, and never worse than the last good one."""

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from receiver.units import KnownUnits
from shared.current_units import CurrentUnits
from shared.domain.stay.stay import UnitRules
from shared.doors_file import InvalidDoorsFile
from worker.alerts.setup import CurrentPlaces

D = "11111111-1111-1111-1111-444444444444"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a doors file with the unit 101."""
    file = tmp_path / "doors.yaml"
    file.write_text(f"'101': {{device_ids: {D}, building: Tower A}}\n", encoding="utf-8")
    return file


def test_it_follows_the_file(path: Path) -> None:
    """A unit that is added is there, one that is taken out is gone; without a change it is the same object."""
    units = CurrentUnits.load(path)
    assert list(units) == ["101"]
    assert units.current() is units.current()
    path.write_text(f"'102': {{device_ids: {D}}}\n'103': {{device_ids: {D}}}\n", encoding="utf-8")
    assert list(units) == ["102", "103"]
    assert "101" not in units


def test_a_file_is_read_once_for_what_it_says(path: Path) -> None:
    """At the start, too: it may be large."""
    with capture_logs() as logs:
        assert list(CurrentUnits.load(path)) == ["101"]
    assert [line["event"] for line in logs] == ["doors_file.read"]


def test_a_file_that_is_replaced_counts(path: Path, tmp_path: Path) -> None:
    """As editors and deployments do it: another file under the same name, at the same time and of the same size."""
    units = CurrentUnits.load(path)
    before = path.stat()
    other = tmp_path / "other.yaml"
    other.write_text(path.read_text(encoding="utf-8").replace("101", "109"), encoding="utf-8")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    assert list(units) == ["109"]


@pytest.mark.parametrize("content", ["101: [", "", "'102': {}"], ids=["no YAML", "empty", "a problem"])
def test_a_broken_file_changes_nothing(path: Path, content: str) -> None:
    """The last good file stays in use, and the error is named. Once it is corrected, the file is read again."""
    units, of_web = CurrentUnits.load(path), KnownUnits(path)
    good = path.read_text(encoding="utf-8")
    path.write_text(content, encoding="utf-8")
    assert list(units) == ["101"]
    assert str(path) in units.problem
    assert "nobody knows" in of_web
    path.write_text(good + f"'102': {{device_ids: {D}}}\n", encoding="utf-8")
    assert (list(units), units.problem) == (["101", "102"], "")
    assert ("102" in of_web, "103" in of_web) == (True, False)


def test_a_file_that_is_gone_changes_nothing(path: Path) -> None:
    """It may be just being replaced."""
    units = CurrentUnits.load(path)
    path.unlink()
    assert list(units) == ["101"]
    assert units.problem


def test_a_process_does_not_start_with_a_broken_one(path: Path) -> None:
    """There is no last good one then."""
    path.write_text("101: [", encoding="utf-8")
    with pytest.raises(InvalidDoorsFile):
        CurrentUnits.load(path)
    assert not CurrentUnits(path).is_known


def test_alerts_know_where_a_new_door_is(path: Path) -> None:
    """Its building groups and routes them."""
    places = CurrentPlaces(CurrentUnits.load(path))
    assert (places[D].building, len(places)) == ("Tower A", 1)
    path.write_text(f"'101': {{device_ids: {D}, building: Tower B}}\n", encoding="utf-8")
    assert places[D].building == "Tower B"
    assert dict(CurrentPlaces({"1": UnitRules(unit="1", device_ids=("d",))})).keys() == {"d"}
