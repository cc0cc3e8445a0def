"""Bookings, a page at a time, by filters that all stand in the address."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from receiver.console.operations import Call, Operation, Unusable
from receiver.console.ports import Ports
from shared.console_tokens import Role
from shared.domain.booking.record import Booking, State
from shared.domain.booking.stay_times import check_in_of
from shared.domain.stay.stay import time_text
from shared.ledger.booking_candidates import MOST_CANDIDATES
from shared.ledger.booking_filter import BookingFilter
from shared.ledger.booking_search import PAGE

_LONGEST: Final = 200
_Text = Annotated[str, Field(max_length=_LONGEST)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterFields:
    """What is looked for; all of it together. Days are in UTC, both included.

    `q` is the beginning of a booking's id, or of a word of its label.
    """

    state: State | Literal[""] = ""
    reason: _Text = ""
    q: _Text = ""
    device_id: _Text = ""
    unit: _Text = ""
    building: _Text = ""
    check_in_from: date | Literal[""] = ""
    check_in_to: date | Literal[""] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingsQuery(FilterFields):
    """A page of what is looked for."""

    sort: Literal["check_in", "-check_in"] = "check_in"
    limit: Annotated[int, Field(ge=1, le=PAGE)] = PAGE
    cursor: Annotated[str, Field(max_length=2 * _LONGEST)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRow:
    """One booking. `check_in` is on the lock's clock where that is known, else as it was booked.

    `parked` are the ids of its messages that could not be used.
    """

    booking_id: str
    label: str
    state: str
    reason: str
    check_in: str
    doors: tuple[str, ...]
    residual_access_until: datetime | None
    due_at: datetime | None
    parked: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookings:
    """A page. `counts` are the bookings of each state that fit the rest of the filter.

    `cursor` leads to the next page; empty on the last. Of too many candidates only the first `most` were looked at.
    """

    as_of: datetime
    counts: dict[str, int]
    total: int
    is_cut: bool
    most: int
    cursor: str
    reasons: tuple[str, ...]
    buildings: tuple[str, ...]
    bookings: tuple[BookingRow, ...]


def read_bookings(call: Call) -> Bookings:
    """Return a page of bookings. Raises Unusable for a cursor that isn't ours."""
    query: BookingsQuery = call.query
    ports = call.ports
    try:
        found = ports.search.find(
            filter_of(query, ports),
            latest_first=query.sort == "-check_in",
            cursor=query.cursor,
            limit=query.limit,
        )
    except ValueError:
        raise Unusable({"cursor": "is none that a page of this list has given"}) from None
    parked = ports.parked_of.ids_of(booking.booking_id for booking in found.bookings)
    return Bookings(
        as_of=call.now,
        counts={str(state): found.counts[state] for state in State if found.counts.get(state)},
        total=sum(found.counts.values()),
        is_cut=found.is_cut,
        most=MOST_CANDIDATES,
        cursor=found.cursor,
        reasons=tuple(ports.search.reasons()),
        buildings=tuple(ports.places.buildings()),
        bookings=tuple(_row(booking, parked.get(booking.booking_id, ())) for booking in found.bookings),
    )


def filter_of(query: FilterFields, ports: Ports) -> BookingFilter:
    """Return the filter that the query means; a unit and a building are the doors that DOORS_FILE has for them."""
    devices: tuple[str, ...] | None = None
    if query.unit or query.building:
        devices = tuple(ports.places.doors(unit=query.unit, building=query.building))
    if query.device_id:
        device_id = query.device_id.strip().lower()
        devices = (device_id,) if devices is None or device_id in devices else ()
    return BookingFilter(
        state=str(query.state),
        reason=query.reason,
        word=query.q.strip(),
        device_ids=devices,
        check_in_from=_start_of(query.check_in_from) if query.check_in_from else None,
        check_in_to=_start_of(query.check_in_to) + timedelta(days=1, microseconds=-1) if query.check_in_to else None,
    )


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _row(booking: Booking, parked: tuple[str, ...]) -> BookingRow:
    return BookingRow(
        booking_id=booking.booking_id,
        label=booking.label or "",
        state=str(booking.state),
        reason=booking.reason,
        check_in=shown_check_in(booking),
        doors=tuple(door.name or door.device_id for door in booking.doors if door.wanted),
        residual_access_until=booking.residual_access_until,
        due_at=min((door.due_at for door in booking.doors if door.due_at is not None), default=None),
        parked=parked,
    )


def shown_check_in(booking: Booking) -> str:
    """Return a booking's check-in on the lock's clock where that is known, else as it was booked."""
    for door in booking.doors:
        found = check_in_of(booking.stay, door)
        if found is not None:
            zone = ZoneInfo(door.time_zone) if door.time_zone else UTC
            return f"{found.wall or found.at.astimezone(zone):%a %Y-%m-%d %H:%M}"
    return time_text(booking.stay.check_in) if booking.stay is not None else ""


OPERATIONS: Final = (
    Operation(
        name="bookings",
        method="GET",
        path="/bookings",
        role=Role.VIEWER,
        summary="Bookings by check-in, a page at a time, with the counts of each state.",
        handle=read_bookings,
        query=BookingsQuery,
        answer=Bookings,
        page="/bookings",
        template="bookings.html",
        errors=(400,),
    ),
)
