"""The fewest slots to ask the installer for, so that a wanted share of stays is served.

Small cases are solved exactly: all combinations are tried of the slots that no other slot can replace
(`shared.domain.matching.slot_candidates`). Large cases are solved greedily, and the proposal says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import time
from heapq import heapify, heappop, heappush
from itertools import combinations, pairwise
from math import ceil, comb
from typing import Any

from shared.domain.door.door import Door, TimeSlot
from shared.domain.matching.coverage import Coverage, DoorCoverage, share_of
from shared.domain.matching.match import MatchPolicy, Outcome, match
from shared.domain.matching.rules import slot_zone
from shared.domain.matching.slot_candidates import Candidate, candidates_for, union_of
from shared.domain.times.time_of_day import TimeOfDay

MOST_SLOTS = 6
"""Nobody would ask an installer for more new slots than these on one door."""
MOST_COMBINATIONS = 20_000
"""If one door has more combinations of slots than these, they are chosen one after another (greedily)."""


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
class _DoorOptions:
    """The most that new slots can gain on one door: `choices[k]` are the best k new slots."""

    covered: DoorCoverage
    choices: tuple[tuple[Candidate, ...], ...]
    is_exact: bool

    def gains(self) -> list[int]:
        """Return how many stays each further slot adds."""
        served = [union_of(chosen).bit_count() for chosen in self.choices]
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
    candidates, has_all = candidates_for(covered)
    choices: list[tuple[Candidate, ...]] = [()]
    is_exact = has_all
    possible = union_of(candidates).bit_count()
    while len(choices) <= MOST_SLOTS and union_of(choices[-1]).bit_count() < possible:
        size = len(choices)
        if comb(len(candidates), size) <= MOST_COMBINATIONS:
            tried: Iterable[tuple[Candidate, ...]] = combinations(candidates, size)
        else:
            is_exact = False
            tried = ((*choices[-1], one) for one in candidates)
        choices.append(max(tried, key=lambda chosen: union_of(chosen).bit_count()))
    reaches_all = union_of(choices[-1]).bit_count() == possible
    return _DoorOptions(covered, tuple(choices), is_exact and reaches_all)


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


def _as_slots(option: _DoorOptions, chosen: Iterable[Candidate]) -> list[NewSlot]:
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
