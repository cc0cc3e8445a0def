"""The catalogue of problems is complete: every reason has a row with its texts, and something raises it."""

import re
from pathlib import Path

import pytest

from shared.domain.booking.problem_catalogue import PROBLEMS, Reason, codes, doors, messages, seam, slots, system

# The actors: people read them in brackets after the next step.
ACTORS = {"ops", "installer", "seam", "dormakaba"}


def test_every_reason_has_a_row() -> None:
    """A reason without a row would never be told."""
    assert set(PROBLEMS) == set(Reason)


def test_each_reason_has_its_row_in_one_subject() -> None:
    """If there were two rows, one would replace the other."""
    rows = [reason for subject in (slots, codes, doors, seam, messages, system) for reason in subject.ROWS]
    assert sorted(rows) == sorted(PROBLEMS)


@pytest.mark.parametrize("reason", [*Reason])
def test_each_row_says_what_happened_and_what_to_do(reason: Reason) -> None:
    """Both texts are whole sentences, and the row names the actor."""
    row = PROBLEMS[reason]
    assert row.actor in ACTORS
    assert row.happened.endswith(".")
    assert row.steps.endswith((".", "`."))


@pytest.mark.parametrize("reason", [*Reason])
def test_each_reason_is_raised_somewhere(project: Path, reason: Reason) -> None:
    """By its name, or by its value as the reason of a door. Otherwise nobody could ever be told of it."""
    text = re.compile(rf'\bReason\.{reason.name}\b|"{reason.value}"')
    sources = [path for package in ("receiver", "worker", "shared") for path in (project / package).rglob("*.py")]
    assert any(text.search(path.read_text()) for path in sources if path.parent.name != "problem_catalogue")
