"""Notes on times in the night of a clock change: a skipped one is moved later, a doubled one means the first.

Which moment such a time means is decided by `instant_at` in `shared.domain.times.wall_clock`.
"""

from shared.domain.stay.stay import BookingTime, StayTime, WallTime
from shared.domain.times.wall_clock import find_zone, instant_at, wall_at


def clock_change_notes(check_in: BookingTime | StayTime | None, check_out: BookingTime | StayTime | None) -> list[str]:
    """Return a sentence for each time that the clocks of its `time_zone` skip, or show twice.

    A time without a `time_zone` is on the lock's own clock, and gets no note.
    """
    named = (("check_in", check_in), ("check_out", check_out))
    return [note for field, moment in named if isinstance(moment, WallTime) and (note := _note(field, moment))]


def _note(field: str, moment: WallTime) -> str:
    zone = find_zone(moment.time_zone) if moment.time_zone else None
    if zone is None:
        return ""
    at = instant_at(moment.at, zone)
    shown = wall_at(at, zone)
    written = f"{field} {moment.at:%Y-%m-%d %H:%M}"
    if shown != moment.at:
        return f"{written} is skipped by the clocks of {moment.time_zone} that night: it is taken as {shown:%H:%M}."
    if instant_at(moment.at, zone, second=True) != at:
        return f"{written} is shown twice by the clocks of {moment.time_zone} that night: the first is taken."
    return ""
