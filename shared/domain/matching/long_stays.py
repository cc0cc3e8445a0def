"""A stay of more than 31 days as consecutive codes without a gap, each on a slot of the door.

An Oracode code works for 31 days at most ("Offline Access Code Support and Requirements", Duration). At every moment of
the stay a code must open the door. So each code starts no later than the one before it ends. The codes are as few as
possible: each starts as late and ends as late as it can.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.domain.door.door import Door, TimeSlot
from shared.domain.matching.match import Match, MatchPolicy, Outcome, fit_of, match, max_time_rounding
from shared.domain.matching.match_json import minutes, slot_json
from shared.domain.matching.rules import LONGEST_CODE, Considered, Verdict, duration, rank, slot_zone
from shared.domain.quoting import shown
from shared.domain.stay.stay import Stay
from shared.domain.stay.wall_stay import wall_stay
from shared.domain.times.wall_clock import DAY, find_zone, instant_at, microseconds, microseconds_of_day
from shared.domain.times.wording import show_wall

_LONGEST = duration(LONGEST_CODE)
_ONE_DAY = duration(DAY)
_INSTANT = duration(1)
_STARTS = (Verdict.TOO_LONG, Verdict.CHECK_OUT_TOO_FAR)  # verdicts of slots that fit the check-in
_ENDS = (Verdict.TOO_LONG, Verdict.CHECK_IN_TOO_FAR)
_BETWEEN = (*_STARTS, Verdict.CHECK_IN_TOO_FAR, Verdict.BOTH_TOO_FAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCode:
    """One code of several: its slot and window, and the latest time at which the guest must have it."""

    slot: TimeSlot
    starts_at: datetime
    ends_at: datetime
    max_time_rounding: str
    hand_over_by: datetime
    text: str

    def as_json(self) -> Mapping[str, Any]:
        """Return the code as a plain object."""
        return {
            "slot": slot_json(self.slot),
            "starts_at": self.starts_at.isoformat(),
            "ends_at": self.ends_at.isoformat(),
            "max_time_rounding": self.max_time_rounding,
            "hand_over_by": self.hand_over_by.isoformat(),
            "text": self.text,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The codes that serve a stay, first to last; empty if there can't be any, and `match` says why.

    The gaps are those of the first code's start and of the last code's end.
    """

    match: Match
    codes: tuple[PlannedCode, ...] = ()
    check_in_gap: timedelta = timedelta()
    check_out_gap: timedelta = timedelta()

    def as_json(self) -> dict[str, Any]:
        """Return the plan as a plain object: the keys of a match, and the codes."""
        if not self.codes:
            return {"codes": []}
        first, last = self.codes[0], self.codes[-1]
        return {
            "slot": slot_json(first.slot),
            "starts_at": first.starts_at.isoformat(),
            "ends_at": last.ends_at.isoformat(),
            "max_time_rounding": first.max_time_rounding,
            "fit": fit_of(microseconds(self.check_in_gap), microseconds(self.check_out_gap)),
            "check_in_gap_minutes": minutes(self.check_in_gap),
            "check_out_gap_minutes": minutes(self.check_out_gap),
            "codes": [code.as_json() for code in self.codes],
        }


@dataclass(frozen=True, slots=True)
class _Piece:
    """One window of a chain, in wall times."""

    slot: TimeSlot
    start: datetime
    end: datetime


def plan(stay: Stay, door: Door, policy: MatchPolicy) -> Plan:
    """Return the fewest codes that serve the stay: one if a match is found, more for long stays.

    The first one's start and the last one's end are chosen as in a match. In between any usable slot will do, except
    biweekly ones: they are for stays of at most 14 days.
    """
    found = match(stay, door, policy)
    if found.slot is not None and found.starts_at is not None and found.ends_at is not None:
        pieces = [(found.slot, found.starts_at, found.ends_at)]
        gaps = found.check_in_gap or timedelta(), found.check_out_gap or timedelta()
        return _planned(found, pieces, *gaps, stay)
    if found.outcome not in (Outcome.TOO_LONG, Outcome.NO_SLOT):
        return Plan(match=found)
    best = min(_chains(stay, door, policy, found), key=lambda chain: chain[0], default=None)
    if best is None:
        return Plan(match=found)
    _, zone, chain, first, last = best
    windows = [(one.slot, instant_at(one.start, zone), instant_at(one.end, zone, second=True)) for one in chain]
    gap_in, gap_out = first.check_in_gap or timedelta(), last.check_out_gap or timedelta()
    return _planned(found, windows, gap_in, gap_out, stay)


