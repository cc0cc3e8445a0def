"""How many stays the slots of their doors serve, and what the other stays lack.

Fast enough for years of bookings: stays that look alike on a door's wall clock are matched once.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.domain.door.door import Door
from shared.domain.matching.match import MatchPolicy, Outcome, match
from shared.domain.matching.rules import LONGEST_CODE, TOLERANCE, duration, slot_zone
from shared.domain.stay.stay import Granularity, Stay
from shared.domain.stay.wall_stay import UnusableStay, WallStay, wall_stay
from shared.domain.times.time_of_day import show_time
from shared.domain.times.wall_clock import DAY, find_zone, same_clock

_LONG_ENOUGH = 2 * DAY
_ONE_DAY = duration(DAY)
_HALF_HOUR = timedelta(minutes=30)

_LOOKS_LIKE = tuple[int, int, int, Granularity, str | None]


@dataclass(frozen=True, slots=True)
class Lack:
    """What some stays lacked: the outcome of their match, and the slot that they need.

    `needs` is the slot rounded to half hours (`16:00-10:00`), or `24 hours`; "" if no slot helps. If no slot could
    bring the stay within the 31 days of one code, the outcome is `too_long`, even if something else is wrong, too.
    """

    outcome: Outcome
    needs: str = ""


@dataclass(slots=True)
class Missed:
    """Stays of one door that look alike and that no slot serves: one of them, and how many there are."""

    example: Stay
    wall: WallStay | None
    lack: Lack
    count: int = 0


@dataclass(slots=True)
class DoorCoverage:
    """What one door's slots serve."""

    door: Door
    stays: int = 0
    fitting: int = 0
    missed: dict[object, Missed] = field(default_factory=dict)

    @property
    def lacks(self) -> Counter[Lack]:
        """What the stays lacked that no slot serves."""
        lacks: Counter[Lack] = Counter()
        for missed in self.missed.values():
            lacks[missed.lack] += missed.count
        return lacks

    def as_json(self) -> Mapping[str, Any]:
        """Return the door's numbers as a plain object."""
        return {
            "device_id": self.door.device_id,
            "name": self.door.name,
            "stays": self.stays,
            "fitting": self.fitting,
            "share": share_of(self.fitting, self.stays),
            "lacks": lacks_json(self.lacks),
        }


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the slots of some doors serve, door by door, in the order in which the doors first came."""

    doors: tuple[DoorCoverage, ...]

    @property
    def stays(self) -> int:
        """How many stays there were; a stay on two doors counts twice."""
        return sum(one.stays for one in self.doors)

    @property
    def fitting(self) -> int:
        """How many of them a slot serves."""
        return sum(one.fitting for one in self.doors)

    @property
    def lacks(self) -> Counter[Lack]:
        """What the others lacked."""
        return sum((one.lacks for one in self.doors), Counter[Lack]())

    def as_json(self) -> dict[str, Any]:
        """Return the numbers as a plain object."""
        return {
            "stays": self.stays,
            "fitting": self.fitting,
            "share": share_of(self.fitting, self.stays),
            "lacks": lacks_json(self.lacks),
            "doors": [one.as_json() for one in self.doors],
        }


def share_of(part: int, whole: int) -> float:
    """Return `part` divided by `whole`, between 0 and 1; 1 if `whole` is 0."""
    return part / whole if whole else 1.0


def lacks_json(lacks: Counter[Lack]) -> list[dict[str, Any]]:
    """Return lacks as plain objects, the most frequent first."""
    ranked = sorted(lacks.items(), key=lambda one: (-one[1], one[0].outcome, one[0].needs))
    return [{"outcome": lack.outcome.value, "needs": lack.needs, "stays": count} for lack, count in ranked]


def survey(stays: Iterable[tuple[Stay, Door]], policy: MatchPolicy) -> Coverage:
    """Match every stay with its door, and count the results."""
    doors: dict[int, _DoorSurvey] = {}
    for stay, door in stays:
        surveyed = doors.get(id(door))
        if surveyed is None:
            surveyed = doors[id(door)] = _DoorSurvey(door, policy)
        surveyed.add(stay)
    return Coverage(tuple(surveyed.coverage for surveyed in doors.values()))


class _DoorSurvey:
    """Counts one door's stays, and remembers the result for each kind of stay."""

    def __init__(self, door: Door, policy: MatchPolicy) -> None:
        self.coverage = DoorCoverage(door)
        self._policy = policy
        self._zones = _zones(door)
        self._known: dict[_LOOKS_LIKE, Missed | None] = {}

    def add(self, stay: Stay) -> None:
        self.coverage.stays += 1
        missed = self._result(stay)
        if missed is None:
            self.coverage.fitting += 1
        else:
            missed.count += 1

    def _result(self, stay: Stay) -> Missed | None:
        wall = self._wall(stay)
        if wall is None or not _is_ordinary(wall, self._zones[1:]):
            return self._match(stay, wall, None)
        looks_like = (
            wall.check_in_of_day,
            wall.check_out_of_day,
            wall.length,
            stay.granularity,
            stay.slot,
        )
        if looks_like not in self._known:
            self._known[looks_like] = self._match(stay, wall, looks_like)
        return self._known[looks_like]

    def _wall(self, stay: Stay) -> WallStay | None:
        try:
            return wall_stay(stay, self._zones[0]) if self._zones else None
        except UnusableStay:
            return None

    def _match(self, stay: Stay, wall: WallStay | None, looks_like: _LOOKS_LIKE | None) -> Missed | None:
        outcome = match(stay, self.coverage.door, self._policy).outcome
        if outcome is Outcome.MATCHED:
            return None
        key = looks_like or len(self.coverage.missed)
        missed = self.coverage.missed[key] = Missed(stay, wall, _lack(outcome, stay, wall))
        return missed


