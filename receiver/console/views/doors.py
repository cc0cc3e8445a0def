"""Doors: their slots over a day, what Seam reports of them, and whether the coming bookings fit."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, cast

from pydantic import Field

from receiver.console.day_picture import DayPicture, picture_of_door
from receiver.console.open_orders import OpenOrder, open_orders
from receiver.console.operations import Call, NotFound, Operation
from receiver.console.views.door_tests import CodeTestView, tests_of
from shared import redis_keys
from shared.console_tokens import Role
from shared.domain.alerting.arrivals import first_check_in
from shared.domain.alerting.door_problems import KnownIssues
from shared.domain.booking.record import Booking, State
from shared.domain.door.issues import Issue, merge_issues
from shared.domain.matching.match import Outcome as MatchOutcome
from shared.domain.matching.match import match
from shared.domain.matching.slot_warnings import warnings_of
from shared.ledger.last_read_doors import LastRead
from shared.ops_commands import TEST
from shared.seam.limits import CREATES_A_MINUTE

_PAGE: Final = 100
_MOST_BOOKINGS: Final = 50
_OVER: Final = (State.CANCELLED, State.ENDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorsQuery:
    """Which doors: a part of the name or id, and the page."""

    q: Annotated[str, Field(max_length=200)] = ""
    building: Annotated[str, Field(max_length=200)] = ""
    page: Annotated[int, Field(ge=1, le=1_000)] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueView:
    """An error or a warning that Seam reports. `blocks` says whether it keeps codes from working."""

    kind: str
    text: str
    blocks: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorRow:
    """One door. `slots` are the times of its slots; `read_at` is None where it was never read."""

    device_id: str
    name: str
    unit: str
    building: str
    time_zone: str | None
    slots: tuple[str, ...]
    issues: tuple[IssueView, ...]
    read_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """A page of the doors with bookings to come and those of DOORS_FILE, by name."""

    as_of: datetime
    total: int
    page: int
    pages: int
    buildings: tuple[str, ...]
    doors: tuple[DoorRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComingBooking:
    """A booking of the door that isn't over. `fits` is what matching says of it by the door as it was last read."""

    booking_id: str
    label: str
    state: str
    reason: str
    check_in: datetime | None
    fits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeView:
    """How the door was changed, and when that was noticed."""

    at: datetime
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorView(DoorRow):
    """One door with everything that is known of it.

    `codes_alive` counts our codes on it that haven't ended, `codes_limit` is how many the lock can hold (None: it
    doesn't say). `creates_last_minute` is what was spent of the `creates_allowed` that Seam takes a minute. `changes`
    are the newest first; so are `tests`, the test codes that were ordered here. `orders` are orders of a test code that
    no worker has done yet; `is_test_ordered` says whether there is one.
    """

    as_of: datetime
    takes_offline_codes: bool
    picture: DayPicture | None
    warnings: tuple[str, ...]
    codes_alive: int
    codes_limit: int | None
    creates_last_minute: int
    creates_allowed: int
    fitting: int
    coming: int
    bookings: tuple[ComingBooking, ...]
    changes: tuple[ChangeView, ...]
    tests: tuple[CodeTestView, ...]
    orders: tuple[OpenOrder, ...]
    is_test_ordered: bool


