"""Changes of a booking or a door that may make a stay fit, with their texts. None of them is tried out here.

Which of them help is found by `shared.domain.matching.suggestions`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum

from shared.domain.door.door import Door, TimeSlot
from shared.domain.matching.rules import LONGEST_CODE, TOLERANCE, TOO_FAR, Verdict, duration
from shared.domain.stay.stay import Granularity, Instant, Stay
from shared.domain.stay.wall_stay import WallStay
from shared.domain.times.time_of_day import TimeOfDay, show_time
from shared.domain.times.wall_clock import DAY, instant_at
from shared.domain.times.wording import show_length, show_wall

_HALF_HOUR = timedelta(minutes=30)
_NOON = time(12)
_A_MIDNIGHT = datetime(2000, 1, 1)  # noqa: DTZ001 - half hours of a wall clock are counted from it


class SuggestionKind(StrEnum):
    """What would have to be done."""

    MOVE_CHECK_IN = "move_check_in"
    MOVE_CHECK_OUT = "move_check_out"
    MOVE_BOTH = "move_both"
    BOOK_DAILY = "book_daily"
    ADD_SLOT = "add_slot"


@dataclass(frozen=True, slots=True, kw_only=True)
class StayChange:
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


def moves(wall: WallStay, verdict: Verdict, gap_in: int, gap_out: int) -> Iterator[StayChange]:
    """Yield moves of a stay that bring it to a slot, the least first. `gap_in` and `gap_out` are in microseconds.

    The code must work at each suggested time. So a check-in before the slot's start moves to that start, and a
    check-out after the slot's end moves to that end. On the other side the guest gets extra access: there up to sixty
    minutes stay, or none if that doesn't fit because the clock changes in between. If the code would work for too long,
    the stay ends days earlier.
    """
    excess = wall.length + gap_out - gap_in - LONGEST_CODE
    days_earlier = gap_out + excess // -DAY * DAY  # whole days, rounded up
    if verdict in TOO_FAR:
        for left in (TOLERANCE, 0):
            in_by = _move_to(gap_in, left if gap_in < 0 else 0)
            out_by = _move_to(gap_out, left if gap_out > 0 else 0)
            yield _move(wall, in_by, days_earlier if excess > 0 else out_by)
    elif verdict is Verdict.TOO_LONG:
        yield _move(wall, 0, days_earlier)


def _move_to(gap: int, left: int) -> int:
    """Return the move that shortens a gap to `left`; 0 for a gap that is short enough."""
    if abs(gap) <= TOLERANCE:
        return 0
    return gap - left if gap > 0 else gap + left


def _move(wall: WallStay, in_by: int, out_by: int) -> StayChange:
    moved_in, moved_out = duration(in_by), duration(out_by)
    check_in = instant_at(wall.check_in + moved_in, wall.zone) if in_by else None
    check_out = instant_at(wall.check_out + moved_out, wall.zone) if out_by else None
    if check_in is not None and check_out is not None:
        kind = SuggestionKind.MOVE_BOTH
    else:
        kind = SuggestionKind.MOVE_CHECK_OUT if check_in is None else SuggestionKind.MOVE_CHECK_IN
    texts = [
        f"the {end} {show_length(by)} {'later' if by > timedelta() else 'earlier'}, to {show_wall(to)}"
        for end, by, to in (
            ("check-in", moved_in, check_in),
            ("check-out", moved_out, check_out),
        )
        if to is not None
    ]
    return StayChange(
        kind=kind,
        text=f"Move {' and '.join(texts)}",
        check_in=check_in,
        check_out=check_out,
        check_in_moved=moved_in,
        check_out_moved=moved_out,
    )


BOOK_DAILY = StayChange(kind=SuggestionKind.BOOK_DAILY, text="Book it by the day")


def new_slots(wall: WallStay, stay: Stay) -> Iterator[StayChange]:
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


def _ask_for(start: time, end: time, wall: WallStay, *, is_24_hour: bool) -> StayChange:
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
    return StayChange(kind=SuggestionKind.ADD_SLOT, text=text, new_slot=slot)
