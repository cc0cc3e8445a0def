"""Decides what to do for a door that needs a code. Pure: the plan is a value."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from shared.domain.booking.record import BookedDoor, Booking, Window
from shared.domain.booking.retries import next_wait
from shared.domain.door.door import Door
from shared.domain.matching import long_stays
from shared.domain.matching.late_arrival import match_late_arrival
from shared.domain.matching.manual_choice import ChosenSlot, SlotOffer
from shared.domain.matching.manual_match import match_of_choice
from shared.domain.matching.manual_options import OF_A_SLOT, offers_of
from shared.domain.matching.match import Match, MatchPolicy, Outcome, match
from shared.domain.matching.suggestions import Suggestion, suggest
from shared.domain.stay.instants import instants_of
from shared.domain.stay.stay import Stay

# Waiting doesn't help; a person must act.
_FINAL: Final = (Outcome.TOO_LONG, Outcome.INVALID_BOOKING)
_MOST_ADVICE: Final = 3


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing fits now; try again at `until`. `offers` are slots that a person may choose instead."""

    reason: str
    advice: str
    until: datetime
    offers: tuple[SlotOffer, ...] = ()


@dataclass(frozen=True, slots=True)
class Refuse:
    """Nothing will ever fit; a person must act. `offers` are slots that a person may choose instead."""

    reason: str
    advice: str
    offers: tuple[SlotOffer, ...] = ()


@dataclass(frozen=True, slots=True)
class Over:
    """Check-out has passed before anything was made: a code would serve nobody."""


@dataclass(frozen=True, slots=True)
class Postpone:
    """A slot fits, but it is too early: a code can't be taken back, and the stay may still change."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Keep:
    """The current code has exactly the wanted window."""

    window: Window


@dataclass(frozen=True, slots=True)
class Alter:
    """There is a code for another window: change it if its flags allow it, else set it aside."""

    window: Window | None


@dataclass(frozen=True, slots=True)
class Make:
    """Make a code for `window` now."""

    window: Window
    user_level_id: str
    max_time_rounding: str


@dataclass(frozen=True, slots=True)
class Split:
    """No single code lives that long: `parts` consecutive ones will."""

    parts: int


@dataclass(frozen=True, slots=True)
class LeaveOut:
    """A later code of a stay that needs fewer codes now."""


Decision = Split | LeaveOut | Wait | Refuse | Over | Postpone | Keep | Alter | Make


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The decision, with what was read from the door, and the whole match for the booking's story."""

    decision: Decision
    door_name: str
    time_zone: str | None
    check_in: datetime
    check_out: datetime
    match: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningRules:
    """The settings that a plan depends on. `splits`: whether a stay that is too long becomes consecutive codes."""

    policy: MatchPolicy
    lead_time: timedelta
    longest_wait: timedelta
    splits: bool

    def plan(self, booking: Booking, booked: BookedDoor, door: Door, now: datetime) -> Plan | None:
        """Decide what is to be done for one door of a booking; None where there is no stay to plan."""
        if booking.stay is None:
            return None
        return plan_for(
            booking.stay,
            booked,
            door,
            policy=self.policy,
            lead_time=booking.lead_time or self.lead_time,
            longest_wait=self.longest_wait,
            splits=self.splits,
            parts=sum(each.device_id == booked.device_id and each.wanted and each.part > 0 for each in booking.doors),
            now=now,
        )


