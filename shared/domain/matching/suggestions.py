"""What would have to change so that a stay fits a door: the smallest changes, each tried out.

A change is suggested only if the match, run again with the change, finds a slot. So it works if the operator does it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any

from shared.domain.door.door import Door, TimeSlot
from shared.domain.matching.manual_choice import called
from shared.domain.matching.match import Match, MatchPolicy, Outcome, match
from shared.domain.matching.match_json import minutes, slot_json
from shared.domain.matching.rules import LONGEST_CODE, TOLERANCE, Verdict, duration, slot_zone
from shared.domain.stay.stay import Granularity, Instant, Stay
from shared.domain.stay.wall_stay import WallStay, wall_stay
from shared.domain.times.time_of_day import TimeOfDay, show_time
from shared.domain.times.wall_clock import DAY, find_zone, instant_at, microseconds
from shared.domain.times.wording import show_length, show_wall

MOST_MOVES = 3
"""More moves than these don't help: the nearest slots come first."""

_HALF_HOUR = timedelta(minutes=30)
_NOON = time(12)
_A_MIDNIGHT = datetime(2000, 1, 1)  # noqa: DTZ001 - half hours of a wall clock are counted from it
_TOO_FAR = (Verdict.CHECK_IN_TOO_FAR, Verdict.CHECK_OUT_TOO_FAR, Verdict.BOTH_TOO_FAR)
_SOLVABLE = (Outcome.NO_SLOT, Outcome.TOO_LONG, Outcome.NO_SLOTS_CONFIGURED)


class SuggestionKind(StrEnum):
    """What would have to be done."""

    MOVE_CHECK_IN = "move_check_in"
    MOVE_CHECK_OUT = "move_check_out"
    MOVE_BOTH = "move_both"
    BOOK_DAILY = "book_daily"
    ADD_SLOT = "add_slot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something to do to a booking or a door.

    `check_in`/`check_out` are the new booking times of a move; None for a time that stays as it is.
    `new_slot` is the slot that the installer is asked for.
    """

    kind: SuggestionKind
    text: str
    check_in: datetime | None = None
    check_out: datetime | None = None
    check_in_moved: timedelta = timedelta()
    check_out_moved: timedelta = timedelta()
    new_slot: TimeSlot | None = None

    def applied_to(self, stay: Stay, door: Door) -> tuple[Stay, Door]:
        """Return the stay and the door as they would be after the change."""
        if self.check_in is not None:
            stay = replace(stay, check_in=Instant(self.check_in))
        if self.check_out is not None:
            stay = replace(stay, check_out=Instant(self.check_out))
        if self.kind is SuggestionKind.BOOK_DAILY:
            stay = replace(stay, granularity=Granularity.DAILY)
        if self.new_slot is not None:
            door = replace(door, slots=(*door.slots, self.new_slot))
        return stay, door


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A change that makes the stay fit, and the slot and window of the code after it."""

    change: Change
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
    moves = sorted(_moves(stay, door, policy, found), key=_size)
    daily = [] if stay.granularity is Granularity.DAILY else [_BOOK_DAILY]
    new_slots = _new_slots(wall_stay(stay, zone), stay)
    return (
        *_without_repeats(moves)[:MOST_MOVES],
        *_first_proved(daily, stay, door, policy),
        *_first_proved(new_slots, stay, door, policy),
    )


def _size(move: Suggestion) -> tuple[timedelta, str, str]:
    moved = abs(move.change.check_in_moved) + abs(move.change.check_out_moved)
    return moved, move.slot.name, move.slot.user_level_id


def _without_repeats(moves: Iterable[Suggestion]) -> list[Suggestion]:
    """Keep one of several moves to the same booking times: slots that are alike need only one."""
    return list({(one.change.check_in, one.change.check_out): one for one in moves}.values())


def _moves(stay: Stay, door: Door, policy: MatchPolicy, found: Match) -> Iterator[Suggestion]:
    """Yield, for each slot of a usable kind, the smallest move of the booking that makes the slot fit."""
    for one in found.considered:
        if one.check_in_gap is not None and one.check_out_gap is not None:
            zone = find_zone(slot_zone(one.slot, door) or "")
            if zone is not None:
                wall = wall_stay(stay, zone)
                gaps = microseconds(one.check_in_gap), microseconds(one.check_out_gap)
                distances = _distances(one.verdict, *gaps, wall.length)
                changes = (_move(wall, *by) for by in distances)
                yield from _first_proved(changes, stay, door, policy)


