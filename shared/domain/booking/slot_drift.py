"""Whether a code that exists still fits its door, after somebody changed the door's time slots or zone. Pure."""

from shared.domain.booking.planning import Alter, Plan
from shared.domain.booking.record import BookedDoor, Window
from shared.domain.times.wall_clock import find_zone
from shared.domain.times.wording import show_span


def drift_of(booked: BookedDoor, plan: Plan | None) -> str:
    """Return how the door was changed after the code was made; empty if the code still fits. `plan` is of the door now.

    The code was made for the slot that the stay was matched to. If the same stay would now get other times, or none,
    that slot was changed or removed. Whether codes made before still open the door, only the installer can say.
    """
    if booked.code is None or plan is None or booked.asked is None or booked.code.window != booked.asked:
        return ""
    match plan.decision:
        case Alter(None):
            return " ".join(filter(None, ("None of its slots fits this stay any more.", _other_zone(booked, plan))))
        case Alter(window) if window is not None:
            if _times(window) == _times(booked.asked):
                # Only the time zone changed: both windows read the same, so the zone is named.
                clock = _other_zone(booked, plan) or _other_offset(booked.asked, window)
                return f"{clock} The same stay would get {_times(window)} on that clock."
            return f"The same stay would get {_times(window)} now."
        case _:
            return ""


def _times(window: Window) -> str:
    return show_span(window.starts_at, window.ends_at)


def _other_zone(booked: BookedDoor, plan: Plan) -> str:
    before, now = find_zone(booked.time_zone or ""), find_zone(plan.time_zone or "")
    if before is None or now is None:
        return ""
    # One clock may have two names.
    times = (plan.check_in, plan.check_out)
    if all(at.astimezone(before).utcoffset() == at.astimezone(now).utcoffset() for at in times):
        return ""
    return f"The door's zone is {plan.time_zone} now; it was {booked.time_zone}."


def _other_offset(asked: Window, window: Window) -> str:
    """Say which offsets the two clocks have: a zone's own rules may have been changed."""
    return f"The door's clock is at {_offsets(window)} to UTC now; it was at {_offsets(asked)}."


def _offsets(window: Window) -> str:
    return " and ".join(dict.fromkeys(f"{moment:%z}" for moment in (window.starts_at, window.ends_at)))
