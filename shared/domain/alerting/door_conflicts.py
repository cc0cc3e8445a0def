"""The alerts of two guests with one door: booked twice, or a code that still works during the next guest's stay. Pure.

`shared.domain.alerting.door_overlaps` finds who overlaps. Both bookings get their codes nevertheless: one code may
exist already, and can't be taken back. People are told once of each pair.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from heapq import nsmallest
from itertools import islice
from typing import Final
from urllib.parse import quote

from shared.domain.alerting.causes import Cause
from shared.domain.alerting.door_overlaps import (
    Guest,
    ResidualOverlap,
    double_bookings,
    guest_of,
    guests_at,
    residual_overlaps,
    zone_of,
)
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import AccessCode, BookedDoor, Booking
from shared.domain.matching.manual_choice import short
from shared.domain.quoting import shown
from shared.domain.times.wall_clock import find_zone

# Of each kind. A door with more pairs than these is booked by the bed, or by mistake, and people have been told of it.
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


def conflicts_of(
    bookings: Iterable[Booking], device_id: str, now: datetime, *, with_double_bookings: bool = True
) -> list[Conflict]:
    """Return the conflicts at this door that aren't over, the nearest first; of each kind at most MOST_PAIRS."""
    bookings, guests = guests_at(bookings, device_id, now)
    residual = nsmallest(MOST_PAIRS, residual_overlaps(bookings, guests, device_id, now), key=lambda each: each.span)
    double = islice(double_bookings(guests, device_id), MOST_PAIRS) if with_double_bookings else ()
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
    """Return those of the `keys` whose pairs are still in conflict. MOST_PAIRS doesn't limit them."""
    bookings, guests = guests_at(bookings, device_id, now)
    found = {
        _key(Reason.RESIDUAL_OVERLAP, each.booking_ids, device_id)
        for each in residual_overlaps(bookings, guests, device_id, now)
    }
    if with_double_bookings:
        found |= {
            _key(Reason.DOUBLE_BOOKED, _booking_ids(pair), device_id) for pair in double_bookings(guests, device_id)
        }
    return found & set(keys)


def next_check_out(bookings: Iterable[Booking], device_id: str, now: datetime) -> datetime | None:
    """Return when the next stay on the door is over: then the door is compared again. None without a stay to come."""
    bookings = list(bookings)
    zone = zone_of(bookings, device_id)
    guests = (guest_of(booking, device_id, zone, now) for booking in bookings)
    return min((guest.check_out for guest in guests if guest is not None), default=None)


def _booking_ids(pair: tuple[Guest, Guest]) -> tuple[str, str]:
    """Return the ids of a pair in an order that doesn't depend on who comes first."""
    one, other = sorted(guest.booking.booking_id for guest in pair)
    return one, other


def _double_booking(pair: tuple[Guest, Guest], device_id: str, now: datetime) -> Conflict:
    first, second = pair
    over_at = min(first.check_out, second.check_out)
    zone = first.door.time_zone or second.door.time_zone
    detail = f"Both have it from {_at(second.check_in, zone)} to {_at(over_at, zone)}."
    span = second.check_in, over_at
    return _conflict(Reason.DOUBLE_BOOKED, pair, _booking_ids(pair), device_id, span=span, detail=detail, now=now)


def _residual_overlap(overlap: ResidualOverlap, device_id: str, now: datetime) -> Conflict:
    booking, door, code, guest = overlap.booking, overlap.door, overlap.code, overlap.guest
    window, zone = code.window, door.time_zone or guest.door.time_zone
    name = f"Code {code.access_code_id} of booking {shown(booking.booking_id)}"
    detail = f"{name}, which {_what_became(booking, door, code)}, opens the door until {_at(window.ends_at, zone)}."
    if code.removal is not None and code.removal.asked:
        detail += f" Deleting it failed. {code.removal.failure.rstrip('.')}."
    earlier = Guest(booking=booking, door=door, check_in=window.starts_at, check_out=window.ends_at)
    ids, span = overlap.booking_ids, overlap.span
    return _conflict(Reason.RESIDUAL_OVERLAP, (earlier, guest), ids, device_id, span=span, detail=detail, now=now)


def _key(problem: Reason, booking_ids: Iterable[str], device_id: str) -> str:
    return "/".join(("door", device_id, problem, *(quote(name, safe="") for name in booking_ids)))


def _conflict(
    problem: Reason,
    pair: tuple[Guest, Guest],
    booking_ids: tuple[str, str],
    device_id: str,
    *,
    span: tuple[datetime, datetime],
    detail: str,
    now: datetime,
) -> Conflict:
    begins_at, over_at = span
    door_name = next((short(guest.door.name) for guest in pair if guest.door.name), device_id)
    zone = next((guest.door.time_zone for guest in pair if guest.door.time_zone), None)
    both = " and ".join(shown(name) for name in booking_ids)
    notice = alert_notice(
        problem,
        key=_key(problem, booking_ids, device_id),
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


def _subject(guest: Guest, zone: str | None) -> str:
    return f"Booking {shown(guest.booking.booking_id)}, {_at(guest.check_in, zone)} to {_at(guest.check_out, zone)}"


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
