"""What becomes of a booking's codes if it is cancelled, before anybody orders it. Pure."""

from collections.abc import Iterator

from shared.domain.booking.record import BookedDoor, Booking, Window
from shared.domain.times.wall_clock import find_zone
from shared.domain.times.wording import show_day_and_time


def preview_of(booking: Booking) -> Iterator[str]:
    """Yield a sentence for each code that there is, or may be at this moment; nothing where there is none.

    Whether Seam deletes a code isn't known before it is asked: as a rule it can't (`shared.domain.code.changes`).
    """
    if booking.cancelled:
        return
    for door in booking.doors:
        name = door.name or door.device_id
        if door.code is not None:
            until = _until(door.code.window, door)
            yield f"Seam is asked to delete the code of {name}. As a rule it can't: then it opens the door {until}."
        elif door.intent is not None:
            until = _until(door.intent.window, door)
            yield f"A code of {name} is being made now. As a rule it can't be deleted: then it opens the door {until}."


def _until(window: Window, door: BookedDoor) -> str:
    ends_at = window.ends_at.astimezone(zone) if (zone := find_zone(door.time_zone or "")) else window.ends_at
    return f"until {show_day_and_time(ends_at)}{'' if zone else f' {ends_at:%z}'}"
