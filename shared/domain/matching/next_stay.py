"""The next stay on a time slot of a door: its next check-in, and the first check-out after it.

It is used for test codes, such as after the slots of a door were changed. Each stay is matched to prove it: the worker
that plans it later finds the same slot and exactly its times. Pure; never raises.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.domain.door.door import Door, TimeSlot
from shared.domain.matching.manual_choice import short
from shared.domain.matching.manual_options import reference_of, why_never
from shared.domain.matching.match import Match, MatchPolicy, Outcome, match, slots_named
from shared.domain.matching.rules import slot_zone
from shared.domain.stay.stay import Instant, Stay, WallTime
from shared.domain.times.wall_clock import find_zone, instant_at, wall_at

# Some time passes until the worker plans it, and no code is made for a check-in that has passed.
_SOONEST: Final = timedelta(minutes=1)
# The next check-in is today or tomorrow, or a day later if the clock changes in that night.
_DAYS_AHEAD: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStay:
    """A stay of exactly one slot: `stay` has its wall times; the code would work from `starts_at` to `ends_at`.

    `reference` names this slot and no other slot of the door.
    """

    slot: TimeSlot
    reference: str
    stay: Stay
    starts_at: datetime
    ends_at: datetime
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoNextStay:
    """There is none. `why` is the reason, `slots` has the reason of each slot by its name."""

    why: str
    slots: tuple[tuple[str, str], ...] = ()


def next_stay(
    door: Door, policy: MatchPolicy, *, now: datetime, lead_time: timedelta, slot: str | None = None
) -> NextStay | NoNextStay:
    """Return the stay with the soonest check-in; of several the shortest.

    With `slot` (a reference as in a booking) only that slot counts. Codes are made no earlier than `lead_time` before
    check-in, so only a stay that begins within that time counts.
    """
    meant = door.slots if slot is None else slots_named(slot, door)
    if slot is not None and not meant:
        names = ", ".join(short(each.name) for each in door.slots) or "none"
        return NoNextStay(why=f"the door has no slot {short(slot)!r}; it has: {names}")
    judged = [(each, _next_of(each, door, policy, now)) for each in dict.fromkeys(meant)]
    found = [stay for _, stay in judged if isinstance(stay, NextStay)]
    if not found:
        whys = tuple((short(each.name) or "(no name)", why) for each, why in judged if isinstance(why, str))
        return NoNextStay(why=_why_none(door, policy, now), slots=whys)
    in_time = [each for each in found if each.starts_at - lead_time <= now]
    if not in_time:
        why = "the next check-in is further away than CREATE_LEAD_TIME, so that its code wouldn't be made now"
        whens = ((short(each.slot.name), f"{each.starts_at:%Y-%m-%d %H:%M} {each.time_zone}") for each in found)
        return NoNextStay(why=why, slots=tuple((name, f"its next check-in is {when}") for name, when in whens))
    return min(in_time, key=lambda each: (each.starts_at, each.ends_at, each.slot.name, each.slot.user_level_id))


def _next_of(slot: TimeSlot, door: Door, policy: MatchPolicy, now: datetime) -> NextStay | str:
    """Return the slot's next stay, or the reason why it has none."""
    reference = reference_of(slot, door)
    if reference is None:
        return "nothing names it alone: another slot is called so too, or it has no name"
    found: Match | None = None
    for stay in _stays_of(slot, reference, door, now):
        found = match(stay, door, policy)
        if found.outcome is Outcome.MATCHED and found.starts_at is not None and found.ends_at is not None:
            return NextStay(
                slot=slot,
                reference=reference,
                stay=stay,
                starts_at=found.starts_at,
                ends_at=found.ends_at,
                time_zone=found.time_zone or "",
            )
    if found is None:
        return slot.unreadable or "no time zone is known"
    one = next(each for each in found.considered if each.slot == slot)
    return why_never(one) or found.problem


def _stays_of(slot: TimeSlot, reference: str, door: Door, now: datetime) -> Iterator[Stay]:
    """Yield the slot's stays of the next days, the soonest first; none if its time zone isn't known."""
    zone = find_zone(slot_zone(slot, door) or "")
    if zone is None or slot.check_in is None or slot.check_out is None:
        return
    today = wall_at(now, zone).date()
    for days in range(_DAYS_AHEAD):
        check_in = datetime.combine(today + timedelta(days=days), slot.check_in.at)
        if instant_at(check_in, zone) < now + _SOONEST:
            continue
        check_out = datetime.combine(check_in.date(), slot.check_out.at)
        if check_out <= check_in:
            check_out += timedelta(days=1)
        yield Stay(check_in=WallTime(check_in), check_out=WallTime(check_out), slot=reference)


def _why_none(door: Door, policy: MatchPolicy, now: datetime) -> str:
    """Return what is wrong with the door as a whole, found by matching some stay; else, that no slot can be used."""
    found = match(Stay(check_in=Instant(now), check_out=Instant(now + timedelta(days=1))), door, policy)
    of_door = (Outcome.OFFLINE_CODES_UNSUPPORTED, Outcome.NO_SLOTS_CONFIGURED, Outcome.NO_TIME_ZONE)
    return found.problem if found.outcome in of_door else "no slot of this door can be used"
