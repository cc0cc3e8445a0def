"""Which predefined time slot serves a stay, and why each of the others doesn't.

Pure, and never raises: any stay and any door give a `Match`. Seam rounds a booking to a slot if check-in and check-out
are within an hour of the slot's times. If no slot fits, Seam's automations fail silently ("Programming Offline Access
Codes on Dormakaba Oracode Locks"). So it is decided here, with reasons, and Seam is asked for exactly the slot's times.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from shared.domain.door.door import Door, TimeSlot
from shared.domain.matching.match_json import considered_json, minutes, slot_json
from shared.domain.matching.rules import (
    BY_KIND,
    LONGEST_CODE,
    TOO_FAR,
    Considered,
    MatchPolicy,
    SlotPreference,
    Verdict,
    clock_name,
    consider,
    duration,
    rank,
    slot_zone,
    window,
)
from shared.domain.quoting import quoted
from shared.domain.stay.stay import Granularity, Stay
from shared.domain.stay.wall_stay import UnusableStay, WallStay, is_in_order, wall_stay
from shared.domain.times.wall_clock import find_zone

__all__ = [
    "Considered",
    "Match",
    "MatchPolicy",
    "Outcome",
    "SlotPreference",
    "Verdict",
    "match",
    "max_time_rounding",
    "slots_named",
]


TOO_LONG_TOO: Final = "The stay is also longer than 31 days, the longest time for which an Oracode code can work."
"""The note of a match that fails by the slots' times, where better times alone wouldn't help."""


class Outcome(StrEnum):
    """How a match ends. The first outcome in this order that applies is taken."""

    INVALID_BOOKING = "invalid_booking"
    OFFLINE_CODES_UNSUPPORTED = "offline_codes_unsupported"
    NO_SLOTS_CONFIGURED = "no_slots_configured"
    NO_TIME_ZONE = "no_time_zone"
    MATCHED = "matched"
    TOO_LONG = "too_long"
    NO_SLOT = "no_slot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The decision: the chosen slot and window, and every slot that was considered.

    `starts_at`/`ends_at` are aware, each with the offset of the lock's zone at that moment.
    `problem` says in a sentence why nothing was chosen, `note` what is special about what was chosen, or wrong besides.
    `as_json()` is the object that the contract prints.
    """

    outcome: Outcome
    considered: tuple[Considered, ...] = ()
    slot: TimeSlot | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    max_time_rounding: str | None = None
    fit: str | None = None
    check_in_gap: timedelta | None = None
    check_out_gap: timedelta | None = None
    time_zone: str | None = None
    problem: str = ""
    note: str = ""

    def as_json(self) -> Mapping[str, Any]:
        """Return the match in the contract's shape (without suggestions)."""
        return {
            "outcome": self.outcome.value,
            "slot": None if self.slot is None else slot_json(self.slot),
            "starts_at": None if self.starts_at is None else self.starts_at.isoformat(),
            "ends_at": None if self.ends_at is None else self.ends_at.isoformat(),
            "max_time_rounding": self.max_time_rounding,
            "fit": self.fit,
            "check_in_gap_minutes": minutes(self.check_in_gap),
            "check_out_gap_minutes": minutes(self.check_out_gap),
            "time_zone": self.time_zone,
            "problem": self.problem,
            "considered": [considered_json(one) for one in self.considered],
        } | ({"note": self.note} if self.note else {})


class _Fitting(NamedTuple):
    """A slot that fits, with the values that its window is computed from."""

    slot: TimeSlot
    wall: WallStay
    gap_in: int
    gap_out: int


def match(stay: Stay, door: Door, policy: MatchPolicy) -> Match:
    """Decide which of the door's slots serves the stay. Pure; never raises for any stay or door.

    If a door can't take offline codes, its slots are considered nevertheless: the operator sees whether it would be
    enough to have offline codes enabled.
    """
    try:
        walls = _on_walls(stay, door)
    except UnusableStay as unusable:
        return Match(outcome=Outcome.INVALID_BOOKING, problem=str(unusable))
    considered: list[Considered] = []
    fitting: list[_Fitting] = []
    requested = door.slots if stay.slot is None else slots_named(stay.slot, door)
    for slot, wall in zip(door.slots, walls, strict=True):
        one, gap_in, gap_out = consider(slot, wall, policy, stay.granularity)
        if stay.slot is not None and slot not in requested:
            one = one._replace(verdict=Verdict.NOT_REQUESTED)
        considered.append(one)
        if wall is not None and one.verdict is Verdict.FITS:
            fitting.append(_Fitting(slot, wall, gap_in, gap_out))
    outcome = _outcome(door, walls, considered)
    if outcome is not Outcome.MATCHED:
        return Match(
            outcome=outcome,
            considered=tuple(considered),
            time_zone=next((clock_name(wall, door) for wall in walls if wall is not None), door.time_zone),
            problem=_problem(outcome, stay, considered),
            note=TOO_LONG_TOO if outcome is Outcome.NO_SLOT and _is_too_long(walls, considered) else "",
        )
    preference = policy.preference
    best = min(fitting, key=lambda one: rank(one.slot, one.gap_in, one.gap_out, preference))
    starts_at, ends_at = window(best.wall, best.gap_in, best.gap_out)
    return Match(
        outcome=outcome,
        considered=tuple(considered),
        slot=best.slot,
        starts_at=starts_at,
        ends_at=ends_at,
        max_time_rounding=max_time_rounding(stay.granularity),
        fit=fit_of(best.gap_in, best.gap_out),
        check_in_gap=duration(best.gap_in),
        check_out_gap=duration(best.gap_out),
        time_zone=clock_name(best.wall, door),
    )


