"""The rules for one slot and one stay. A match applies them to every slot of a door.

Distances are whole microseconds on the lock's wall clock, because a slot is a pair of wall times. Daylight saving
changes no distance, only the two instants of a window.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from shared.domain.door.door import Door, TimeSlot
from shared.domain.stay.stay import Granularity
from shared.domain.stay.wall_stay import WallStay
from shared.domain.times.time_of_day import TimeOfDay
from shared.domain.times.wall_clock import DAY, find_zone, instant_at, same_clock

TOLERANCE = 60 * 60 * 1_000_000
"""The hour that Seam rounds by ("Programming Offline Access Codes on Dormakaba Oracode Locks")."""
LONGEST_CODE = 31 * DAY
"""A code works for at most 31 consecutive days ("Offline Access Code Support and Requirements", Duration)."""
LONGEST_BIWEEKLY = 14 * DAY
"""A biweekly user level makes codes "valid for two weeks" (same page, User Levels)."""

_HALF_DAY = DAY // 2
# The most that a clock ever skipped is a day (Samoa, 2011): a longer window can't lie in skipped time.
_LONGEST_SKIP = 26 * 60 * 60 * 1_000_000


class Verdict(StrEnum):
    """What the rules say of one slot. `NOT_REQUESTED`: the booking prescribes another slot."""

    FITS = "fits"
    CHECK_IN_TOO_FAR = "check_in_too_far"
    CHECK_OUT_TOO_FAR = "check_out_too_far"
    BOTH_TOO_FAR = "both_too_far"
    MASTER = "master"
    ONE_SHOT = "one_shot"
    BIWEEKLY = "biweekly"
    NOT_DAILY = "not_daily"
    TOO_LONG = "too_long"
    EMPTY_WINDOW = "empty_window"
    UNREADABLE = "unreadable"
    NOT_REQUESTED = "not_requested"


BY_KIND = frozenset(
    {
        Verdict.MASTER,
        Verdict.ONE_SHOT,
        Verdict.BIWEEKLY,
        Verdict.NOT_DAILY,
        Verdict.NOT_REQUESTED,
    }
)
"""Verdicts that rule a slot out because of its kind, at any times."""
TOO_FAR = frozenset({Verdict.CHECK_IN_TOO_FAR, Verdict.CHECK_OUT_TOO_FAR, Verdict.BOTH_TOO_FAR})
"""Verdicts of slots whose times are too far from those of the stay."""


class SlotPreference(StrEnum):
    """Which of several fitting slots is taken: the nearest, or the one with the shortest lock-out."""

    NEAREST = "nearest"
    COVER = "cover"


@dataclass(frozen=True, slots=True)
class MatchPolicy:
    """The settings that a match depends on."""

    preference: SlotPreference = SlotPreference.NEAREST
    allow_biweekly: bool = False


class Considered(NamedTuple):
    """One slot's verdict, with its signed gaps (slot minus booking) where they could be measured.

    `problem` says why a slot is unreadable. It is a tuple because a match makes one for every slot, and a frozen
    dataclass takes three times as long.
    """

    slot: TimeSlot
    verdict: Verdict
    check_in_gap: timedelta | None = None
    check_out_gap: timedelta | None = None
    problem: str = ""


@lru_cache(maxsize=8192)
def duration(gap: int) -> timedelta:
    """Return microseconds as a duration. Cached, because the same gaps come often."""
    return timedelta(microseconds=gap)


def slot_zone(slot: TimeSlot, door: Door) -> str | None:
    """Return the time zone of a slot's times: the one in its own strings, else the door's."""
    return slot.time_zone or door.time_zone


def clock_name(wall: WallStay, door: Door) -> str:
    """Return the name of a slot's zone for a stay: the door's own where both clocks run alike in it.

    So a door isn't said to be in PST8PDT here, and in America/Los_Angeles there.
    """
    zone = find_zone(door.time_zone) if door.time_zone else None
    if zone is None or not all(same_clock(zone, wall.zone, at) for at in (wall.check_in, wall.check_out)):
        return wall.zone.key
    return zone.key


def consider(
    slot: TimeSlot, wall: WallStay | None, policy: MatchPolicy, granularity: Granularity
) -> tuple[Considered, int, int]:
    """Return what the rules say of one slot, and its two gaps in microseconds.

    `wall` is the stay on the slot's clock; None if its zone isn't known. Gaps that can't be measured are 0, and None in
    `Considered`.
    """
    daily = granularity is Granularity.DAILY
    check_in, check_out = slot.check_in, slot.check_out
    if wall is None or check_in is None or check_out is None:
        verdict = ruled_out(slot, 0, policy, daily=daily) or Verdict.UNREADABLE
        return Considered(slot, verdict, problem=slot.unreadable or "no time zone is known"), 0, 0
    gap_in = check_in.microsecond_of_day - wall.check_in_of_day
    gap_out = check_out.microsecond_of_day - wall.check_out_of_day
    if daily:
        gap_in = -(-gap_in % DAY)  # the last occurrence at or before the check-in
        gap_out %= DAY  # the first occurrence at or after the check-out
    else:  # the nearest occurrence; of two that are twelve hours away the earlier
        gap_in = (gap_in + _HALF_DAY) % DAY - _HALF_DAY
        gap_out = (gap_out + _HALF_DAY) % DAY - _HALF_DAY
    problem = slot.unreadable
    if check_in.zone != check_out.zone and not problem:
        problem = _two_clocks(check_in, check_out, wall)
    special = daily or slot.is_special
    kind = ruled_out(slot, wall.length, policy, daily=daily) if special else None
    if kind is not None:
        verdict = kind
    elif problem:
        verdict = Verdict.UNREADABLE
    else:
        verdict = _measured(wall, gap_in, gap_out, daily)
    measured = Considered(slot, verdict, duration(gap_in), duration(gap_out), problem)
    return measured, gap_in, gap_out


def ruled_out(slot: TimeSlot, length: int, policy: MatchPolicy, *, daily: bool) -> Verdict | None:
    """Return why a slot of this kind is never used for a stay of this length, whatever its times.

    Seam supports neither master nor one-time-use codes for Oracode ("Offline Access Code Support
    and Requirements").
    """
    if slot.is_master:
        return Verdict.MASTER
    if slot.is_one_shot:
        return Verdict.ONE_SHOT
    if slot.is_biweekly_mode and not (policy.allow_biweekly and length <= LONGEST_BIWEEKLY):
        return Verdict.BIWEEKLY
    if daily and not slot.is_24_hour:
        return Verdict.NOT_DAILY
    return None


def rank(
    slot: TimeSlot, gap_in: int, gap_out: int, preference: SlotPreference
) -> tuple[int, int, str, str, int, int, int]:
    """Return the rank of a slot that fits: the best slot has the lowest.

    Extra access isn't a part: it is the distance less the lock-out. After the name and the user level come all other
    values of a slot, so that the order of slots in the list never decides.
    """
    distance = abs(gap_in) + abs(gap_out)
    lock_out = max(gap_in, 0) + max(-gap_out, 0)
    nearest = preference is SlotPreference.NEAREST
    first, second = (distance, lock_out) if nearest else (lock_out, distance)
    prefix = -1 if slot.prefix is None else slot.prefix
    return first, second, slot.name, slot.user_level_id, gap_in, gap_out, prefix


def window(wall: WallStay, gap_in: int, gap_out: int) -> tuple[datetime, datetime]:
    """Return the start and end of a code of this slot.

    If the clock shows such a time twice, the start is the first of the two, and the end the second.
    """
    start = wall.check_in + timedelta(microseconds=gap_in)
    end = wall.check_out + timedelta(microseconds=gap_out)
    return instant_at(start, wall.zone), instant_at(end, wall.zone, second=True)


def _measured(wall: WallStay, gap_in: int, gap_out: int, daily: bool) -> Verdict:  # noqa: FBT001 - hot
    if not daily:
        out_too_far = not -TOLERANCE <= gap_out <= TOLERANCE
        if not -TOLERANCE <= gap_in <= TOLERANCE:
            return Verdict.BOTH_TOO_FAR if out_too_far else Verdict.CHECK_IN_TOO_FAR
        if out_too_far:
            return Verdict.CHECK_OUT_TOO_FAR
    length = wall.length + gap_out - gap_in
    if length > LONGEST_CODE:
        return Verdict.TOO_LONG
    if length <= 0:
        return Verdict.EMPTY_WINDOW
    if length <= _LONGEST_SKIP:
        starts_at, ends_at = window(wall, gap_in, gap_out)
        if starts_at >= ends_at:  # the clock skips the whole window
            return Verdict.EMPTY_WINDOW
    return Verdict.FITS


def _two_clocks(check_in: TimeOfDay, check_out: TimeOfDay, wall: WallStay) -> str:
    """Say what is wrong if a slot's two times name different time zones: a lock has only one clock."""
    if check_in.zone is None or check_out.zone is None:
        return ""
    zone = find_zone(check_out.zone)
    if zone is not None and all(same_clock(wall.zone, zone, at) for at in (wall.check_in, wall.check_out)):
        return ""
    return f"its times name two time zones, {check_in.zone} and {check_out.zone}"
