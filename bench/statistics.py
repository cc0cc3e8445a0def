"""Medians and their spread, and whether a cost grows in proportion to size. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from statistics import median

TOLERANCE = 0.20
"""How much the cost of one may change from the smallest to the largest size and still count as linear growth."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of several rounds, and their range."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of at least one value."""
        return cls(median(values), min(values), max(values))


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that a `share` (0 to 1) of the values doesn't exceed: a measured value, never a mean of two."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True)
class Growth:
    """How a cost grows with size. `factor` is the cost of one at the largest size, divided by that at the smallest."""

    factor: float
    is_linear: bool


def growth_of_total(cost_by_size: Mapping[int, float]) -> Growth:
    """Judge a cost that may grow in proportion to size: the cost of one may not rise by more than TOLERANCE.

    It may fall, because more share the fixed costs.
    """
    sizes = sorted(cost_by_size)
    each = {size: cost_by_size[size] / size for size in sizes}
    factor = each[sizes[-1]] / each[sizes[0]]
    steps = [each[more] / each[less] for less, more in pairwise(sizes)]
    return Growth(factor, max([factor, *steps]) <= 1 + TOLERANCE)


def growth_of_one(cost_by_size: Mapping[int, float]) -> Growth:
    """Judge the cost of one operation that must not depend on the size at all."""
    return growth_of_total({size: cost * size for size, cost in cost_by_size.items()})
