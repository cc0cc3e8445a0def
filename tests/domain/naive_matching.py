"""A second implementation of the matching rules: slow, trying every date, and sharing no code with the first.

It follows the contract alone. If both agree on thousands of random stays and doors, a mistake would have to be in both.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.domain.door.door import Door, TimeSlot
from shared.domain.matching.match import MatchPolicy, SlotPreference
from shared.domain.stay.stay import Granularity, Instant, Stay, StayTime

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def naive_match(stay: Stay, door: Door, policy: MatchPolicy) -> dict[str, Any]:
    """Return outcome, verdicts, and the chosen slot with its window."""
    assert door.time_zone is not None
    zone = ZoneInfo(door.time_zone)
    check_in, check_out = on_wall(stay.check_in, zone), on_wall(stay.check_out, zone)
    if not in_order(stay, check_in, check_out):
        return {"outcome": "invalid_booking", "verdicts": []}
    verdicts, fitting = [], []
    for slot in door.slots:
        verdict, start, end = judged(slot, (check_in, check_out), stay, policy, zone)
        verdicts.append(verdict)
        if verdict == "fits":
            fitting.append((slot, start, end))
    outcome = "no_slot"
    if not door.can_program_offline_access_codes:
        outcome = "offline_codes_unsupported"
    elif not door.slots:
        outcome = "no_slots_configured"
    elif fitting:
        outcome = "matched"
    elif "too_long" in verdicts:
        outcome = "too_long"
    found: dict[str, Any] = {"outcome": outcome, "verdicts": verdicts}
    if outcome == "matched":
        slot, start, end = min(
            fitting,
            key=lambda one: preference(one[0], one[1] - check_in, one[2] - check_out, policy),
        )
        found["slot"] = (slot.name, slot.user_level_id)
        found["starts_at"] = moment(start, zone, last=False)
        found["ends_at"] = moment(end, zone, last=True)
        found["gaps"] = (start - check_in, end - check_out)
    return found


def on_wall(time: StayTime, zone: ZoneInfo) -> datetime:
    """Return the time on the lock's clock."""
    if isinstance(time, Instant):
        return time.at.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0)
    if time.time_zone is None or time.time_zone == zone.key:
        return time.at
    there = moment(time.at, ZoneInfo(time.time_zone), last=False)
    return there.astimezone(zone).replace(tzinfo=None, fold=0)


def in_order(stay: Stay, check_in: datetime, check_out: datetime) -> bool:
    """Say whether the stay ends later than it begins."""
    both = (stay.check_in, stay.check_out)
    if all(isinstance(time, Instant) for time in both):
        return stay.check_in.at < stay.check_out.at
    return check_in < check_out


def judged(
    slot: TimeSlot, walls: tuple[datetime, datetime], stay: Stay, policy: MatchPolicy, zone: ZoneInfo
) -> tuple[str, datetime, datetime]:
    """Return the verdict on a slot and the window it would give."""
    check_in, check_out = walls
    assert slot.check_in is not None
    assert slot.check_out is not None
    starts = [datetime.combine(check_in + n * DAY, slot.check_in.at) for n in range(-2, 3)]
    ends = [datetime.combine(check_out + n * DAY, slot.check_out.at) for n in range(-2, 3)]
    daily = stay.granularity is Granularity.DAILY
    if daily:
        start = max(one for one in starts if one <= check_in)
        end = min(one for one in ends if one >= check_out)
    else:
        start = min(starts, key=lambda one: abs(one - check_in))
        end = min(ends, key=lambda one: abs(one - check_out))
    in_far = not daily and abs(start - check_in) > HOUR
    out_far = not daily and abs(end - check_out) > HOUR
    too_old = not policy.allow_biweekly or check_out - check_in > 14 * DAY
    rules = [
        (slot.is_master, "master"),
        (slot.is_one_shot, "one_shot"),
        (slot.is_biweekly_mode and too_old, "biweekly"),
        (daily and not slot.is_24_hour, "not_daily"),
        (in_far and out_far, "both_too_far"),
        (in_far, "check_in_too_far"),
        (out_far, "check_out_too_far"),
        (end - start > 31 * DAY, "too_long"),
        (moment(start, zone, last=False) >= moment(end, zone, last=True), "empty_window"),
        (end <= start, "empty_window"),
    ]
    return next((verdict for holds, verdict in rules if holds), "fits"), start, end


def preference(slot: TimeSlot, gap_in: timedelta, gap_out: timedelta, policy: MatchPolicy) -> tuple[Any, ...]:
    """Return a sort key: the chosen slot has the lowest."""
    nothing = timedelta()
    waited, cut_off = max(gap_in, nothing), max(-gap_out, nothing)
    early, late = max(-gap_in, nothing), max(gap_out, nothing)
    lock_out, extra = waited + cut_off, early + late
    if policy.preference is SlotPreference.COVER:
        return lock_out, lock_out + extra, extra, slot.name, slot.user_level_id
    return lock_out + extra, lock_out, extra, slot.name, slot.user_level_id


def moment(wall: datetime, zone: ZoneInfo, *, last: bool) -> datetime:
    """Return when a clock shows this time, found by trying every offset that the zone may have."""
    shows = sorted(
        {
            at
            for minutes in range(-14 * 60, 15 * 60, 15)
            if (at := (wall - timedelta(minutes=minutes)).replace(tzinfo=UTC))
            .astimezone(zone)
            .replace(tzinfo=None, fold=0)
            == wall
        }
    )
    if shows:
        return shows[-1 if last else 0]
    # The clock never shows it: then it is as late after the change as if the clock hadn't been changed.
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