def _on_walls(stay: Stay, door: Door) -> Sequence[WallStay | None]:
    """Return the stay on each slot's clock; None for a slot of an unknown zone. As a rule all slots have one clock.

    Raises UnusableStay if check-out isn't after check-in. If that depends on the clock: if it is so on all clocks.
    """
    in_order = is_in_order(stay)
    names = [slot_zone(slot, door) for slot in door.slots]
    shown: dict[str | None, WallStay | None] = {}
    for name in (*names, door.time_zone):
        if name not in shown:
            zone = None if name is None else find_zone(name)
            shown[name] = None if zone is None else wall_stay(stay, zone)
    lengths = [wall.length for wall in shown.values() if wall is not None]
    if in_order is False or (in_order is None and lengths and max(lengths) <= 0):
        raise UnusableStay("check-out is not after check-in")
    return [shown[name] for name in names]


def slots_named(reference: str, door: Door) -> list[TimeSlot]:
    """Return the slots of this door that a booking's `slot` means: by user level id, else by name."""
    by_level = [slot for slot in door.slots if slot.user_level_id == reference]
    return by_level or [slot for slot in door.slots if slot.name == reference]


def fit_of(gap_in: int, gap_out: int) -> str:
    """Return what the gaps mean for the guest: exact times, extra access, or a locked door for a while."""
    if gap_in == gap_out == 0:
        return "exact"
    return "covers" if gap_in <= 0 <= gap_out else "locks_out"


def _outcome(door: Door, walls: Sequence[WallStay | None], considered: Sequence[Considered]) -> Outcome:
    if not door.can_program_offline_access_codes:
        return Outcome.OFFLINE_CODES_UNSUPPORTED
    if not door.slots:
        return Outcome.NO_SLOTS_CONFIGURED
    verdicts = {one.verdict for one in considered}
    if Verdict.FITS in verdicts:
        return Outcome.MATCHED
    usable = [wall for wall, one in zip(walls, considered, strict=True) if one.verdict not in BY_KIND]
    if not any(usable or walls):
        return Outcome.NO_TIME_ZONE
    return Outcome.TOO_LONG if Verdict.TOO_LONG in verdicts else Outcome.NO_SLOT


def _is_too_long(walls: Sequence[WallStay | None], considered: Sequence[Considered]) -> bool:
    """Say whether a code of each slot whose times are too far away would also have to work for too long."""
    lengths = [
        duration(wall.length) + one.check_out_gap - one.check_in_gap
        for wall, one in zip(walls, considered, strict=True)
        if one.verdict in TOO_FAR and wall and one.check_in_gap is not None and one.check_out_gap is not None
    ]
    return bool(lengths) and min(lengths) > duration(LONGEST_CODE)


def _problem(outcome: Outcome, stay: Stay, considered: Sequence[Considered]) -> str:
    if outcome is not Outcome.NO_SLOT:
        return _PROBLEMS[outcome]
    if all(one.verdict is Verdict.NOT_REQUESTED for one in considered):
        return f"the prescribed slot {quoted(stay.slot)} is not on this door"
    if stay.slot is not None:
        return f"the prescribed slot {quoted(stay.slot)} can't be used for this stay"
    if stay.granularity is Granularity.DAILY:
        return "this door has no 24-hour slot that can be used"
    return "no usable slot lies within 60 minutes of both check-in and check-out"


def max_time_rounding(granularity: Granularity) -> str:
    """Return how far Seam may round a booking of this kind to its slot."""
    return _ROUNDING[granularity]


_ROUNDING = {Granularity.HOURLY: "1hour", Granularity.DAILY: "1day"}

_PROBLEMS = {
    Outcome.OFFLINE_CODES_UNSUPPORTED: "this door takes no offline access codes",
    Outcome.NO_SLOTS_CONFIGURED: "no time slot is configured on this door",
    Outcome.NO_TIME_ZONE: "neither the door nor its slots name a time zone that exists",
    Outcome.TOO_LONG: "the code would have to work for more than 31 days",
}
