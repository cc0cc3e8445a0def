"""`oracode match --at`: a guest who books after the start of a slot."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.match_runs import FITS, run
from worker.cli import match

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