_Ranked = tuple[tuple[Any, ...], ZoneInfo, list[_Piece], Considered, Considered]


def _chains(stay: Stay, door: Door, policy: MatchPolicy, found: Match) -> Iterator[_Ranked]:
    """Yield a chain for each pair of a first and a last slot that fit, with its rank: the best chain has the lowest."""
    for name in {slot_zone(one.slot, door) for one in found.considered}:
        zone = None if name is None else find_zone(name)
        if zone is None:
            continue
        wall = wall_stay(stay, zone)
        here = [one for one in found.considered if slot_zone(one.slot, door) == name]
        between = sorted(
            (one.slot for one in here if one.verdict in _BETWEEN),
            key=lambda slot: (slot.name, slot.user_level_id),
        )
        for first in here:
            for last in here:
                if first.verdict not in _STARTS or last.verdict not in _ENDS:
                    continue
                gap_in, gap_out = first.check_in_gap or timedelta(), last.check_out_gap or timedelta()
                start, end = wall.check_in + gap_in, wall.check_out + gap_out
                whole = _Piece(first.slot, start, end)
                chain = _chain(whole, last.slot, between, zone) if end - start > _LONGEST else []
                if chain:
                    gaps = microseconds(gap_in), microseconds(gap_out)
                    ranks = rank(first.slot, *gaps, policy.preference)
                    others = last.slot.name, last.slot.user_level_id
                    yield (len(chain), *ranks, *others), zone, chain, first, last


def _chain(whole: _Piece, last: TimeSlot, between: Sequence[TimeSlot], zone: ZoneInfo) -> list[_Piece]:
    """Return the fewest windows from the start of `whole` to its end; empty if there are none.

    `whole.slot` is the slot of the first window, `last` that of the last one. No earlier window ends after `whole`.
    """
    reach = _longest_from(whole.slot, whole.start, whole.end)
    chain = [reach]
    while reach.end > reach.start:
        start = _start_before(last, reach.end, zone)
        if whole.end - start <= _LONGEST:
            return [*chain, _Piece(last, start, whole.end)]
        further = [_longest_from(slot, _start_before(slot, reach.end, zone), whole.end) for slot in between]
        following = max(further, key=lambda piece: piece.end)
        if following.end <= reach.end:
            return []
        reach = following
        chain.append(reach)
    return []


def _longest_from(slot: TimeSlot, start: datetime, before: datetime) -> _Piece:
    """Return the window from `start` to the slot's last end within 31 days and before the time `before`."""
    latest = min(start + _LONGEST, before - _INSTANT)
    end = latest - _since(slot.check_out.microsecond_of_day if slot.check_out else 0, latest)
    return _Piece(slot, start, end)


def _start_before(slot: TimeSlot, at: datetime, zone: ZoneInfo) -> datetime:
    """Return the slot's last start at or before the wall time `at`, when the previous code ends.

    If the clock skips that start, it happens later. If that is after `at`, the start of the day before is taken.
    """
    start = at - _since(slot.check_in.microsecond_of_day if slot.check_in else 0, at)
    if instant_at(start, zone) > instant_at(at, zone, second=True):
        start -= _ONE_DAY
    return start


def _since(of_day: int, at: datetime) -> timedelta:
    """Return the time from the last occurrence of that time of day until `at`."""
    return duration((microseconds_of_day(at) - of_day) % DAY)


def _planned(
    found: Match,
    windows: Sequence[tuple[TimeSlot, datetime, datetime]],
    gap_in: timedelta,
    gap_out: timedelta,
    stay: Stay,
) -> Plan:
    rounding = max_time_rounding(stay.granularity)
    codes = []
    for place, (slot, starts_at, ends_at) in enumerate(windows):
        by = windows[place - 1][2] if place else starts_at
        when = f"before {show_wall(by)}, when the one before it ends" if place else "at check-in"
        window = f"{show_wall(starts_at)} to {show_wall(ends_at)}"
        codes.append(
            PlannedCode(
                slot=slot,
                starts_at=starts_at,
                ends_at=ends_at,
                max_time_rounding=rounding,
                hand_over_by=by,
                text=f"“{shown(slot.name)}”, {window}: the guest must have it {when}.",
            )
        )
    return Plan(match=found, codes=tuple(codes), check_in_gap=gap_in, check_out_gap=gap_out)
