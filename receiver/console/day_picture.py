"""The picture of a day: a door's time slots as bars over 24 hours, a stay's times as marks, and what lies between.

Values only. `day_picture.html` draws them as SVG; the API gives them as they are. Pure.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shared.domain.door.door import Door, TimeSlot
from shared.domain.matching.manual_options import why_never
from shared.domain.matching.match import Considered, Match, MatchPolicy, Outcome, match
from shared.domain.matching.rules import Verdict, slot_zone
from shared.domain.matching.suggestions import suggest
from shared.domain.stay.stay import Stay
from shared.domain.stay.wall_stay import UnusableStay, wall_stay
from shared.domain.times.time_of_day import show_time
from shared.domain.times.wall_clock import DAY, find_zone
from shared.domain.times.wording import show_gap

_MINUTE: Final = 60_000_000
_ALL_DAY: Final = DAY // _MINUTE
_TIMES: Final = (Verdict.CHECK_IN_TOO_FAR, Verdict.CHECK_OUT_TOO_FAR, Verdict.BOTH_TOO_FAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotBar:
    """One slot. `bars` and `gaps` are (from, to) in minutes of the day; one that passes midnight is two of them.

    `told` says what the slot means for the stay; `usable` that it would serve it.
    """

    name: str
    times: str
    bars: tuple[tuple[float, float], ...]
    gaps: tuple[tuple[float, float], ...] = ()
    told: str = ""
    usable: bool = False
    chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DayMark:
    """One of the stay's times, in minutes of the day."""

    name: str
    time: str
    minute: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPicture:
    """A day on the lock's clock. `would_fit` are the smallest changes that would make the stay fit."""

    time_zone: str
    slots: tuple[SlotBar, ...]
    marks: tuple[DayMark, ...] = ()
    would_fit: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The picture in a sentence, for those who can't see it."""
        marks = [f"{each.name} {each.time}" for each in self.marks]
        slots = [f"{each.name} {each.times}{f': {each.told}' if each.told else ''}" for each in self.slots]
        return ". ".join((*marks, *slots)) or "No time slots."


def picture_of_door(door: Door) -> DayPicture:
    """Return the picture of a door's slots alone."""
    bars = tuple(
        SlotBar(name=_name(slot), times=_times(slot), bars=_bars(slot), told=_kind(slot)) for slot in door.slots
    )
    return DayPicture(time_zone=door.time_zone or "", slots=bars)


def picture_of_stay(stay: Stay, door: Door, policy: MatchPolicy, *, level: str | None = None) -> DayPicture:
    """Return the picture of a stay on a door, judged as it would be now.

    `level` is the user level of the code that exists, or will: its slot is the chosen one.
    """
    found = match(stay, door, policy)
    zone = found.time_zone or door.time_zone or next((z for slot in door.slots if (z := slot_zone(slot, door))), None)
    marks = _marks(stay, zone)
    chosen = level or (found.slot.user_level_id if found.slot is not None else None)
    bars = tuple(_judged(each, found, marks, chosen) for each in found.considered)
    is_lacking = found.outcome not in (Outcome.MATCHED, Outcome.INVALID_BOOKING) and level is None
    changes = tuple(each.text for each in suggest(stay, door, policy, found)) if is_lacking else ()
    return DayPicture(time_zone=zone or "", slots=bars or picture_of_door(door).slots, marks=marks, would_fit=changes)


def _judged(one: Considered, found: Match, marks: tuple[DayMark, ...], chosen: str | None) -> SlotBar:
    slot = one.slot
    is_chosen = chosen is not None and slot.user_level_id == chosen
    gaps: tuple[tuple[float, float], ...] = ()
    if len(marks) == len(("check-in", "check-out")) and (is_chosen or one.verdict in (*_TIMES, Verdict.FITS)):
        gaps = (*_gap(marks[0].minute, one.check_in_gap), *_gap(marks[1].minute, one.check_out_gap))
    return SlotBar(
        name=_name(slot),
        times=_times(slot),
        bars=_bars(slot),
        gaps=gaps,
        told=_told(one, is_chosen=is_chosen),
        usable=one.verdict is Verdict.FITS,
        chosen=is_chosen or slot is found.slot,
    )


def _told(one: Considered, *, is_chosen: bool) -> str:
    if one.verdict is Verdict.FITS or one.verdict in _TIMES:
        starts, ends = one.check_in_gap or timedelta(), one.check_out_gap or timedelta()
        gaps = f"start {show_gap(starts)}, end {show_gap(ends)}"
        if one.verdict is Verdict.FITS:
            return f"fits: {gaps}"
        return f"taken, though it doesn't fit by itself: {gaps}" if is_chosen else f"too far: {gaps}"
    return why_never(one) or str(one.verdict).replace("_", " ")


def _marks(stay: Stay, zone: str | None) -> tuple[DayMark, ...]:
    known = find_zone(zone) if zone else None
    if known is None:
        return ()
    try:
        wall = wall_stay(stay, known)
    except UnusableStay:
        return ()
    return (
        DayMark(name="check-in", time=show_time(wall.check_in.time()), minute=wall.check_in_of_day / _MINUTE),
        DayMark(name="check-out", time=show_time(wall.check_out.time()), minute=wall.check_out_of_day / _MINUTE),
    )


def _bars(slot: TimeSlot) -> tuple[tuple[float, float], ...]:
    if slot.check_in is None or slot.check_out is None:
        return ()
    start, end = slot.check_in.microsecond_of_day / _MINUTE, slot.check_out.microsecond_of_day / _MINUTE
    if start == end:
        return ((0, _ALL_DAY),)
    return _around(start, (end - start) % _ALL_DAY)


def _gap(minute: float, gap: timedelta | None) -> tuple[tuple[float, float], ...]:
    length = gap / timedelta(minutes=1) if gap is not None else 0
    if not length or abs(length) >= _ALL_DAY:
        return ()
    start = minute if length > 0 else minute + length
    return _around(start % _ALL_DAY, abs(length))


def _around(start: float, length: float) -> tuple[tuple[float, float], ...]:
    """Return a stretch of the day; one that passes midnight in two parts."""
    end = start + length
    return ((start, end),) if end <= _ALL_DAY else ((start, _ALL_DAY), (0, end - _ALL_DAY))


def _name(slot: TimeSlot) -> str:
    return slot.name or "(no name)"


def _times(slot: TimeSlot) -> str:
    return f"{slot.check_in or '?'} → {slot.check_out or '?'}"


def _kind(slot: TimeSlot) -> str:
    if slot.unreadable:
        return f"can't be read: {slot.unreadable}"
    kinds = (
        ("24 hours", slot.is_24_hour),
        ("biweekly", slot.is_biweekly_mode),
        ("one-time", slot.is_one_shot),
        ("master", slot.is_master),
    )
    return ", ".join(name for name, holds in kinds if holds)
