"""Which slot a requested window takes, and the window that comes of it. Pure.

Seam's "Programming Offline Access Codes on Dormakaba Oracode Locks": each end is rounded to a
slot's time within one hour (``max_time_rounding`` ``1hour``), and the code has the slot's times;
``1day`` is for daily-bound (``is_24_hour``) slots; master and one-shot slots are not supported; a
code lives at most 31 consecutive days. Not written there, and decided here:

- distances are measured on the lock's wall clock, past midnight too; exactly 60 minutes is within;
- 31 days are 31 x 24 hours on the wall clock, of the window that the code takes;
- daily rounding is outward, so that the requested window is covered;
- of several slots the nearest is taken, a biweekly one only if no other fits, and for 14 days at
  most;
- of a wall time that occurs twice, the occurrence nearest to the requested instant is meant.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from deploy.sandbox.devices.slots import Slot, TimeOfDay

HOURLY_REACH = timedelta(minutes=60)
LONGEST = timedelta(days=31)
LONGEST_BIWEEKLY = timedelta(days=14)
_DAY = timedelta(days=1)


class Refusal(Enum):
    """Why no slot can be taken."""

    NO_TIME_SLOTS = "no time slots found"
    TOO_LONG = "the access code would be valid for more than 31 consecutive days"


@dataclass(frozen=True, slots=True)
class Taken:
    """A slot and the window in UTC that a code takes from it."""

    slot: Slot
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class _Candidate:
    taken: Taken
    length: timedelta
    distance: timedelta


def take_slot(slots: tuple[Slot, ...], starts_at: datetime, ends_at: datetime, *, daily: bool) -> Taken | Refusal:
    """Round a requested window to a slot of the door."""
    usable = [slot for slot in slots if not slot.is_master and not slot.is_one_shot]
    if daily:
        daily_slots = (slot for slot in usable if slot.is_24_hour)
        candidates = [_outward(slot, starts_at, ends_at) for slot in daily_slots]
    else:
        nearest = (_nearest(slot, starts_at, ends_at) for slot in usable)
        candidates = [found for found in nearest if found is not None]
    fitting = [found for found in candidates if found.length > timedelta(0)]
    if not fitting:
        return Refusal.NO_TIME_SLOTS
    short_enough = [found for found in fitting if found.length <= _longest(found.taken.slot)]
    if not short_enough:
        return Refusal.TOO_LONG
    return min(short_enough, key=lambda found: (found.taken.slot.is_biweekly, found.distance)).taken


def _nearest(slot: Slot, starts_at: datetime, ends_at: datetime) -> _Candidate | None:
    start, start_gap = _closest(slot.check_in, starts_at)
    end, end_gap = _closest(slot.check_out, ends_at)
    if max(start_gap, end_gap) > HOURLY_REACH:
        return None
    return _candidate(slot, (start, starts_at), (end, ends_at), start_gap + end_gap)


def _outward(slot: Slot, starts_at: datetime, ends_at: datetime) -> _Candidate:
    wanted_start, wanted_end = _wall(slot.check_in, starts_at), _wall(slot.check_out, ends_at)
    start = datetime.combine(wanted_start.date(), slot.check_in.at)
    end = datetime.combine(wanted_end.date(), slot.check_out.at)
    start -= _DAY if start > wanted_start else timedelta(0)
    end += _DAY if end < wanted_end else timedelta(0)
    distance = (wanted_start - start) + (end - wanted_end)
    return _candidate(slot, (start, starts_at), (end, ends_at), distance)


def _candidate(
    slot: Slot,
    start: tuple[datetime, datetime],
    end: tuple[datetime, datetime],
    distance: timedelta,
) -> _Candidate:
    taken = Taken(slot, _instant(slot.check_in, *start), _instant(slot.check_out, *end))
    return _Candidate(taken, length=end[0] - start[0], distance=distance)


def _closest(time_of_day: TimeOfDay, wanted: datetime) -> tuple[datetime, timedelta]:
    wall = _wall(time_of_day, wanted)
    same_day = datetime.combine(wall.date(), time_of_day.at)
    closest = min((same_day - _DAY, same_day, same_day + _DAY), key=lambda at: abs(at - wall))
    return closest, abs(closest - wall)


def _wall(time_of_day: TimeOfDay, moment: datetime) -> datetime:
    return moment.astimezone(time_of_day.zone).replace(tzinfo=None)


def _instant(time_of_day: TimeOfDay, wall: datetime, wanted: datetime) -> datetime:
    readings = (wall.replace(tzinfo=time_of_day.zone, fold=fold) for fold in (0, 1))
    return min((at.astimezone(UTC) for at in readings), key=lambda at: abs(at - wanted))


def _longest(slot: Slot) -> timedelta:
    return LONGEST_BIWEEKLY if slot.is_biweekly else LONGEST
