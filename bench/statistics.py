"""What figures say: medians and their spread, ratios, and whether something grows in proportion. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from statistics import median

TOLERANCE = 0.20
"""How far the cost of one may move between the smallest and the largest size before growth isn't linear."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle of several rounds, and how far they lie apart."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of at least one value."""
        return cls(median(values), min(values), max(values))


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` (0 to 1) of them don't exceed: one that was measured, never a mean of two."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True)
class Growth:
    """How a cost moves with size. `factor`: cost of one at the largest size over that at the smallest."""

    factor: float
    is_linear: bool


def growth_of_total(cost_by_size: Mapping[int, float], tolerance: float = TOLERANCE) -> Growth:
    """Judge a cost that may grow in proportion to size: the cost of one may not rise by more than `tolerance`.

    One that falls (fixed costs shared by more) is as welcome as one that stays.
    """
    sizes = sorted(cost_by_size)
    each = {size: cost_by_size[size] / size for size in sizes}
    factor = each[sizes[-1]] / each[sizes[0]]
    steps = [each[more] / each[less] for less, more in pairwise(sizes)]
    return Growth(factor, max([factor, *steps]) <= 1 + tolerance)


def growth_of_one(cost_by_size: Mapping[int, float], tolerance: float = TOLERANCE) -> Growth:
    """Judge the cost of one operation that may not depend on how much is there at all."""
    return growth_of_total({size: cost * size for size, cost in cost_by_size.items()}, tolerance)