def plan_for(
    stay: Stay,
    booked: BookedDoor,
    door: Door,
    *,
    policy: MatchPolicy,
    lead_time: timedelta,
    longest_wait: timedelta,
    splits: bool,
    parts: int,
    now: datetime,
) -> Plan:
    """Decide what is to be done for one door of a booking. Pure.

    `splits`: whether a stay that is too long becomes consecutive codes; `parts` is how many it has been split into. A
    slot that a person chose goes before the match. If it can't be used, no other slot is taken.
    """
    found, refusal = _found(stay, booked, door, policy, now)
    is_split = splits and _choice(booked) is None and found.outcome is Outcome.TOO_LONG
    codes = long_stays.plan(stay, door, policy).codes if is_split else ()
    zone = found.time_zone or door.time_zone
    check_in, check_out = instants_of(stay, zone)
    decision: Decision
    if codes and booked.part <= 1 and parts != len(codes):
        decision = Split(len(codes))
    elif booked.part > max(1, len(codes)):
        decision = LeaveOut()
    else:
        wanted = None if refusal else _wanted(found)
        if codes:
            code = codes[booked.part - 1]
            wanted = _Wanted(Window(code.starts_at, code.ends_at), code.slot.user_level_id, code.max_time_rounding)
            check_in = check_in if booked.part == 1 else code.starts_at
            check_out = check_out if booked.part == len(codes) else code.ends_at
        decided = _decide(wanted, booked, check_in=check_in, check_out=check_out, lead_time=lead_time, now=now)
        if decided is None:
            suggestions = () if refusal else still_possible(suggest(stay, door, policy, found), now)[:_MOST_ADVICE]
            told = filter(None, (found.note, *(each.text for each in suggestions)))
            advice = refusal or " ".join(told) or found.problem
            decided = _no_match(found, advice, check_in, longest_wait, now)
            if decided.reason in OF_A_SLOT and not booked.part:
                decided = replace(decided, offers=offers_of(stay, door, policy, now))
        decision = decided
    return Plan(
        decision=decision,
        door_name=door.name,
        time_zone=zone,
        check_in=check_in,
        check_out=check_out,
        match=dict(found.as_json()),
    )


def _choice(booked: BookedDoor) -> ChosenSlot | None:
    """Return the slot that a person chose; never for one of several consecutive codes."""
    return None if booked.part else booked.choice


def _found(stay: Stay, booked: BookedDoor, door: Door, policy: MatchPolicy, now: datetime) -> tuple[Match, str]:
    """Return the match that counts, and why the slot that a person chose can't be used ("" if nothing is wrong)."""
    found, choice = match(stay, door, policy), _choice(booked)
    if choice is not None:
        # A current code that was made for this choice may have ended. The choice holds nevertheless.
        needed_at = now if booked.code is None else None
        return match_of_choice(choice, stay, door, policy, otherwise=found, now=needed_at)
    if not booked.part:
        is_new = booked.code is None
        found = match_late_arrival(stay, door, policy, found, now=now, is_new=is_new) or found
    return found, ""


def still_possible(suggestions: Iterable[Suggestion], now: datetime) -> tuple[Suggestion, ...]:
    """Return the suggestions that can still be followed: nobody checks in earlier than now."""
    return tuple(each for each in suggestions if each.change.check_in is None or each.change.check_in >= now)


@dataclass(frozen=True, slots=True)
class _Wanted:
    window: Window
    user_level_id: str
    max_time_rounding: str


def _decide(
    wanted: _Wanted | None,
    booked: BookedDoor,
    *,
    check_in: datetime,
    check_out: datetime,
    lead_time: timedelta,
    now: datetime,
) -> Decision | None:
    """Decide by what is wanted and by the current code; None where nothing fits and there is no code."""
    if now >= check_out and booked.code is None:
        return Over()
    if booked.code is not None:
        # Also if somebody has changed the code's times at Seam since: the booking still asks for the same times.
        if wanted is not None and wanted.window in (booked.code.window, booked.asked):
            return Keep(wanted.window)
        return Alter(wanted.window if wanted else None)
    if wanted is None:
        return None
    if now < check_in - lead_time:
        return Postpone(check_in - lead_time)
    return Make(wanted.window, wanted.user_level_id, wanted.max_time_rounding)


def _no_match(found: Match, advice: str, check_in: datetime, longest_wait: timedelta, now: datetime) -> Wait | Refuse:
    if found.outcome in _FINAL:
        return Refuse(found.outcome, advice)
    return Wait(found.outcome, advice, next_wait(now=now, check_in=check_in, longest=longest_wait))


def _wanted(found: Match) -> _Wanted | None:
    if found.slot is None or found.starts_at is None or found.ends_at is None:
        return None
    return _Wanted(Window(found.starts_at, found.ends_at), found.slot.user_level_id, found.max_time_rounding or "")
