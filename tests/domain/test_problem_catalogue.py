"""The catalogue of problems is whole: every reason has its row, every row its reader, and something raises it."""

import re
from pathlib import Path

import pytest

from shared.domain.booking.problem_catalogue import PROBLEMS, Reason

# Who may have to act: what people read in brackets behind the next step.
ACTORS = {"ops", "installer", "seam", "dormakaba"}


def test_every_reason_has_a_row() -> None:
    """A reason without one would be told to nobody."""
    assert set(PROBLEMS) == set(Reason)


@pytest.mark.parametrize("reason", [*Reason])
def test_each_row_says_what_happened_and_what_to_do(reason: Reason) -> None:
    """In whole sentences, and who does it."""
    row = PROBLEMS[reason]
    assert row.actor in ACTORS
    assert row.happened.endswith(".")
    assert row.steps.endswith((".", "`."))


@pytest.mark.parametrize("reason", [*Reason])
def test_each_reason_is_raised_somewhere(project: Path, reason: Reason) -> None:
    """By its name, or as the reason of a door; one that nothing raises is a promise that nobody keeps."""
    text = re.compile(rf'\bReason\.{reason.name}\b|"{reason.value}"')
    sources = [path for package in ("receiver", "worker", "shared") for path in (project / package).rglob("*.py")]
    assert any(text.search(path.read_text()) for path in sources if path.name != "problem_catalogue.py")
