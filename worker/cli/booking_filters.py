"""Which bookings `oracode bookings list` shows: by door, date, unit, state, and text. Pure.

A person may type any part of an id, a label or a door's name, or any day of the stay. So all bookings are read. The
console shows pages of many bookings, so it uses indexes of the beginnings of words and of check-ins
(`shared/ledger/booking_search.py`).
"""

from collections.abc import Container
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from shared.domain.booking.record import BookedDoor, Booking
from shared.domain.stay.stay import Instant, StayTime, as_booked


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFilter:
    """What a booking must have; None means anything. `devices` are the doors of the unit in the filter."""

    state: str | None = None
    door: str | None = None
    on: date | None = None
    devices: Container[str] | None = None
    text: str | None = None

    def fits(self, booking: Booking) -> bool:
        """Say whether the booking meets all conditions. Doors that it was moved away from don't count."""
        doors = [door for door in booking.doors if door.wanted]
        return (
            (self.state is None or booking.state == self.state)
            and (self.door is None or any(_is_called(door, self.door) for door in doors))
            and (self.devices is None or any(door.device_id in self.devices for door in doors))
            and (self.on is None or _is_there(booking, doors, self.on))
            and (self.text is None or _says(booking, doors, self.text))
        )


def _is_called(door: BookedDoor, name: str) -> bool:
    return door.device_id == name.lower() or name.casefold() in door.name.casefold()


def _says(booking: Booking, doors: list[BookedDoor], text: str) -> bool:
    words = (booking.booking_id, booking.label or "", booking.reason, *(door.name for door in doors))
    return any(text.casefold() in word.casefold() for word in words)


def _is_there(booking: Booking, doors: list[BookedDoor], on: date) -> bool:
    """Say whether the guest has the door on this day, by the booked times on the lock's clock."""
    if booking.stay is None:
        return False
    zone = next((door.time_zone for door in doors if door.time_zone), None)
    stay = as_booked(booking.stay)
    return _day_of(stay.check_in, zone) <= on <= _day_of(stay.check_out, zone)


def _day_of(moment: StayTime, zone: str | None) -> date:
    if isinstance(moment, Instant) and zone is not None:
        return moment.at.astimezone(ZoneInfo(zone)).date()
    return moment.at.date()
