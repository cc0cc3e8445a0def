"""Which of a door's slots a person may choose if none fits by itself, and the window that each would give.

A choice doesn't move the booking. Only for the match the stay's times are moved, as little as is needed to make this
slot fit (`suggestions`). The match is then run again with this slot as the door's only one. So every window that is
offered comes from a match, and never belongs to another slot. Pure; never raises.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.domain.door.door import Door, TimeSlot
from shared.domain.matching.manual_choice import SlotOffer, can_be_typed, short
from shared.domain.matching.match import (
    TOO_LONG_TOO,
    Considered,
    Match,
    MatchPolicy,
    Outcome,
    Verdict,
    fit_of,
    match,
    slots_named,
)
from shared.domain.matching.rules import LONGEST_CODE, duration
from shared.domain.matching.stay_changes import SuggestionKind
from shared.domain.matching.suggestions import suggest
from shared.domain.quoting import is_showable, shown
from shared.domain.stay.instants import instants_of
from shared.domain.stay.stay import Stay
from shared.domain.times.wall_clock import microseconds
from shared.domain.times.wording import show_length

MOST_OFFERS: Final = 3
"""More buttons than these don't help: the nearest slots come first."""
OF_A_SLOT: Final = (Outcome.NO_SLOT, Outcome.TOO_LONG)
"""Outcomes that a choice can solve: nothing is wrong with the door, but none of its slots serves the stay."""

