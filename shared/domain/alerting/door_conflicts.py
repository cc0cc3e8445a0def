"""Two guests and one door: a door that is booked twice, and a code that still works during the next guest's stay. Pure.

Both bookings get their codes all the same: one may exist already, and can't be taken back. People are told once a pair.

A door that both bookings have beside a door of their own is a common one (the entrance of the house): it is meant to be
shared, and nothing is told of it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import nsmallest
from itertools import islice
from typing import Final
from urllib.parse import quote

from shared.domain.alerting.causes import Cause
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import AccessCode, BookedDoor, Booking, State, Window
from shared.domain.booking.test_code_ids import is_test_code
from shared.domain.code.removal import is_under_way
from shared.domain.matching.manual_choice import short
from shared.domain.quoting import shown
from shared.domain.stay.instants import instants_of
from shared.domain.stay.stay import Stay, WallTime, as_booked
from shared.domain.times.wall_clock import find_zone

# Of each kind. A door with more pairs than these is booked by the bed, or by mistake, and people know that by now.
MOST_PAIRS: Final = 50


@dataclass(frozen=True, slots=True)
class Conflict:
    """What is told of a pair of bookings on one door, and when it is over by itself."""

    cause: Cause
    over_at: datetime

    @property
    def key(self) -> str:
        """The key of the alert: the same for the same pair."""
        return self.cause.notice.key


@dataclass(frozen=True, slots=True, kw_only=True)
class _Guest:
    """A booking's time on the door: the times that were booked; of residual access those of its code."""

    booking: Booking
    door: BookedDoor
    check_in: datetime
    check_out: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Overlap:
    """A code that no stay of its booking needs, and that opens the door during another guest's stay."""

    booking: Booking
    door: BookedDoor
    code: AccessCode
    guest: _Guest

    @property
    def names(self) -> tuple[str, str]:
        """The ids of the code's booking and of the guest's."""
        return self.booking.booking_id, self.guest.booking.booking_id

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From when to when it does."""
        window = self.code.window
        return max(self.guest.check_in, window.starts_at), min(window.ends_at, self.guest.check_out)


def conflicts_of(
    bookings: Iterable[Booking], device_id: str, now: datetime, *, with_double_bookings: bool = True
) -> list[Conflict]:
    """Return what is to be told of this door now, the nearest first: of each kind up to MOST_PAIRS, the nearest.

    What is over isn't told any more.
    """
    bookings, guests = _who(bookings, device_id, now)
    residual = nsmallest(MOST_PAIRS, _residual_overlaps(bookings, guests, device_id, now), key=lambda each: each.span)
    double = islice(_double_bookings(guests, device_id), MOST_PAIRS) if with_double_bookings else ()
    found = [
        *(_residual_overlap(each, device_id, now) for each in residual),
        *(_double_booking(pair, device_id, now) for pair in double),
    ]
    return sorted(found, key=lambda conflict: (conflict.cause.notice.check_in or now, conflict.key))


def still_in_conflict(
    keys: Iterable[str],
    bookings: Iterable[Booking],
    device_id: str,
    now: datetime,
    *,
    with_double_bookings: bool = True,
) -> set[str]:
    """Return the keys of the pairs that are still in conflict, also of those beyond the nearest that are told."""
    bookings, guests = _who(bookings, device_id, now)
    found = {
        _key(Reason.RESIDUAL_OVERLAP, each.names, device_id)
        for each in _residual_overlaps(bookings, guests, device_id, now)
    }
    if with_double_bookings:
        found |= {_key(Reason.DOUBLE_BOOKED, _names(pair), device_id) for pair in _double_bookings(guests, device_id)}
    return found & set(keys)


def next_check_out(bookings: Iterable[Booking], device_id: str, now: datetime) -> datetime | None:
    """Return when the next stay on the door is over, and so may be what is told of it; None where none is to come."""
    bookings = list(bookings)
    zone = _zone_of(bookings, device_id)
    guests = (_guest(booking, device_id, zone, now) for booking in bookings)
    return min((guest.check_out for guest in guests if guest is not None), default=None)


def _who(bookings: Iterable[Booking], device_id: str, now: datetime) -> tuple[list[Booking], list[_Guest]]:
    """Return the bookings that count, and their guests who are still expected, in the order of their check-ins."""
    bookings = [booking for booking in bookings if not is_test_code(booking.booking_id)]
    zone = _zone_of(bookings, device_id)
    guests = [guest for booking in bookings if (guest := _guest(booking, device_id, zone, now)) is not None]
    return bookings, sorted(guests, key=lambda guest: (guest.check_in, guest.booking.booking_id))


def _double_bookings(guests: Iterable[_Guest], device_id: str) -> Iterator[tuple[_Guest, _Guest]]:
    """Yield the pairs of stays that overlap, the nearest first; `guests` are in the order of their check-ins."""
    inside: list[_Guest] = []
    for second in guests:
        inside = [first for first in inside if second.check_in < first.check_out]
        for first in inside:
            ones, others = _wanted(first.booking), _wanted(second.booking)
            if not _is_common_door(ones, others) and device_id == min(ones & others):
                yield first, second
        inside.append(second)


def _names(pair: tuple[_Guest, _Guest]) -> tuple[str, str]:
    """Return the ids of a pair in an order that doesn't depend on who comes first."""
    one, other = sorted(guest.booking.booking_id for guest in pair)
    return one, other


