"""The slot for a guest who comes long after its start, once that start has passed. Pure.

Example: a slot from 16:00 to 10:00, and a guest who checks in at 21:18. After 16:00 the slot is taken: from then on
its code opens the door in few hours that weren't booked. Before 16:00 it would open the door hours before check-in, so
a person decides.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from shared.domain.door.door import Door, TimeSlot
from shared.domain.matching.manual_choice import called
from shared.domain.matching.match import Match, MatchPolicy, Outcome, Verdict, fit_of, max_time_rounding
from shared.domain.matching.rules import LONGEST_CODE, Considered, clock_name, duration, rank, slot_zone, window
from shared.domain.stay.stay import Stay
from shared.domain.stay.wall_stay import UnusableStay, WallStay, wall_stay
from shared.domain.times.wall_clock import DAY, find_zone, microseconds
from shared.domain.times.wording import show_length

_HALF_DAY: Final = DAY // 2


class _Begun(NamedTuple):
    slot: TimeSlot
    wall: WallStay
    gap_in: int
    gap_out: int
    starts_at: datetime
    ends_at: datetime


def match_late_arrival(
    stay: Stay, door: Door, policy: MatchPolicy, found: Match, *, now: datetime, is_new: bool
) -> Match | None:
    """Return the match of a slot that has begun, if `found` has none only because check-in is long after its start.

    None if there is no such slot. `is_new`: the code is still to be made, so a slot that has ended is of no use.
    """
    if found.outcome is not Outcome.NO_SLOT:
        return None
    begun = [
        one
        for one in _candidates(stay, door, found)
        if one.starts_at <= now and one.starts_at < one.ends_at and (not is_new or now < one.ends_at)
    ]
    if not begun:
        return None
    best = min(begun, key=lambda one: rank(one.slot, one.gap_in, one.gap_out, policy.preference))
    late = show_length(timedelta(microseconds=-best.gap_in))
    return Match(
        outcome=Outcome.MATCHED,
        considered=found.considered,
        slot=best.slot,
        starts_at=best.starts_at,
        ends_at=best.ends_at,
        max_time_rounding=max_time_rounding(stay.granularity),
        fit=fit_of(best.gap_in, best.gap_out),
        check_in_gap=duration(best.gap_in),
        check_out_gap=duration(best.gap_out),
        time_zone=clock_name(best.wall, door),
        note=(
            f"The check-in is {late} after the start of the slot {called(best.slot.name)}. That start has passed, so"
            " the slot is taken as if it had been chosen: the code works from now on."
        ),
    )


def _candidates(stay: Stay, door: Door, found: Match) -> Iterator[_Begun]:
    """Yield each slot that doesn't fit only because of the check-in, with the window from its last start."""
    for one in found.considered:
        if one.verdict is not Verdict.CHECK_IN_TOO_FAR or one.check_out_gap is None:
            continue
        zone = find_zone(slot_zone(one.slot, door) or "")
        try:
            wall = wall_stay(stay, zone) if zone is not None else None
        except UnusableStay:
            continue
        since = _since_start(one, wall) if wall is not None else None
        if wall is None or since is None:
            continue
        gap_in, gap_out = -since, microseconds(one.check_out_gap)
        if 0 < wall.length + gap_out - gap_in <= LONGEST_CODE:
            yield _Begun(one.slot, wall, gap_in, gap_out, *window(wall, gap_in, gap_out))


def _since_start(one: Considered, wall: WallStay) -> int | None:
    """Return how long before the check-in the slot began, in microseconds; None if the next start is nearer.

    As in `match`, the nearest start counts. But a guest who comes before the slot's check-out time belongs to the night
    before. With a slot from 16:00 to 10:00 that is every guest who comes before 10:00.
    """
    check_in, check_out = one.slot.check_in, one.slot.check_out
    if check_in is None or check_out is None:
        return None
    since = (wall.check_in_of_day - check_in.microsecond_of_day) % DAY
    night = (check_out.microsecond_of_day - check_in.microsecond_of_day) % DAY or DAY
    return since if since <= _HALF_DAY or since < night else None
