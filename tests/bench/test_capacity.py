"""The capacity model, and the document that shows it."""

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.capacity import Assumptions, Costs, costs_of, end_of_one_redis, figures, filled_in, needs_of

COSTS = Costs(**{field.name: float(number) for number, field in enumerate(fields(Costs), start=1)})
RESULTS = Path("bench/results.json")


@given(doors=st.integers(1, 10**9), times=st.integers(1, 100))
def test_needs_grow_in_proportion(doors: int, times: int) -> None:
    """So many times the doors need so many times of everything."""
    given_, less = Assumptions(), needs_of(doors, COSTS, Assumptions())
    more = needs_of(doors * times, COSTS, given_)
    for field in fields(less):
        assert getattr(more, field.name) == pytest.approx(getattr(less, field.name) * times)


def test_one_redis_ends_where_its_core_or_its_memory_is_used_up() -> None:
    """At that many doors exactly one core, or all the memory, is needed."""
    given_ = Assumptions()
    by_cpu, by_memory = end_of_one_redis(COSTS, given_)
    assert needs_of(round(by_cpu), COSTS, given_).redis_cores == pytest.approx(1, rel=1e-3)
    assert needs_of(round(by_memory), COSTS, given_).redis_gib == pytest.approx(given_.redis_gib, rel=1e-3)


def test_a_dearer_webhook_needs_more_of_web_alone() -> None:
    """Costs go where they belong."""
    dearer = needs_of(1_000, replace(COSTS, webhook_web=100.0), Assumptions())
    usual = needs_of(1_000, COSTS, Assumptions())
    assert dearer.web_cores > usual.web_cores
    assert replace(dearer, web_cores=0.0) == replace(usual, web_cores=0.0)


def test_the_document_shows_what_was_measured(project: Path) -> None:
    """docs/capacity.md is what the committed results make of it; none of its figures was typed."""
    results = json.loads((project / RESULTS).read_text())
    document = (project / "docs/capacity.md").read_text()
    assert costs_of(results).webhook_web > 0
    assert filled_in(document, figures(results)) == document


def test_a_document_without_a_place_is_refused() -> None:
    """Better no figures than figures nobody sees."""
    with pytest.raises(ValueError, match="no place"):
        filled_in("# Capacity", "figures")
