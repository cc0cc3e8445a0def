"""The targets of the benchmark, and whether they were met. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Sense = Literal["at least", "at most"]


@dataclass(frozen=True, slots=True)
class Target:
    """One figure and its limit. A figure of None couldn't be measured here: `why` says why."""

    what: str
    got: float | None
    sense: Sense
    limit: float
    unit: str = ""
    why: str = ""

    @property
    def verdict(self) -> str:
        """`met`, `MISSED`, or `not measured`."""
        if self.got is None:
            return "not measured"
        is_met = self.got >= self.limit if self.sense == "at least" else self.got <= self.limit
        return "met" if is_met else "MISSED"


def ratio(one: float | None, other: float | None) -> float | None:
    """Return one / other where both were measured."""
    return None if one is None or not other else one / other


def missed(targets: Sequence[Target]) -> list[Target]:
    """Return the targets that were measured and missed."""
    return [target for target in targets if target.verdict == "MISSED"]
