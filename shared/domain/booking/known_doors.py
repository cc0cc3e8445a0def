"""A door as it was last known: its name and zone, for alerts and their severity while Seam can't be asked. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from shared.domain.booking.record import BookedDoor, Booking
from shared.domain.door.door import Door
from shared.domain.matching.rules import slot_zone


@dataclass(frozen=True, slots=True)
class KnownDoor:
    """What a door is called and which zone it is in; each empty where nobody knows."""

    name: str = ""
    time_zone: str | None = None


def known_door(door: Door) -> KnownDoor:
    """Return what is worth remembering of a door that was read."""
    zone = door.time_zone or next((zone for slot in door.slots if (zone := slot_zone(slot, door))), None)
    return KnownDoor(door.name, zone)


def known_by(bookings: Iterable[Booking], device_id: str) -> KnownDoor:
    """Return what the door's bookings know of it: those that were planned while the door could be read."""
    doors = [door for booking in bookings for door in booking.doors if door.device_id == device_id]
    name = next((door.name for door in doors if door.name), "")
    return KnownDoor(name, next((door.time_zone for door in doors if door.time_zone), None))


def is_known(door: BookedDoor) -> bool:
    """Say whether a booking knows its door's name and zone already."""
    return bool(door.name) and door.time_zone is not None


def recalled(door: BookedDoor, known: KnownDoor) -> BookedDoor:
    """Return the booked door with the name and zone that it lacks. What was read for this booking goes first."""
    return replace(door, name=door.name or known.name, time_zone=door.time_zone or known.time_zone)
