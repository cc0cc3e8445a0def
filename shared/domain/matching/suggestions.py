"""What would have to change so that a stay fits a door: the smallest changes, each tried out.

A change (`shared.domain.matching.stay_changes`) is suggested only if the match, run again with it, finds a slot. So it
works if the operator does it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.domain.door.door import Door, TimeSlot
from shared.domain.matching.manual_choice import called
from shared.domain.matching.match import Match, MatchPolicy, Outcome, match
from shared.domain.matching.match_json import minutes, slot_json
from shared.domain.matching.rules import slot_zone
from shared.domain.matching.stay_changes import BOOK_DAILY, StayChange, SuggestionKind, moves, new_slots
from shared.domain.stay.stay import Granularity, Stay
from shared.domain.stay.wall_stay import wall_stay
from shared.domain.times.wall_clock import find_zone, microseconds
from shared.domain.times.wording import show_wall

MOST_MOVES = 3
"""More moves than these don't help: the nearest slots come first."""

_SOLVABLE = (Outcome.NO_SLOT, Outcome.TOO_LONG, Outcome.NO_SLOTS_CONFIGURED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A change that makes the stay fit, and the slot and window of the code after it."""

    change: StayChange
    text: str
    slot: TimeSlot
    starts_at: datetime
    ends_at: datetime

    @property
    def kind(self) -> SuggestionKind:
        """What has to be done."""
        return self.change.kind

    def as_json(self) -> Mapping[str, Any]:
        """Return the suggestion in the contract's shape, which depends on its kind."""
        change = self.change
        shape: dict[str, Any] = {"kind": change.kind.value, "text": self.text}
        if change.check_in is not None:
            shape["check_in"] = change.check_in.isoformat()
            shape["check_in_moved_minutes"] = minutes(change.check_in_moved)
        if change.check_out is not None:
            shape["check_out"] = change.check_out.isoformat()
            shape["check_out_moved_minutes"] = minutes(change.check_out_moved)
        if change.new_slot is not None:
            shape["check_in_time"] = str(change.new_slot.check_in)
            shape["check_out_time"] = str(change.new_slot.check_out)
            shape["is_24_hour"] = change.new_slot.is_24_hour
        else:
            shape["slot"] = slot_json(self.slot)
        return shape | {"starts_at": self.starts_at.isoformat(), "ends_at": self.ends_at.isoformat()}


def suggest(stay: Stay, door: Door, policy: MatchPolicy, found: Match) -> tuple[Suggestion, ...]:
    """Return what would make the stay fit, the smallest changes first; empty if nothing helps.

    `found` is the match of this stay, door and policy. Moves come first, by how far the booking moves; then booking it
    daily; then asking the installer for a slot, which takes days.
    """
    zone = None if found.time_zone is None else find_zone(found.time_zone)
    if found.outcome not in _SOLVABLE or zone is None:
        return ()
    moved = sorted(_moved(stay, door, policy, found), key=_size)
    daily = [] if stay.granularity is Granularity.DAILY else [BOOK_DAILY]
    return (
        *_without_repeats(moved)[:MOST_MOVES],
        *_first_proved(daily, stay, door, policy),
        *_first_proved(new_slots(wall_stay(stay, zone), stay), stay, door, policy),
    )


def _size(move: Suggestion) -> tuple[timedelta, str, str]:
    moved = abs(move.change.check_in_moved) + abs(move.change.check_out_moved)
    return moved, move.slot.name, move.slot.user_level_id


def _without_repeats(moved: Iterable[Suggestion]) -> list[Suggestion]:
    """Keep one of several moves to the same booking times: slots that are alike need only one."""
    return list({(one.change.check_in, one.change.check_out): one for one in moved}.values())


def _moved(stay: Stay, door: Door, policy: MatchPolicy, found: Match) -> Iterator[Suggestion]:
    """Yield, for each slot of a usable kind, the smallest move of the booking that makes the slot fit."""
    for one in found.considered:
        if one.check_in_gap is not None and one.check_out_gap is not None:
            zone = find_zone(slot_zone(one.slot, door) or "")
            if zone is not None:
                gaps = microseconds(one.check_in_gap), microseconds(one.check_out_gap)
                yield from _first_proved(moves(wall_stay(stay, zone), one.verdict, *gaps), stay, door, policy)


def _first_proved(changes: Iterable[StayChange], stay: Stay, door: Door, policy: MatchPolicy) -> Iterator[Suggestion]:
    """Yield the first change with which a match is found, as a suggestion; nothing if there is none.

    After a change another slot may be the nearest. If its code doesn't work at the suggested times, the change is
    skipped.
    """
    for change in changes:
        changed, at = change.applied_to(stay, door)
        found = match(changed, at, policy)
        if found.slot is not None and found.starts_at is not None and found.ends_at is not None:
            if _locks_out(change, found.starts_at, found.ends_at):
                continue
            code = "a code" if change.new_slot is not None else f"a code of {called(found.slot.name)}"
            window = f"{show_wall(found.starts_at)} to {show_wall(found.ends_at)} {found.time_zone or ''}"
            yield Suggestion(
                change=change,
                text=f"{change.text}: {code} then works from {window.rstrip()}.",
                slot=found.slot,
                starts_at=found.starts_at,
                ends_at=found.ends_at,
            )
            return


def _locks_out(change: StayChange, starts_at: datetime, ends_at: datetime) -> bool:
    """Say whether the code works only after the suggested check-in, or stops before the suggested check-out."""
    comes_early = change.check_in is not None and change.check_in < starts_at
    return comes_early or (change.check_out is not None and change.check_out > ends_at)