def _is_ordinary(wall: WallStay, other_zones: Iterable[ZoneInfo]) -> bool:
    """Say whether the match of a stay depends only on its times of day and its length.

    That isn't so for a short stay around a change of the clock, because its window may lie in a skipped hour; nor if
    the door's slots are in several time zones.
    """
    for zone in other_zones:
        if not all(same_clock(wall.zone, zone, at) for at in (wall.check_in, wall.check_out)):
            return False
    if wall.length >= _LONG_ENOUGH:
        return True
    before, after = wall.check_in - _ONE_DAY, wall.check_out + _ONE_DAY
    return wall.length > 0 and wall.zone.utcoffset(before) == wall.zone.utcoffset(after)


def _zones(door: Door) -> tuple[ZoneInfo, ...]:
    """Return the time zones of a door's slots, the door's own first. As a rule there is one."""
    names = (door.time_zone, *(slot_zone(slot, door) for slot in door.slots))
    zones = {name: find_zone(name) for name in names if name is not None}
    return tuple(zone for zone in zones.values() if zone is not None)


def _lack(outcome: Outcome, stay: Stay, wall: WallStay | None) -> Lack:
    if outcome not in (Outcome.NO_SLOT, Outcome.NO_SLOTS_CONFIGURED) or stay.slot is not None:
        return Lack(outcome)
    is_daily = stay.granularity is Granularity.DAILY
    # A slot may begin an hour later than the stay and end an hour earlier; one for whole days covers it.
    if wall is not None and wall.length > LONGEST_CODE + (0 if is_daily else 2 * TOLERANCE):
        return Lack(Outcome.TOO_LONG)
    if is_daily:
        return Lack(outcome, "24 hours")
    if wall is None:
        return Lack(outcome)
    half = _HALF_HOUR // duration(1)
    earlier = wall.check_in - duration(wall.check_in_of_day % half)
    later = wall.check_out + duration(-wall.check_out_of_day % half)
    if later - earlier > duration(LONGEST_CODE):
        return Lack(outcome)
    return Lack(outcome, f"{show_time(earlier.time())}-{show_time(later.time())}")
