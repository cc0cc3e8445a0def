"""The times of a stay in the fields of a form: local, on the clock of the booking's locks."""

from datetime import datetime

from shared.domain.booking.record import Booking
from shared.domain.messages.time_fields import UnreadableBookingTime, parse_booking_time
from shared.domain.stay.stay import Instant, StayTime, WallTime, as_booked, time_text
from shared.domain.times.wall_clock import find_zone, instant_at, wall_at


def fields_of(booking: Booking) -> dict[str, str]:
    """Return the booked times as the form's fields have them: on the lock's clock; empty where nobody knows it."""
    if booking.stay is None:
        return {"check_in": "", "check_out": ""}
    stay, clock = as_booked(booking.stay), clock_of(booking)
    return {"check_in": field_text(_on(clock, stay.check_in)), "check_out": field_text(_on(clock, stay.check_out))}


def is_shown_as(text: str, shown: str) -> bool:
    """Say whether a given time is the local one that a field showed, however it is spelled."""
    return shown != "" and local_text(text) == shown


def local_text(text: str) -> str:
    """Return a local time as a field has it; empty for anything else."""
    try:
        read = parse_booking_time(text)
    except UnreadableBookingTime:
        return ""
    return field_text(read.at) if isinstance(read, WallTime) and read.time_zone is None else ""


def clock_of(booking: Booking) -> str:
    """Return the zone of the booking's locks; empty where it isn't known, or they have several."""
    zones = {door.time_zone for door in booking.doors if door.wanted and door.time_zone}
    return str(zones.pop()) if len(zones) == 1 else ""


def _on(clock: str, moment: StayTime) -> datetime | None:
    """Return what the lock's clock shows at a booked time; None where that isn't known."""
    zone = find_zone(clock) if clock else None
    if isinstance(moment, Instant):
        return wall_at(moment.at, zone) if zone is not None else None
    if moment.time_zone in (None, clock):
        return moment.at
    theirs = find_zone(moment.time_zone or "")
    return wall_at(instant_at(moment.at, theirs), zone) if zone is not None and theirs is not None else None


def field_text(at: datetime | None) -> str:
    """Return a local time as a field of a form has it."""
    if at is None:
        return ""
    return at.isoformat(timespec="minutes" if not (at.second or at.microsecond) else "auto")


def booked_times(booking: Booking) -> str:
    """Return the booked times, for people."""
    stay = as_booked(booking.stay) if booking.stay is not None else None
    return f"{time_text(stay.check_in)} to {time_text(stay.check_out)}" if stay is not None else "without a stay"
