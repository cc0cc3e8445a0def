"""The table at the end, and its verdicts."""

import pytest

from bench.table import shown, table, verdicts
from bench.targets import Target, missed, ratio


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (12_345.6, "12,346"),
        (12.34, "12.3"),
        (1.239, "1.24"),
        (0.0123, "0.012"),
        (0, "0"),
        (None, "–"),
        ("SKIPPED", "SKIPPED"),
    ],
)
def test_figures_have_as_many_digits_as_they_deserve(cell: object, text: str) -> None:
    """Three that count; nothing is invented for what wasn't measured."""
    assert shown(cell) == text


def test_columns_are_as_wide_as_they_must_be() -> None:
    """Names to the left, figures to the right."""
    assert table(("what", "n"), [("a", 1), ("longer", 1_000)]).splitlines() == [
        "what        n",
        "-------------",
        "a           1",
        "longer  1,000",
    ]


def test_verdicts_name_what_was_not_measured() -> None:
    """A peer that isn't there is neither met nor missed, and says why."""
    targets = (
        Target("rate", 2.0, "at least", 1.5, "×"),
        Target("wait", 2.0, "at most", 1.5, "s"),
        Target("peer", ratio(1.0, None), "at least", 1.5, "×", "node is not on PATH"),
    )
    text = verdicts(targets)
    assert [line.split("  ")[-1].strip() for line in text.splitlines()[2:]] == ["met", "MISSED", "not measured"]
    assert "node is not on PATH" in text
    assert [target.what for target in missed(targets)] == ["wait"]
