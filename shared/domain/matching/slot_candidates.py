"""The slots that could be added to a door, and which stays each of them would serve.

The stays are the bits of one integer, one bit for each stay. So the stays that several slots serve are found with one
operation, however many stays there are.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain.matching.coverage import DoorCoverage, Missed
from shared.domain.matching.match import Outcome
from shared.domain.matching.rules import LONGEST_CODE, TOLERANCE
from shared.domain.stay.stay import Granularity
from shared.domain.stay.wall_stay import WallStay
from shared.domain.times.wall_clock import DAY

MOST_PAIRS = 10_000
"""If there are more pairs of times to try than these, only round times are tried."""
MOST_CANDIDATES = 1_000
"""If there are more slots than these on one door, only those that serve the most stays are tried."""

_MINUTE = 60_000_000
_QUARTER = 15 * _MINUTE
_NOON = DAY // 2
# For shorter or longer stays the window may be empty, or longer than 31 days: only a match can tell.
_SHORTEST, _LONGEST = 2 * TOLERANCE, LONGEST_CODE - 2 * TOLERANCE


@dataclass(frozen=True, slots=True)
class Candidate:
    """A slot that could be added; `serves` is the set of stays that it would serve. Times are microseconds of a day."""

    check_in: int
    check_out: int
    serves: int
    is_24_hour: bool = False


def candidates_for(covered: DoorCoverage) -> tuple[list[Candidate], bool]:
    """Return the slots that are worth trying, and whether it is certain that no other is better."""
    hourly, daily, has_all = _solvable(covered)
    starts, ends, stays = _Times(later_locks_out=True), _Times(later_locks_out=False), 0
    for missed, wall in hourly:
        block = ((1 << missed.count) - 1) << stays
        starts.add(wall.check_in_of_day, block)
        ends.add(wall.check_out_of_day, block)
        stays += missed.count
    near_in, near_out = starts.worth_trying(), ends.worth_trying()
    if len(near_in) * len(near_out) > MOST_PAIRS:
        near_in, near_out = starts.worth_trying(only_round=True), ends.worth_trying(only_round=True)
        has_all = False
    found = {
        serves: Candidate(start, end, serves)
        for start, in_set in near_in.items()
        for end, out_set in near_out.items()
        if (serves := in_set & out_set)
    }
    largest = sorted(found.values(), key=lambda one: -one.serves.bit_count())[:MOST_CANDIDATES]
    candidates = _undominated(largest)
    if daily:
        served = (1 << sum(missed.count for missed, _ in daily)) - 1
        candidates.append(Candidate(_NOON, _NOON, served << stays, is_24_hour=True))
    return candidates, has_all and len(largest) == len(found)


def _solvable(
    covered: DoorCoverage,
) -> tuple[list[tuple[Missed, WallStay]], list[tuple[Missed, WallStay]], bool]:
    """Return the missed stays that a new slot would serve, hourly and daily, and whether these are all.

    A stay is left out if it is so short or so long that only a match can say which slot serves it.
    """
    hourly: list[tuple[Missed, WallStay]] = []
    daily: list[tuple[Missed, WallStay]] = []
    has_all = True
    for missed in covered.missed.values():
        wanted = missed.lack.outcome in (Outcome.NO_SLOT, Outcome.NO_SLOTS_CONFIGURED)
        if not wanted or missed.example.slot is not None:
            continue
        by_day = missed.example.granularity is Granularity.DAILY
        shortest, longest = (0, LONGEST_CODE - DAY) if by_day else (_SHORTEST, _LONGEST)
        if missed.wall is not None and shortest < missed.wall.length <= longest:
            (daily if by_day else hourly).append((missed, missed.wall))
        else:
            has_all = False
    return hourly, daily, has_all


class _Times:
    """The times of day at which stays begin (or end), and which stays each slot time would serve."""

    def __init__(self, *, later_locks_out: bool) -> None:
        self._at: dict[int, int] = {}
        self._sign = 1 if later_locks_out else -1

    def add(self, of_day: int, stays: int) -> None:
        self._at[of_day] = self._at.get(of_day, 0) | stays

    def worth_trying(self, *, only_round: bool = False) -> dict[int, int]:
        """Return times for a slot, each with the stays within an hour of it.

        Times that are an hour from a stay are enough: any slot can be moved until one of its stays is exactly an hour
        away. If several times serve the same stays, the best is kept: the shortest lock-out, then the roundest time,
        then the nearest.
        """
        times = {*range(0, DAY, _QUARTER)}
        if not only_round:
            times |= {(of_day + TOLERANCE) % DAY for of_day in self._at}
        around = sorted(of_day + day for of_day in self._at for day in (-DAY, 0, DAY))
        best: dict[int, tuple[tuple[int, int, int, int], int]] = {}
        for at in times:
            first, last = bisect_left(around, at - TOLERANCE), bisect_right(around, at + TOLERANCE)
            near = lock_out = distance = 0
            for of_day in around[first:last]:
                stays = self._at[of_day % DAY]
                near |= stays
                lock_out += max(self._sign * (at - of_day), 0) * stays.bit_count()
                distance += abs(at - of_day) * stays.bit_count()
            rank = lock_out, _roundness(at), distance, at
            if near and (near not in best or rank < best[near][0]):
                best[near] = rank, at
        return {at: near for near, (_, at) in best.items()}


def _roundness(of_day: int) -> int:
    """Return 0 for full hours, and more for times that are harder to remember."""
    steps = (60, 30, 15, 5, 1)
    round_to = (n for n, step in enumerate(steps) if of_day % (step * _MINUTE) == 0)
    return next(round_to, len(steps))


def _undominated(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Leave out each slot if another one serves all of its stays; those that serve the most come first."""
    kept: list[Candidate] = []
    for one in candidates:
        if not any(one.serves | other.serves == other.serves for other in kept):
            kept.append(one)
    return kept


def union_of(chosen: Iterable[Candidate]) -> int:
    """Return the set of stays that these slots serve together."""
    union = 0
    for one in chosen:
        union |= one.serves
    return union
