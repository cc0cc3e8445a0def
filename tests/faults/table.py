"""The table at the end of a fault run: what was done, how often, what it cost, and how long it took."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from tests.support.waiting import PATIENCE

# The promise in seconds; a recovery is given up after twice that.
WITHIN = 15.0


@dataclass(slots=True)
class Row:
    """One kind of fault: how often, what was lost or came twice, and how many seconds each recovery took.

    `within` is the promise for the slowest; None if the time doesn't depend on our code. Several kinds may share one
    count of what was lost: then another row has it, and `is_counted` is false.
    """

    what: str
    times: int = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    within: float | None = WITHIN
    is_counted: bool = True
    notes: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def is_clean(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.twice or self.secrets or self.broken or self.is_late())

    def is_late(self) -> bool:
        """Whether a recovery took longer than promised; much longer, if other tests run beside it."""
        return self.within is not None and max(self.seconds, default=0.0) > PATIENCE * self.within

    def cells(self) -> str:
        """Return the line."""
        found = (len(self.lost), len(self.twice), len(self.secrets)) if self.is_counted else ("", "", "")
        counts = f"{self.times:>6}{found[0]:>6}{found[1]:>7}{found[2]:>9}"
        seconds = f"{median(self.seconds):>8.1f} s{max(self.seconds):>7.1f} s" if self.seconds else ""
        return f"{self.what:<46}{counts}{seconds}"


def table(rows: Iterable[Row]) -> list[str]:
    """Return the lines; problems are named below their row."""
    head = f"{'what was done':<46}{'times':>6}{'lost':>6}{'twice':>7}{'secrets':>9}{'median':>10}{'max':>9}"
    lines = [head, "-" * len(head)]
    for row in rows:
        lines.append(row.cells())
        lines += [f"    {note}" for note in row.notes]
        lines += [f"    LOST {each}" for each in row.lost[:5]]
        lines += [f"    TWICE {each}" for each in row.twice[:5]]
        lines += [f"    SECRET {each}" for each in row.secrets[:5]]
        lines += [f"    BROKEN {each}" for each in row.broken[:5]]
        lines += [f"    LATE: {row.within:.0f} s are promised"] if row.is_late() else []
    return [*lines, "", "median, max: from the fault's end, or from the kill, until the work is done again"]