# Characters: as much as a person reads, and a button has room for.
_LONGEST: Final = 200
_MOVES: Final = (SuggestionKind.MOVE_CHECK_IN, SuggestionKind.MOVE_CHECK_OUT, SuggestionKind.MOVE_BOTH)
_TOO_LONG: Final = "the code would have to work for more than 31 days"
_WHY: Final = {
    Verdict.MASTER: "a master slot is never used",
    Verdict.ONE_SHOT: "a one-time slot is never used",
    Verdict.BIWEEKLY: "biweekly slots are off, or the stay is longer than 14 days",
    Verdict.NOT_DAILY: "a daily stay needs a 24-hour slot",
    Verdict.TOO_LONG: _TOO_LONG,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choosable:
    """A slot that may be chosen; `typed` is what a person types for it.

    `match` is the match of the moved stay: its window is that of the code.
    """

    slot: TimeSlot
    reference: str
    typed: str
    match: Match
    starts_at: datetime
    ends_at: datetime
    opens_late_by: timedelta
    closes_late_by: timedelta

    @property
    def meaning(self) -> str:
        """What the guest will notice, in words."""
        late, after = show_length(self.opens_late_by), show_length(self.closes_late_by)
        opens, closes = "opens at check-in", "until check-out"
        if self.opens_late_by:
            opens = f"opens {late} {'after' if self.opens_late_by > timedelta() else 'before'} check-in"
        if self.closes_late_by > timedelta():
            closes = f"still opens {after} after check-out"
        elif self.closes_late_by:
            closes = f"closes {after} before check-out"
        return f"{opens}, {closes}"

    def offer(self) -> SlotOffer:
        """Return it in the form that a booking stores."""
        return SlotOffer(
            slot=self.reference,
            name=short(self.slot.name),
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            meaning=self.meaning,
            typed=self.typed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NotChoosable:
    """A slot that can't be chosen, or a reference that names no slot; and why."""

    slot: TimeSlot | None
    why: str


NO_SUCH_SLOT: Final = NotChoosable(slot=None, why="the door has no such slot")


Judged = Choosable | NotChoosable


def choices_of(stay: Stay, door: Door, policy: MatchPolicy, now: datetime | None) -> tuple[Judged, ...]:
    """Return what each slot of the door would mean if it were chosen; those that move the stay least come first."""
    choices = [_judged(slot, stay, door, policy, now) for slot in dict.fromkeys(door.slots)]
    good = sorted((one for one in choices if isinstance(one, Choosable)), key=_size)
    return (*good, *(one for one in choices if isinstance(one, NotChoosable)))


def offers_of(stay: Stay, door: Door, policy: MatchPolicy, now: datetime | None) -> tuple[SlotOffer, ...]:
    """Return the nearest slots that a person may choose, few enough for a message."""
    found = (one.offer() for one in choices_of(stay, door, policy, now) if isinstance(one, Choosable))
    return tuple(offer for offer, _ in zip(found, range(MOST_OFFERS), strict=False))


def choice_of(reference: str, stay: Stay, door: Door, policy: MatchPolicy, now: datetime | None) -> Judged:
    """Return what the slot `reference` would mean: a user level id, else a name, as in a booking's `slot`.

    `now` rules out a code that would have ended already; None rules out none.
    """
    slots = list(dict.fromkeys(slots_named(reference, door)))
    if len(slots) == 1:
        return _judged(slots[0], stay, door, policy, now)
    if not slots:
        return NO_SUCH_SLOT
    levels = [shown(level) for slot in slots if (level := reference_of(slot, door)) is not None]
    say = f"; say which by its user level: {', '.join(levels)}" if levels else ""
    return NotChoosable(slot=None, why=f"{len(slots)} slots of the door are called so{say}")


def _judged(slot: TimeSlot, stay: Stay, door: Door, policy: MatchPolicy, now: datetime | None) -> Judged:
    reference = reference_of(slot, door)
    if reference is None:
        return NotChoosable(slot=slot, why="nothing names it alone: another slot is called so too, or it has no name")
    asked, alone = replace(stay, slot=None), replace(door, slots=(slot,))
    found = match(asked, alone, policy)
    if found.outcome is not Outcome.MATCHED:
        if found.outcome not in OF_A_SLOT:
            return NotChoosable(slot=slot, why=found.problem)
        (one,) = found.considered
        # A choice moves the stay to a slot, but never ends it days earlier.
        is_too_long = one.verdict is Verdict.TOO_LONG or found.note == TOO_LONG_TOO
        moved = None if is_too_long else _moved(asked, alone, policy, found)
        if moved is None:
            return NotChoosable(slot=slot, why=_why(one, asked, found))
        found = moved
    if found.starts_at is None or found.ends_at is None:
        return NotChoosable(slot=slot, why=found.problem)
    if now is not None and found.ends_at <= now:
        return NotChoosable(slot=slot, why="its code would have ended already")
    check_in, check_out = instants_of(stay, found.time_zone)
    # In UTC: Python subtracts two times of one zone as wall times, which is wrong across a change of the clock.
    late = found.starts_at.astimezone(UTC) - check_in.astimezone(UTC)
    after = found.ends_at.astimezone(UTC) - check_out.astimezone(UTC)
    # The gaps that people read are those to the booked times, not to the moved ones.
    fit = fit_of(microseconds(late), microseconds(after))
    told = replace(found, fit=fit, check_in_gap=late, check_out_gap=after, considered=())
    return Choosable(
        slot=slot,
        reference=reference,
        typed=_typed(slot, door) or reference,
        match=told,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        opens_late_by=late,
        closes_late_by=after,
    )


def _moved(asked: Stay, alone: Door, policy: MatchPolicy, found: Match) -> Match | None:
    """Return the match of the stay, moved as little as makes the door's only slot fit; None if no move does."""
    for suggestion in suggest(asked, alone, policy, found):
        if suggestion.kind in _MOVES:
            return match(*suggestion.change.applied_to(asked, alone), policy)
    return None


def _why(one: Considered, asked: Stay, found: Match) -> str:
    if why := why_never(one):
        return why
    check_in, check_out = instants_of(asked, found.time_zone)
    gaps = (one.check_out_gap or timedelta()) - (one.check_in_gap or timedelta())
    is_longer = check_out.astimezone(UTC) - check_in.astimezone(UTC) + gaps > duration(LONGEST_CODE)
    return _TOO_LONG if is_longer else "its code would end before it begins"


def why_never(one: Considered) -> str:
    """Return why a slot can't be used, whatever the stay's times; empty if only the times don't fit."""
    if one.verdict is Verdict.UNREADABLE:
        return f"it can't be read: {shown(one.problem)}"
    return _WHY.get(one.verdict, "")


def reference_of(slot: TimeSlot, door: Door) -> str | None:
    """Return a reference to this slot that no other slot of the door has: its user level id, else its name."""
    names = (name for name in (slot.user_level_id, slot.name) if 0 < len(name) <= _LONGEST and is_showable(name))
    return next((name for name in names if set(slots_named(name, door)) == {slot}), None)


def _typed(slot: TimeSlot, door: Door) -> str:
    """Return the slot's name if no other slot has it and it can be typed; else ""."""
    is_its_own = can_be_typed(slot.name) and set(slots_named(slot.name, door)) == {slot}
    return slot.name if is_its_own else ""


def _size(one: Choosable) -> tuple[timedelta, str, str]:
    return abs(one.opens_late_by) + abs(one.closes_late_by), one.slot.name, one.slot.user_level_id