def _double_booking(pair: tuple[_Guest, _Guest], device_id: str, now: datetime) -> Conflict:
    first, second = pair
    over_at = min(first.check_out, second.check_out)
    zone = first.door.time_zone or second.door.time_zone
    detail = f"Both have it from {_at(second.check_in, zone)} to {_at(over_at, zone)}."
    span = second.check_in, over_at
    return _conflict(Reason.DOUBLE_BOOKED, pair, _names(pair), device_id, span=span, detail=detail, now=now)


def _residual_overlaps(
    bookings: Iterable[Booking], guests: Iterable[_Guest], device_id: str, now: datetime
) -> Iterator[_Overlap]:
    guests = list(guests)
    for booking in bookings:
        residual = _residual(booking, device_id, now)
        for guest in guests if residual else ():
            met = next((each for each in residual if _meets(each[1].window, guest)), None)
            is_own = booking.booking_id == guest.booking.booking_id
            if met is not None and not is_own and _is_told_here(booking, guest, device_id):
                door, code = met
                yield _Overlap(booking=booking, door=door, code=code, guest=guest)


def _residual_overlap(overlap: _Overlap, device_id: str, now: datetime) -> Conflict:
    booking, door, code, guest = overlap.booking, overlap.door, overlap.code, overlap.guest
    window, zone = code.window, door.time_zone or guest.door.time_zone
    name = f"Code {code.access_code_id} of booking {shown(booking.booking_id)}"
    detail = f"{name}, which {_what_became(booking, door, code)}, opens the door until {_at(window.ends_at, zone)}."
    if code.removal is not None and code.removal.asked:
        detail += f" Deleting it failed. {code.removal.failure.rstrip('.')}."
    earlier = _Guest(booking=booking, door=door, check_in=window.starts_at, check_out=window.ends_at)
    names, span = overlap.names, overlap.span
    return _conflict(Reason.RESIDUAL_OVERLAP, (earlier, guest), names, device_id, span=span, detail=detail, now=now)


def _key(problem: Reason, names: Iterable[str], device_id: str) -> str:
    return "/".join(("door", device_id, problem, *(quote(name, safe="") for name in names)))