def _distances(verdict: Verdict, gap_in: int, gap_out: int, length: int) -> Iterator[tuple[int, int]]:
    """Yield by how much to move check-in and check-out, the least first.

    The code must work at each suggested time. So a check-in before the slot's start moves to that start, and a
    check-out after the slot's end moves to that end. On the other side the guest gets extra access: there up to sixty
    minutes stay, or none if that doesn't fit because the clock changes in between. If the code would work for too long,
    the stay ends days earlier instead.
    """
    if verdict in _TOO_FAR:
        for left in (TOLERANCE, 0):
            yield _move_to(gap_in, left if gap_in < 0 else 0), _move_to(gap_out, left if gap_out > 0 else 0)
    elif verdict is Verdict.TOO_LONG:
        excess = length + gap_out - gap_in - LONGEST_CODE
        yield 0, gap_out + excess // -DAY * DAY  # whole days, rounded up


def _move_to(gap: int, left: int) -> int:
    """Return the move that shortens a gap to `left`; 0 for a gap that is short enough."""
    if abs(gap) <= TOLERANCE:
        return 0
    return gap - left if gap > 0 else gap + left


def _move(wall: WallStay, in_by: int, out_by: int) -> Change:
    moved_in, moved_out = duration(in_by), duration(out_by)
    check_in = instant_at(wall.check_in + moved_in, wall.zone) if in_by else None
    check_out = instant_at(wall.check_out + moved_out, wall.zone) if out_by else None
    kind = SuggestionKind.MOVE_BOTH
    if check_in is None or check_out is None:
        ends = SuggestionKind.MOVE_CHECK_IN, SuggestionKind.MOVE_CHECK_OUT
        kind = ends[check_in is None]
    texts = [
        f"the {end} {show_length(by)} {'later' if by > timedelta() else 'earlier'}, to {show_wall(to)}"
        for end, by, to in (
            ("check-in", moved_in, check_in),
            ("check-out", moved_out, check_out),
        )
        if to is not None
    ]
    return Change(
        kind=kind,
        text=f"Move {' and '.join(texts)}",
        check_in=check_in,
        check_out=check_out,
        check_in_moved=moved_in,
        check_out_moved=moved_out,
    )


_BOOK_DAILY = Change(kind=SuggestionKind.BOOK_DAILY, text="Book it by the day")


def _new_slots(wall: WallStay, stay: Stay) -> Iterator[Change]:
    """Yield slots to ask the installer for, the roundest first; none if the booking prescribes a slot.

    Noon to noon is the 24-hour slot that Seam's configuration guide recommends. Others are widened to half hours, so
    that they serve this stay and similar ones.
    """
    if stay.slot is not None:
        return
    check_in, check_out = wall.check_in.time(), wall.check_out.time()
    if stay.granularity is Granularity.DAILY:
        for at in (_NOON, check_in, check_out):
            yield _ask_for(at, at, wall, is_24_hour=True)
    else:
        earlier = wall.check_in - (wall.check_in - _A_MIDNIGHT) % _HALF_HOUR
        later = wall.check_out + (_A_MIDNIGHT - wall.check_out) % _HALF_HOUR
        yield _ask_for(earlier.time(), later.time(), wall, is_24_hour=False)
        yield _ask_for(check_in, check_out, wall, is_24_hour=False)


def _ask_for(start: time, end: time, wall: WallStay, *, is_24_hour: bool) -> Change:
    zone = wall.zone.key
    slot = TimeSlot(
        name="the new slot",
        user_level_id="",
        prefix=None,
        check_in=TimeOfDay(start, zone),
        check_out=TimeOfDay(end, zone),
        is_24_hour=is_24_hour,
    )
    what = "24-hour slot" if is_24_hour else "time slot"
    times = f"{show_time(start)} to {show_time(end)}"
    text = f"Ask the dormakaba installer for a {what} {times}"
    return Change(kind=SuggestionKind.ADD_SLOT, text=text, new_slot=slot)


def _first_proved(changes: Iterable[Change], stay: Stay, door: Door, policy: MatchPolicy) -> Iterator[Suggestion]:
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
            window = f"{show_wall(found.starts_at)} to {show_wall(found.ends_at)} {slot_zone(found.slot, at) or ''}"
            yield Suggestion(
                change=change,
                text=f"{change.text}: {code} then works from {window.rstrip()}.",
                slot=found.slot,
                starts_at=found.starts_at,
                ends_at=found.ends_at,
            )
            return


def _locks_out(change: Change, starts_at: datetime, ends_at: datetime) -> bool:
    """Say whether the code works only after the suggested check-in, or stops before the suggested check-out."""
    comes_early = change.check_in is not None and change.check_in < starts_at
    return comes_early or (change.check_out is not None and change.check_out > ends_at)
