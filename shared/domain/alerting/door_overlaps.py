"""Who has a door at the same time: stays that overlap, and codes that still open it during another guest's stay. Pure.

If each of two bookings also has a door of its own, the door that both have is a common one, such as the entrance of the
house. It is meant to be shared, so there is no overlap.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from shared.domain.booking.record import AccessCode, BookedDoor, Booking, State, Window
from shared.domain.booking.test_code_ids import is_test_code
from shared.domain.code.removal import is_under_way
from shared.domain.stay.instants import instants_of
from shared.domain.stay.stay import Stay, WallTime, as_booked


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A booking's time on the door: the booked times; for residual access the times of the code."""

    booking: Booking
    door: BookedDoor
    check_in: datetime
    check_out: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualOverlap:
    """A code that no stay of its booking needs, and that opens the door during another guest's stay."""

    booking: Booking
    door: BookedDoor
    code: AccessCode
    guest: Guest

    @property
    def booking_ids(self) -> tuple[str, str]:
        """The ids of the code's booking and of the guest's."""
        return self.booking.booking_id, self.guest.booking.booking_id

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From when to when the code opens the door during the guest's stay."""
        window = self.code.window
        return max(self.guest.check_in, window.starts_at), min(window.ends_at, self.guest.check_out)


def guests_at(bookings: Iterable[Booking], device_id: str, now: datetime) -> tuple[list[Booking], list[Guest]]:
    """Return the bookings without test codes, and their guests who are expected or inside, in the order of check-in."""
    bookings = [booking for booking in bookings if not is_test_code(booking.booking_id)]
    zone = zone_of(bookings, device_id)
    guests = [guest for booking in bookings if (guest := guest_of(booking, device_id, zone, now)) is not None]
    return bookings, sorted(guests, key=lambda guest: (guest.check_in, guest.booking.booking_id))


def double_bookings(guests: Iterable[Guest], device_id: str) -> Iterator[tuple[Guest, Guest]]:
    """Yield the pairs of stays that overlap, the nearest first; `guests` are in the order of their check-ins."""
    inside: list[Guest] = []
    for second in guests:
        inside = [first for first in inside if second.check_in < first.check_out]
        for first in inside:
            ones, others = _wanted(first.booking), _wanted(second.booking)
            if not _is_common_door(ones, others) and device_id == min(ones & others):
                yield first, second
        inside.append(second)


def residual_overlaps(
    bookings: Iterable[Booking], guests: Iterable[Guest], device_id: str, now: datetime
) -> Iterator[ResidualOverlap]:
    """Yield a code for each pair of bookings of which one has residual access during the other's stay."""
    guests = list(guests)
    for booking in bookings:
        residual = _residual(booking, device_id, now)
        for guest in guests if residual else ():
            met = next((each for each in residual if _meets(each[1].window, guest)), None)
            is_own = booking.booking_id == guest.booking.booking_id
            if met is not None and not is_own and _is_told_here(booking, guest, device_id):
                door, code = met
                yield ResidualOverlap(booking=booking, door=door, code=code, guest=guest)


def guest_of(booking: Booking, device_id: str, zone: str | None, now: datetime) -> Guest | None:
    """Return the guest of a booking who is still expected at the door, or inside; None if there is none."""
    if booking.cancelled or booking.stay is None:
        return None
    doors = [door for door in booking.doors if door.device_id == device_id and door.wanted]
    times = _times(booking.stay, zone)
    if not doors or all(door.state is State.ENDED for door in doors) or times is None or times[1] <= now:
        return None
    return Guest(booking=booking, door=doors[0], check_in=times[0], check_out=times[1])


def _times(stay: Stay, zone: str | None) -> tuple[datetime, datetime] | None:
    """Return the booked times as instants; None for times on the lock's clock while its zone isn't known.

    Once the door was read the booking changes, and is then compared.
    """
    times = (stay.check_in, stay.check_out)
    if zone is None and any(isinstance(time, WallTime) and time.time_zone is None for time in times):
        return None
    return instants_of(as_booked(stay), zone)


def zone_of(bookings: Iterable[Booking], device_id: str) -> str | None:
    """Return the door's time zone, as any of the bookings knows it."""
    doors = (door for booking in bookings for door in booking.doors if door.device_id == device_id)
    return next((door.time_zone for door in doors if door.time_zone), None)


def _residual(booking: Booking, device_id: str, now: datetime) -> list[tuple[BookedDoor, AccessCode]]:
    """Return the codes of the door that no stay of the booking needs and that still open it, the longest first."""
    doors = (door for door in booking.doors if door.device_id == device_id)
    codes = [(door, code) for door in doors for code in door.residual if code.window.ends_at > now]
    # A deletion that is under way raises no alert: within minutes it is done, or has failed.
    found = [(door, code) for door, code in codes if not is_under_way(code)]
    return sorted(found, key=lambda each: (each[1].window.ends_at, each[1].access_code_id), reverse=True)


def _meets(window: Window, guest: Guest) -> bool:
    return window.starts_at < guest.check_out and guest.check_in < window.ends_at


def _wanted(booking: Booking) -> frozenset[str]:
    return frozenset(door.device_id for door in booking.doors if door.wanted)


def _is_common_door(ones: frozenset[str], others: frozenset[str]) -> bool:
    """Say whether each of two bookings has a door of its own: then what they share is a common door."""
    return bool(ones - others) and bool(others - ones)


def _is_told_here(booking: Booking, guest: Guest, device_id: str) -> bool:
    """Say whether residual access is told at this door: never at a common one, and only at one of several doors."""
    mine, theirs = _wanted(booking), _wanted(guest.booking)
    if device_id in mine and _is_common_door(mine, theirs):
        return False
    return device_id == min(theirs & {door.device_id for door in booking.doors if door.residual})
