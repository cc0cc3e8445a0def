"""The fewest slots to ask the installer for, so that a wanted share of stays is served.

The stays that a slot serves are the bits of one integer, one bit for each stay. So trying a slot takes a few operations
on integers, however many stays there are. Small cases are solved exactly: all combinations are tried of the slots that
no other slot can replace. Large cases are solved greedily, and the proposal says so.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import time
from heapq import heapify, heappop, heappush
from itertools import combinations, pairwise
from math import ceil, comb
from typing import Any

from shared.domain.door.door import Door, TimeSlot
from shared.domain.matching.coverage import Coverage, DoorCoverage, Missed, share_of
from shared.domain.matching.match import MatchPolicy, Outcome, match
from shared.domain.matching.rules import LONGEST_CODE, TOLERANCE, slot_zone
from shared.domain.stay.stay import Granularity
from shared.domain.stay.wall_stay import WallStay
from shared.domain.times.time_of_day import TimeOfDay
from shared.domain.times.wall_clock import DAY

MOST_SLOTS = 6
"""Nobody would ask an installer for more new slots than these on one door."""
MOST_PAIRS = 10_000
"""If there are more pairs of times to try than these, only round times are tried."""
MOST_CANDIDATES = 1_000
"""If there are more slots than these on one door, only those that serve the most stays are tried."""
MOST_COMBINATIONS = 20_000
"""If one door has more combinations of slots than these, they are chosen one after another (greedily)."""

_MINUTE = 60_000_000
_QUARTER = 15 * _MINUTE
_NOON = DAY // 2
# For shorter or longer stays the window may be empty, or longer than 31 days: only a match can tell.
_SHORTEST, _LONGEST = 2 * TOLERANCE, LONGEST_CODE - 2 * TOLERANCE


@dataclass(frozen=True, slots=True)
class NewSlot:
    """A slot to ask for, and how many more stays it serves than the slots before it in the list."""

    door: Door
    slot: TimeSlot
    stays: int

    def as_json(self) -> Mapping[str, Any]:
        """Return the slot as a plain object."""
        return {
            "device_id": self.door.device_id,
            "door": self.door.name,
            "check_in_time": str(self.slot.check_in),
            "check_out_time": str(self.slot.check_out),
            "is_24_hour": self.slot.is_24_hour,
            "stays": self.stays,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What to ask the installer for. `share` is the share of stays served then, checked by matching.

    `is_reached` is False if no slots could serve the wanted share: then the proposal has those that serve the most.
    `is_exact` is False if fewer slots might be enough.
    """

    wanted_share: float
    share: float
    is_reached: bool
    is_exact: bool
    slots: tuple[NewSlot, ...]

    def as_json(self) -> Mapping[str, Any]:
        """Return the proposal as a plain object."""
        return {
            "wanted_share": self.wanted_share,
            "share": self.share,
            "is_reached": self.is_reached,
            "is_exact": self.is_exact,
            "slots": [one.as_json() for one in self.slots],
        }


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A slot that could be added, and the set of stays that it would serve."""

    check_in: int
    check_out: int
    serves: int
    is_24_hour: bool = False


@dataclass(frozen=True, slots=True)
class _DoorOptions:
    """The most that new slots can gain on one door: `choices[k]` are the best k new slots."""

    covered: DoorCoverage
    choices: tuple[tuple[_Candidate, ...], ...]
    is_exact: bool

    def gains(self) -> list[int]:
        """Return how many stays each further slot adds."""
        served = [_union(chosen).bit_count() for chosen in self.choices]
        return [more - less for less, more in pairwise(served)]


def propose(coverage: Coverage, wanted_share: float, policy: MatchPolicy) -> Proposal:
    """Return the fewest slots with which `wanted_share` (0 to 1) of the stays is served."""
    missing = ceil(wanted_share * coverage.stays - 1e-9) - coverage.fitting
    options = [_options(one) for one in coverage.doors] if missing > 0 else []
    amounts, is_optimal = _allocate(options, missing)
    slots: list[NewSlot] = []
    served = coverage.fitting
    for option, amount in zip(options, amounts, strict=True):
        added = _as_slots(option, option.choices[amount])
        slots.extend(added)
        served += _served_by(option.covered, [one.slot for one in added], policy)
    return Proposal(
        wanted_share=wanted_share,
        share=share_of(served, coverage.stays),
        is_reached=served - coverage.fitting >= missing,
        is_exact=is_optimal and all(option.is_exact for option in options),
        slots=tuple(sorted(slots, key=lambda one: -one.stays)),
    )


def _options(covered: DoorCoverage) -> _DoorOptions:
    candidates, has_all = _candidates(covered)
    choices: list[tuple[_Candidate, ...]] = [()]
    is_exact = has_all
    possible = _union(candidates).bit_count()
    while len(choices) <= MOST_SLOTS and _union(choices[-1]).bit_count() < possible:
        size = len(choices)
        if comb(len(candidates), size) <= MOST_COMBINATIONS:
            tried: Iterable[tuple[_Candidate, ...]] = combinations(candidates, size)
        else:
            is_exact = False
            tried = ((*choices[-1], one) for one in candidates)
        choices.append(max(tried, key=lambda chosen: _union(chosen).bit_count()))
    reaches_all = _union(choices[-1]).bit_count() == possible
    return _DoorOptions(covered, tuple(choices), is_exact and reaches_all)


def _candidates(covered: DoorCoverage) -> tuple[list[_Candidate], bool]:
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
        serves: _Candidate(start, end, serves)
        for start, in_set in near_in.items()
        for end, out_set in near_out.items()
        if (serves := in_set & out_set)
    }
    largest = sorted(found.values(), key=lambda one: -one.serves.bit_count())[:MOST_CANDIDATES]
    candidates = _undominated(largest)
    if daily:
        served = (1 << sum(missed.count for missed, _ in daily)) - 1
        candidates.append(_Candidate(_NOON, _NOON, served << stays, is_24_hour=True))
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


def _undominated(candidates: Iterable[_Candidate]) -> list[_Candidate]:
    """Leave out each slot if another one serves all of its stays; those that serve the most come first."""
    kept: list[_Candidate] = []
    for one in candidates:
        if not any(one.serves | other.serves == other.serves for other in kept):
            kept.append(one)
    return kept


def _union(chosen: Iterable[_Candidate]) -> int:
    union = 0
    for one in chosen:
        union |= one.serves
    return union


def _allocate(options: Sequence[_DoorOptions], missing: int) -> tuple[list[int], bool]:
    """Return how many slots each door gets, and whether fewer can't be enough.

    The largest gain is taken first. That is optimal unless on some door a later slot gains more than the one before it.
    """
    gains = [option.gains() for option in options]
    amounts = [0] * len(options)
    queue = [(-of_door[0], place) for place, of_door in enumerate(gains) if of_door]
    heapify(queue)
    while queue and missing > 0:
        gain, place = heappop(queue)
        missing += gain
        amounts[place] += 1
        if amounts[place] < len(gains[place]):
            heappush(queue, (-gains[place][amounts[place]], place))
    return amounts, all(of_door == sorted(of_door, reverse=True) for of_door in gains)


def _as_slots(option: _DoorOptions, chosen: Iterable[_Candidate]) -> list[NewSlot]:
    door = option.covered.door
    zone = door.time_zone or next((slot_zone(slot, door) for slot in door.slots), None)
    slots: list[NewSlot] = []
    served = 0
    for one in sorted(chosen, key=lambda one: -one.serves.bit_count()):
        adds = (one.serves & ~served).bit_count()
        served |= one.serves
        check_in, check_out = _time(one.check_in), _time(one.check_out)
        slot = TimeSlot(
            name=f"{check_in:%H:%M}-{check_out:%H:%M}",
            user_level_id="",
            prefix=None,
            check_in=TimeOfDay(check_in, zone),
            check_out=TimeOfDay(check_out, zone),
            is_24_hour=one.is_24_hour,
        )
        slots.append(NewSlot(door, slot, adds))
    return slots


def _time(of_day: int) -> time:
    seconds, microsecond = divmod(of_day, 1_000_000)
    minutes, second = divmod(seconds, 60)
    return time(minutes // 60, minutes % 60, second, microsecond)


def _served_by(covered: DoorCoverage, slots: Sequence[TimeSlot], policy: MatchPolicy) -> int:
    """Return how many more stays the door serves with these slots, by matching them."""
    if not slots:
        return 0
    door = replace(covered.door, slots=(*covered.door.slots, *slots))
    return sum(
        missed.count
        for missed in covered.missed.values()
        if match(missed.example, door, policy).outcome is Outcome.MATCHED
    )
