"""What the benchmark concludes from its figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.statistics import Spread, growth_of_one, growth_of_total, quantile

FIGURES = st.lists(st.floats(0, 1e6), min_size=1, max_size=50)


@given(values=FIGURES, share=st.floats(0, 1))
def test_a_quantile_is_a_value_that_this_share_does_not_exceed(values: list[float], share: float) -> None:
    """It was measured itself, and enough of the others are no greater."""
    found = quantile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)


def test_there_is_no_quantile_of_nothing() -> None:
    """Nothing was measured: that must not look like a figure."""
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)


def test_the_middle_of_three_rounds() -> None:
    """One round that was disturbed doesn't move it."""
    assert Spread.of([10.0, 900.0, 11.0]) == Spread(11.0, 10.0, 900.0)


GROWTH = {
    "in proportion": ({10: 1.0, 100: 10.0, 1_000: 100.0}, True),
    "a fifth more": ({10: 1.0, 100: 10.0, 1_000: 120.0}, True),
    "more than a fifth": ({10: 1.0, 100: 10.0, 1_000: 121.0}, False),
    "a jump in the middle": ({10: 1.0, 100: 20.0, 1_000: 100.0}, False),
    "fixed costs that are shared": ({10: 5.0, 100: 14.0, 1_000: 104.0}, True),
    "by the square": ({10: 1.0, 100: 100.0, 1_000: 10_000.0}, False),
}


@pytest.mark.parametrize(("costs", "is_linear"), GROWTH.values(), ids=GROWTH.keys())
def test_growth_in_proportion(costs: dict[int, float], is_linear: bool) -> None:  # noqa: FBT001 - a row of the table
    """The cost of one may not rise by more than a fifth, from the smallest to the largest nor between two."""
    assert growth_of_total(costs).is_linear is is_linear


def test_one_operation_costs_what_it_did_however_much_is_there() -> None:
    """Level is linear; in proportion to what is there is not."""
    assert growth_of_one({10: 1.0, 1_000: 1.1}).is_linear
    assert growth_of_one({10: 1.0, 1_000: 100.0}).factor == pytest.approx(100)
