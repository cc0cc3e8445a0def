"""Find a guest by booking, label, door or unit. Guests who are inside now come first, with when the code works."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal

from pydantic import Field

from receiver.console.operations import Call, Operation
from receiver.console.views.booking import Opens, local, opens_of
from shared.console_tokens import Role
from shared.domain.booking.record import Booking
from shared.domain.booking.stay_times import check_in_of
from shared.domain.stay.instants import instants_of
from shared.ledger.booking_filter import BookingFilter

_MOST_ROWS: Final = 50
_MOST_DOORS: Final = 10
# Somebody who checked in longer ago is mostly not inside any more.
_LONGEST_STAY: Final = timedelta(days=35)
When = Literal["inside", "to come", "over"]
_ORDER: Final = ("inside", "to come", "over")


@dataclass(frozen=True, slots=True, kw_only=True)
class FindQuery:
    """What is looked for: the beginning of a booking's id or of a word of its label, a part of a door or its unit."""

    q: Annotated[str, Field(max_length=200)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundStay:
    """One door of one booking. Times are on the lock's clock, or as far as they are known while its zone isn't.

    `when` is `inside` while the stay lasts. `works_now` says whether the window of the door's code includes this
    moment; whether Seam confirms the code is the `state`.
    """

    booking_id: str
    label: str
    device_id: str
    door_name: str
    unit: str
    building: str
    state: str
    reason: str
    when: When
    check_in: datetime
    check_out: datetime
    time_zone: str | None
    code: Opens | None
    works_now: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDoor:
    """A door that fits what is looked for."""

    device_id: str
    name: str
    unit: str
    building: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was found: those inside first, then those to come, the nearest first, then those who left last.

    Of doors only the stays that aren't over are listed. `is_cut` says that more fit than are listed.
    """

    as_of: datetime
    q: str
    stays: tuple[FoundStay, ...]
    doors: tuple[FoundDoor, ...]
    is_cut: bool


def find(call: Call) -> Findings:
    """Return the stays and doors that fit; nothing for an empty question."""
    wanted = call.query.q.strip()
    if not wanted:
        return Findings(as_of=call.now, q="", stays=(), doors=(), is_cut=False)
    doors = _doors(call, wanted.casefold())
    device_ids = {each.device_id for each in doors[:_MOST_DOORS]}
    bookings, is_cut = _named(call, wanted)
    names = {each.booking_id for each in bookings}
    of_doors = call.ports.ledger.of_doors(device_ids) if device_ids else []
    stays = [each for booking in bookings for each in _stays(call, booking)]
    stays += [
        each
        for booking in of_doors
        if booking.booking_id not in names and not booking.cancelled
        for each in _stays(call, booking)
        if each.device_id in device_ids and each.when != "over"
    ]
    stays.sort(key=_place)
    return Findings(
        as_of=call.now,
        q=wanted,
        stays=tuple(stays[:_MOST_ROWS]),
        doors=tuple(doors[:_MOST_DOORS]),
        is_cut=is_cut or len(stays) > _MOST_ROWS or len(doors) > _MOST_DOORS,
    )


def _named(call: Call, wanted: str) -> tuple[tuple[Booking, ...], bool]:
    """Return bookings by id or label, and whether more fit: first those that may be inside or come, the nearest first.

    A guest at the door now is among these, also if many others have the same name.
    """
    since = call.now - _LONGEST_STAY
    near = call.ports.search.find(BookingFilter(word=wanted, check_in_from=since), limit=_MOST_ROWS)
    room = _MOST_ROWS - len(near.bookings)
    if near.cursor or not room:
        return near.bookings, True
    past = call.ports.search.find(BookingFilter(word=wanted, check_in_to=since), latest_first=True, limit=room)
    return (*near.bookings, *past.bookings), bool(past.cursor) or near.is_cut


def _doors(call: Call, wanted: str) -> list[FoundDoor]:
    """Return the doors whose name, unit or id fits: those that are called so first."""
    places = call.ports.places.now()
    ids = dict.fromkeys([*call.ports.ledger.doors_to_come(), *places])
    names = call.ports.last_read.names(ids)
    found = []
    for device_id in ids:
        place = call.ports.places.of(device_id)
        name = names.get(device_id) or device_id
        if any(wanted in each.casefold() for each in (name, place.unit, device_id)):
            found.append(FoundDoor(device_id=device_id, name=name, unit=place.unit, building=place.building))
    return sorted(found, key=lambda it: (wanted not in _words(it.name, it.unit), it.name.casefold(), it.device_id))


def _words(*names: str) -> set[str]:
    return {word for name in names for word in (name.casefold(), *name.casefold().split())}


def _stays(call: Call, booking: Booking) -> Iterator[FoundStay]:
    if booking.stay is None:
        return
    for door in booking.doors:
        check_in = check_in_of(booking.stay, door)
        if check_in is None or not door.wanted:
            continue
        over_at = door.check_out or instants_of(booking.stay, door.time_zone)[1]
        place = call.ports.places.of(door.device_id)
        window = door.code.window if door.code else None
        yield FoundStay(
            booking_id=booking.booking_id,
            label=booking.label or "",
            device_id=door.device_id,
            door_name=door.name or door.device_id,
            unit=place.unit,
            building=place.building,
            state=str(door.state),
            reason=door.reason,
            when="over" if over_at <= call.now else "inside" if check_in.at <= call.now else "to come",
            check_in=check_in.wall or local(check_in.at, door),
            check_out=local(over_at, door),
            time_zone=door.time_zone,
            code=opens_of(window, door.time_zone),
            works_now=window is not None and window.starts_at <= call.now < window.ends_at,
        )


def _place(stay: FoundStay) -> tuple[int, float, str]:
    # A time of an unknown zone has no offset: as UTC it is near enough for an order.
    at = (stay.check_in if stay.check_in.tzinfo else stay.check_in.replace(tzinfo=UTC)).timestamp()
    return _ORDER.index(stay.when), -at if stay.when == "over" else at, stay.booking_id


OPERATIONS: Final = (
    Operation(
        name="find",
        method="GET",
        path="/find",
        role=Role.VIEWER,
        summary="Find a guest by booking, label, door or unit: who is inside now, and when the code works.",
        handle=find,
        query=FindQuery,
        answer=Findings,
        page="/find",
        template="find.html",
        errors=(400,),
    ),
)