def _conflict(
    problem: Reason,
    pair: tuple[_Guest, _Guest],
    names: tuple[str, str],
    device_id: str,
    *,
    span: tuple[datetime, datetime],
    detail: str,
    now: datetime,
) -> Conflict:
    begins_at, over_at = span
    door_name = next((short(guest.door.name) for guest in pair if guest.door.name), device_id)
    zone = next((guest.door.time_zone for guest in pair if guest.door.time_zone), None)
    both = " and ".join(shown(name) for name in names)
    notice = alert_notice(
        problem,
        key=_key(problem, names, device_id),
        subject=f"Bookings {both} on {door_name}",
        at=now,
        detail=detail,
        look_closer=f"oracode bookings list --door {device_id}",
        check_in=begins_at,
        check_out=over_at,
        time_zone=zone,
        device_id=device_id,
    )
    subjects = tuple(_subject(guest, zone) for guest in pair)
    return Conflict(Cause(notice, hit=len(pair), subjects=subjects), over_at)


def _subject(guest: _Guest, zone: str | None) -> str:
    return f"Booking {shown(guest.booking.booking_id)}, {_at(guest.check_in, zone)} to {_at(guest.check_out, zone)}"


def _guest(booking: Booking, device_id: str, zone: str | None, now: datetime) -> _Guest | None:
    """Return the stay of a guest who is still expected at the door, or in it; None where there is none."""
    if booking.cancelled or booking.stay is None:
        return None
    doors = [door for door in booking.doors if door.device_id == device_id and door.wanted]
    times = _times(booking.stay, zone)
    if not doors or all(door.state is State.ENDED for door in doors) or times is None or times[1] <= now:
        return None
    return _Guest(booking=booking, door=doors[0], check_in=times[0], check_out=times[1])


def _times(stay: Stay, zone: str | None) -> tuple[datetime, datetime] | None:
    """Return the booked times as instants; None for those of the lock's clock while nobody knows its zone.

    They are compared as soon as the door was read: that is a change of the booking.
    """
    times = (stay.check_in, stay.check_out)
    if zone is None and any(isinstance(time, WallTime) and time.time_zone is None for time in times):
        return None
    return instants_of(as_booked(stay), zone)


def _zone_of(bookings: Iterable[Booking], device_id: str) -> str | None:
    doors = (door for booking in bookings for door in booking.doors if door.device_id == device_id)
    return next((door.time_zone for door in doors if door.time_zone), None)


def _residual(booking: Booking, device_id: str, now: datetime) -> list[tuple[BookedDoor, AccessCode]]:
    """Return the codes of the door that no stay of the booking needs and that still open it, the longest first."""
    doors = (door for door in booking.doors if door.device_id == device_id)
    codes = [(door, code) for door in doors for code in door.residual if code.window.ends_at > now]
    # A deletion that is under way raises no alert: within minutes it is done, or has failed.
    found = [(door, code) for door, code in codes if not is_under_way(code)]
    return sorted(found, key=lambda each: (each[1].window.ends_at, each[1].access_code_id), reverse=True)


def _meets(window: Window, guest: _Guest) -> bool:
    return window.starts_at < guest.check_out and guest.check_in < window.ends_at


def _wanted(booking: Booking) -> frozenset[str]:
    return frozenset(door.device_id for door in booking.doors if door.wanted)


def _is_common_door(ones: frozenset[str], others: frozenset[str]) -> bool:
    """Say whether what two bookings share is a common door: each of them has a door of its own beside it."""
    return bool(ones - others) and bool(others - ones)


def _is_told_here(booking: Booking, guest: _Guest, device_id: str) -> bool:
    """Say whether residual access is told at this door: not at a common one, and of several doors at one."""
    mine, theirs = _wanted(booking), _wanted(guest.booking)
    if device_id in mine and _is_common_door(mine, theirs):
        return False
    return device_id == min(theirs & {door.device_id for door in booking.doors if door.residual})


def _what_became(booking: Booking, door: BookedDoor, code: AccessCode) -> str:
    if code.replaced_at is not None:
        return "had it replaced"
    if booking.cancelled:
        return "is cancelled"
    return "was changed" if door.wanted else "moved to another door"


def _at(moment: datetime, zone: str | None) -> str:
    """Return a moment on the lock's clock."""
    known = find_zone(zone) if zone else None
    return f"{moment.astimezone(known):%a %Y-%m-%d %H:%M}" if known else f"{moment:%a %Y-%m-%d %H:%M %Z}".rstrip()
