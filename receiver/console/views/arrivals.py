"""The board: the arrivals of the next hours, the nearest first, and whether the door will open."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from receiver.console.operations import Call, Operation
from receiver.console.places import NOWHERE, Place
from receiver.console.views.booking import Opens, opens_of
from shared.console_tokens import Role
from shared.domain.alerting.arrivals import Arrival, Readiness, issues_not_in_why
from shared.domain.booking.advice import window_text
from shared.domain.booking.record import Window
from shared.ledger.arrivals import LOOK_BACK, arrivals_between, inside_without_code, next_arrival
from shared.unapplied_messages import UnappliedMessage

WINDOWS: Final = (12, 24, 48, 96, 168, 336, 744)
"""How far ahead the page offers to look, in hours."""
_MOST_HOURS: Final = WINDOWS[-1]
_HOUR: Final = timedelta(hours=1)
# A page of 100 KB has room for them.
_A_PAGE: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalsQuery:
    """How far ahead, and who: all, or those who stand so. `page` is for the HTML page, 80 rows; the API answers all."""

    hours: Annotated[int, Field(ge=1, le=_MOST_HOURS)] = 48
    building: str = ""
    readiness: Readiness | Literal[""] = ""
    page: Annotated[int, Field(ge=1)] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalRow:
    """One door of one booking, or a message of one that was parked or refused: what it says isn't done.

    `check_in` is on the lock's clock, without an offset while nobody knows its zone. `message` is `parked` or `refused`
    where the row is of a message: it has a door only if its booking is known, and `parked_id` if it is parked. With
    `let_in_by_hand` the guest of a message must be let in by hand first: `next_step` begins with it.

    `reported` is what Seam reports of the door beside `why`. `code_window` and `earlier_pin_works` say when the code
    opens the door, and a PIN of an earlier revision; they are empty where there is none. `code` and `earlier_pin` are
    the same as times.
    """

    booking_id: str
    label: str
    device_id: str
    door_name: str
    unit: str
    building: str
    check_in: datetime
    time_zone: str | None
    code_window: str
    earlier_pin_works: str
    code: Opens | None
    earlier_pin: Opens | None
    seconds_left: int
    state: str
    readiness: str
    reason: str
    why: str
    next_step: str
    reported: tuple[str, ...]
    message: Literal["", "parked", "refused"] = ""
    let_in_by_hand: bool = False
    parked_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextArrival:
    """The first arrival behind an empty board. `check_in` is as in ArrivalRow.

    `hours` is the smallest window of the page that shows it; None where it is further ahead than any shows.
    """

    booking_id: str
    door_name: str
    check_in: datetime
    time_zone: str | None
    seconds_left: int
    hours: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalCounts:
    """How many doors are awaited, and how they stand; a message that was parked or refused counts as a door at risk."""

    at_risk: int
    on_its_way: int
    ready: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """The board as of a moment. The HTML page has the rows of `page` alone, of `pages`; the counts are of all who come.

    `zones` are the time zones of all doors awaited. `next_arrival` is given where no door is awaited: the first one
    later, in the same building; None where there is none. `undated` is how many messages that were parked or refused
    don't say when their guests come; they aren't counted.
    """

    as_of: datetime
    hours: int
    building: str
    readiness: str
    buildings: tuple[str, ...]
    zones: tuple[str, ...]
    counts: ArrivalCounts
    arrivals: tuple[ArrivalRow, ...]
    undated: int = 0
    next_arrival: NextArrival | None = None
    page: int = 1
    pages: int = 1


def read_arrivals(call: Call) -> Arrivals:
    """Return the board."""
    query: ArrivalsQuery = call.query
    ports = call.ports
    since, until = call.now - LOOK_BACK, call.now + timedelta(hours=query.hours)
    known: Any = {"now": call.now, "ledger": ports.ledger, "alerts": ports.alerts, "issues": ports.issues}
    places = ports.places.now()

    def is_here(arrival: Arrival) -> bool:
        return query.building in ("", places.get(arrival.device_id, NOWHERE).building)

    def is_message_here(message: UnappliedMessage) -> bool:
        # Of a booking that nobody knows yet, it may be in any building.
        return message.door is None or query.building in ("", places.get(message.door.device_id, NOWHERE).building)

    # A guest without a code after check-in stands before a locked door, however long ago check-in was.
    found = list(filter(is_here, (*inside_without_code(since, **known), *arrivals_between(since, until, **known))))
    unapplied = ports.unapplied.between(since, until, now=call.now)
    messages = list(filter(is_message_here, unapplied.messages))
    rows: list[tuple[datetime, Callable[[], ArrivalRow]]] = [
        (each.check_in, partial(_row, each, places.get(each.device_id, NOWHERE), call.now))
        for each in found
        if query.readiness in ("", each.readiness)
    ]
    rows += [
        (each.check_in.at, partial(_row_of_message, each, each.check_in.at, places, call.now))
        for each in messages
        if each.check_in is not None and query.readiness in ("", Readiness.AT_RISK)
    ]
    rows.sort(key=lambda row: row[0])
    pages = max(1, -(-len(rows) // _A_PAGE))
    page = min(query.page, pages)
    listed = rows[(page - 1) * _A_PAGE : page * _A_PAGE] if call.for_page else rows
    zones = {zone for zone in (*(it.time_zone for it in found), *(it.time_zone for it in messages)) if zone}
    counts = Counter([*(each.readiness for each in found), *(Readiness.AT_RISK for _ in messages)])
    return Arrivals(
        as_of=call.now,
        hours=query.hours,
        building=query.building,
        readiness=query.readiness,
        buildings=tuple(ports.places.buildings()),
        zones=tuple(sorted(zones)),
        counts=ArrivalCounts(
            at_risk=counts[Readiness.AT_RISK],
            on_its_way=counts[Readiness.ON_ITS_WAY],
            ready=counts[Readiness.READY],
            total=counts.total(),
        ),
        arrivals=tuple(make() for _, make in listed),
        undated=unapplied.undated,
        next_arrival=None if counts else _next(next_arrival(until, is_wanted=is_here, **known), call.now),
        page=page,
        pages=pages,
    )


def _row(arrival: Arrival, place: Place, now: datetime) -> ArrivalRow:
    code = _window(arrival.starts_at, arrival.ends_at)
    earlier = _window(arrival.earlier_starts_at, arrival.earlier_ends_at)
    return ArrivalRow(
        booking_id=arrival.booking_id,
        label=arrival.label,
        device_id=arrival.device_id,
        door_name=arrival.door_name,
        unit=place.unit,
        building=place.building,
        check_in=arrival.on_lock_clock,
        time_zone=arrival.time_zone,
        code_window=window_text(code, arrival.time_zone),
        earlier_pin_works=window_text(earlier, arrival.time_zone),
        code=opens_of(code, arrival.time_zone),
        earlier_pin=opens_of(earlier, arrival.time_zone),
        seconds_left=int((arrival.check_in - now).total_seconds()),
        state=str(arrival.state),
        readiness=str(arrival.readiness),
        reason=arrival.reason,
        why=arrival.why,
        next_step=arrival.next_step,
        reported=tuple(f"{issue.shown_kind}: {issue.text}" for issue in issues_not_in_why(arrival)),
    )


def _row_of_message(
    message: UnappliedMessage, check_in: datetime, places: Mapping[str, Place], now: datetime
) -> ArrivalRow:
    device_id = message.door.device_id if message.door is not None else ""
    place = places.get(device_id, NOWHERE)
    code = message.door.code.window if message.door is not None and message.door.code is not None else None
    return ArrivalRow(
        booking_id=message.booking_id,
        label=(message.booking.label if message.booking is not None else "") or "",
        device_id=device_id,
        door_name=(message.door.name if message.door is not None else "") or device_id,
        unit=place.unit,
        building=place.building,
        check_in=message.on_lock_clock or check_in,
        time_zone=message.time_zone,
        code_window=window_text(code, message.time_zone),
        earlier_pin_works="",
        code=opens_of(code, message.time_zone),
        earlier_pin=None,
        seconds_left=int((check_in - now).total_seconds()),
        state="refused" if message.is_refused else "parked",
        readiness=str(Readiness.AT_RISK),
        reason=str(message.reason),
        why=message.why,
        next_step=message.next_step(now),
        let_in_by_hand=message.lets_in_by_hand(now),
        reported=(),
        message="refused" if message.is_refused else "parked",
        parked_id=message.parked_id,
    )


def _next(arrival: Arrival | None, now: datetime) -> NextArrival | None:
    if arrival is None:
        return None
    left = arrival.check_in - now
    return NextArrival(
        booking_id=arrival.booking_id,
        door_name=arrival.door_name,
        check_in=arrival.on_lock_clock,
        time_zone=arrival.time_zone,
        seconds_left=int(left.total_seconds()),
        hours=next((hours for hours in WINDOWS if left <= hours * _HOUR), None),
    )


def _window(starts_at: datetime | None, ends_at: datetime | None) -> Window | None:
    return Window(starts_at, ends_at) if starts_at and ends_at else None


OPERATIONS: Final = (
    Operation(
        name="arrivals",
        method="GET",
        path="/arrivals",
        role=Role.VIEWER,
        summary="Who arrives in the next hours, the nearest first, and whether the door will open.",
        handle=read_arrivals,
        query=ArrivalsQuery,
        answer=Arrivals,
        page="/arrivals",
        template="arrivals.html",
    ),
)
