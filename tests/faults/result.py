"""The result of a fault run."""

from collections import Counter
from dataclasses import dataclass, field

from tests.faults.table import Row


@dataclass(slots=True)
class Result:
    """Counts, and the names of bookings and events that aren't as they should be."""

    bookings: int = 0
    kills: list[Row] = field(default_factory=list)
    search: Row = field(default_factory=lambda: Row("searched for secrets", within=None))
    answers: Counter[int] = field(default_factory=Counter)
    events_lost: list[str] = field(default_factory=list)
    events_repeated: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    unwanted: list[str] = field(default_factory=list)
    in_doubt: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    recovered_after: float = 0.0

    def is_clean(self) -> bool:
        """Whether nothing was lost, came twice or is in doubt, no secret was found, and recovery was in time."""
        return all(row.is_clean() for row in self.rows())

    def rows(self) -> list[Row]:
        """Return the rows of the table: each process that was killed, and the costs of all kills."""
        kills = sum(row.times for row in self.kills)
        under_way = Row("all of these kills together", times=kills, within=None)
        under_way.lost = [*self.events_lost, *self.missing, *self.unsettled]
        under_way.twice = [*self.twice, *self.unwanted]
        under_way.secrets, under_way.notes = self.search.secrets, self.search.notes
        under_way.broken = [*(f"in doubt: {each}" for each in self.in_doubt), *self.search.broken]
        under_way.notes = [
            f"under way: {self._accepted()} webhooks and {self.bookings} bookings that were accepted",
            f"Seam failed meanwhile: {sum(self.faults.values())} times",
            *self.search.notes,
        ]
        return [*self.kills, under_way]

    def details(self) -> list[str]:
        """Return the figures that aren't in the table."""
        others = ", ".join(f"{status or 'none'} {times}x" for status, times in self.answers.items() if status != 202)
        return [
            "failures of Seam",
            *(f"  {name:<38}{times:>6}" for name, times in sorted(self.faults.items())),
            "webhooks under way meanwhile",
            f"  answered 2xx        {self._accepted():>6}",
            f"  others, which are repeated by their sender: {others or 'none'}",
            f"  lost                {len(self.events_lost):>6} {self.events_lost[:5] or ''}",
            f"  in a story twice    {self.events_repeated:>6}",
            "bookings",
            f"  published           {self.bookings:>6}",
            f"  lost, or no code    {len(self.missing):>6} {self.missing[:5] or ''}",
            f"  codes made twice    {len(self.twice):>6} {self.twice[:5] or ''}",
            f"  codes nobody wanted {len(self.unwanted):>6} {self.unwanted[:5] or ''}",
            f"  in doubt            {len(self.in_doubt):>6} {self.in_doubt[:5] or ''}",
            f"  unsettled           {len(self.unsettled):>6} {self.unsettled[:5] or ''}",
            f"last fault to all settled: {self.recovered_after:.1f} s",
        ]

    def _accepted(self) -> int:
        return sum(times for status, times in self.answers.items() if 200 <= status < 300)
