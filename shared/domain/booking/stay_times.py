"""When the guest of a booked door arrives, and when the last door of a booking is left."""

from datetime import datetime

from shared.domain.booking.record import BookedDoor, Booking
from shared.domain.stay.instants import CheckIn, check_in_at, surely_over_at
from shared.domain.stay.stay import Stay, as_booked


def check_in_of(stay: Stay | None, door: BookedDoor) -> CheckIn | None:
    """Return when the guest was booked to come, by the door's zone as last known. None if that isn't known.

    It is the booked time, without the unit's buffer by which the code works earlier.
    """
    if stay is None:
        return CheckIn(door.check_in, door.check_in) if door.check_in is not None else None
    told = check_in_at(stay.check_in, door.time_zone)
    # A door that was read and has no zone has the earliest possible moment as its `check_in`, which is also `told.at`.
    if door.check_in not in (None, told.at):
        return CheckIn(door.check_in, door.check_in)
    booked = as_booked(stay).check_in
    return told if booked == stay.check_in else check_in_at(booked, door.time_zone)


def arrival_of(stay: Stay | None, door: BookedDoor) -> datetime | None:
    """Return the earliest moment that a door's check-in can be; None if that isn't known."""
    found = check_in_of(stay, door)
    return found.at if found is not None else None


def over_at(booking: Booking, door: BookedDoor) -> datetime | None:
    """Return when the stay at a door is over: the latest possible moment while the lock's zone isn't known.

    None without a stay.
    """
    return door.check_out or (surely_over_at(booking.stay) if booking.stay is not None else None)


def last_check_out(booking: Booking) -> datetime | None:
    """Return the last check-out of the booking's doors; the latest possible moment until all of them are known.

    None without a stay.
    """
    if booking.stay is None:
        return None
    known = [door.check_out for door in booking.doors if door.wanted]
    check_outs = [check_out for check_out in known if check_out is not None]
    return max(check_outs) if known and len(check_outs) == len(known) else surely_over_at(booking.stay)