def read_doors(call: Call) -> Doors:
    """Return a page of doors."""
    query: DoorsQuery = call.query
    ports = call.ports
    ids = list(dict.fromkeys([*ports.ledger.doors_to_come(), *ports.places.doors()]))
    if query.building:
        ids = [each for each in ids if ports.places.of(each).building == query.building]
    known = ports.last_read.names(ids)
    names = {each: known.get(each) or each for each in ids}
    wanted = query.q.strip().casefold()
    ids = sorted(
        (each for each in ids if wanted in names[each].casefold() or wanted in each.casefold()),
        key=lambda each: (names[each].casefold(), each),
    )
    shown = ids[(query.page - 1) * _PAGE : query.page * _PAGE]
    issues, readings = ports.issues.of_doors(shown), ports.last_read.of(shown)
    return Doors(
        as_of=call.now,
        total=len(ids),
        page=query.page,
        pages=max(1, -(-len(ids) // _PAGE)),
        buildings=tuple(ports.places.buildings()),
        doors=tuple(
            DoorRow(**_facts(call, each, readings.get(each), issues.get(each)) | {"name": names[each]})
            for each in shown
        ),
    )


def read_door(call: Call) -> DoorView:
    """Return one door. Raises NotFound where nothing is known of it."""
    device_id = call.path["device_id"].lower()
    ports = call.ports
    reading = ports.last_read.of([device_id]).get(device_id)
    bookings = ports.ledger.of_door(device_id)
    if reading is None and not bookings and not ports.places.of(device_id).unit:
        raise NotFound("No booking is on this door, and it was never read.")
    coming = sorted((each for each in bookings if _is_coming(each, device_id)), key=_check_in)
    judged = tuple(_coming(call, each, reading) for each in coming[:_MOST_BOOKINGS])
    spent = redis_keys.door_spent(device_id)
    orders = open_orders(ports, lambda it: it.action == TEST and it.target == device_id).get(device_id, [])
    since = (call.now - timedelta(minutes=1)).timestamp() * 1000
    return DoorView(
        **_facts(call, device_id, reading, ports.issues.of_doors([device_id]).get(device_id)),
        as_of=call.now,
        takes_offline_codes=reading is not None and reading.door.can_program_offline_access_codes,
        picture=picture_of_door(reading.door) if reading is not None else None,
        warnings=tuple(each.text for each in warnings_of(reading.door)) if reading is not None else (),
        codes_alive=_alive(bookings, device_id, call.now),
        codes_limit=reading.door.max_active_codes_supported if reading is not None else None,
        creates_last_minute=int(cast(Any, ports.redis.zcount(spent, since, "+inf"))),
        creates_allowed=CREATES_A_MINUTE,
        fitting=sum(each.fits == MatchOutcome.MATCHED for each in judged),
        coming=len(coming),
        bookings=judged,
        changes=tuple(ChangeView(at=each.at, what=each.what) for each in ports.door_history.of(device_id)),
        tests=tests_of(call, device_id, reading.door if reading is not None else None),
        orders=tuple(orders),
        is_test_ordered=bool(orders),
    )


def _facts(call: Call, device_id: str, reading: LastRead | None, known: KnownIssues | None) -> dict[str, Any]:
    place = call.ports.places.of(device_id)
    issues = merge_issues(known.of_door, known.of_account) if known is not None else ()
    door = reading.door if reading is not None else None
    return {
        "device_id": device_id,
        "name": door.name if door is not None else device_id,
        "unit": place.unit,
        "building": place.building,
        "time_zone": door.time_zone if door is not None else None,
        "slots": tuple(f"{each.check_in or '?'}–{each.check_out or '?'}" for each in door.slots) if door else (),
        "issues": tuple(map(_issue, issues)),
        "read_at": reading.read_at if reading is not None else None,
    }


def _issue(issue: Issue) -> IssueView:
    return IssueView(kind=issue.shown_kind, text=issue.text, blocks=issue.meaning.blocks)


def _is_coming(booking: Booking, device_id: str) -> bool:
    return not booking.cancelled and any(
        door.device_id == device_id and door.wanted and door.state not in _OVER for door in booking.doors
    )


def _check_in(booking: Booking) -> tuple[float, str]:
    at = first_check_in(booking)
    return at.timestamp() if at is not None else 0.0, booking.booking_id


def _coming(call: Call, booking: Booking, reading: LastRead | None) -> ComingBooking:
    fits = ""
    if reading is not None and booking.stay is not None:
        fits = str(match(booking.stay, reading.door, call.ports.policy).outcome)
    return ComingBooking(
        booking_id=booking.booking_id,
        label=booking.label or "",
        state=str(booking.state),
        reason=booking.reason,
        check_in=first_check_in(booking),
        fits=fits,
    )


def _alive(bookings: list[Booking], device_id: str, now: datetime) -> int:
    doors = (door for booking in bookings for door in booking.doors if door.device_id == device_id)
    codes = (code for door in doors for code in (*((door.code,) if door.code else ()), *door.residual))
    return sum(code.window.ends_at > now for code in codes)


OPERATIONS: Final = (
    Operation(
        name="doors",
        method="GET",
        path="/doors",
        role=Role.VIEWER,
        summary="Doors with bookings to come and those of DOORS_FILE, by name.",
        handle=read_doors,
        query=DoorsQuery,
        answer=Doors,
        page="/doors",
        template="doors.html",
        errors=(400,),
    ),
    Operation(
        name="door",
        method="GET",
        path="/doors/{device_id}",
        role=Role.VIEWER,
        summary="One door: its slots over a day, what Seam reports of it, and its coming bookings.",
        handle=read_door,
        answer=DoorView,
        page="/doors/{device_id}",
        template="door.html",
        errors=(404,),
    ),
)
