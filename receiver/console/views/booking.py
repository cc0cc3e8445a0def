"""One booking: each door's state and code, the picture of the day, residual access, and the whole story."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from receiver.console.day_picture import DayPicture, picture_of_stay
from receiver.console.open_orders import OpenOrder, open_orders
from receiver.console.operations import Call, NotFound, Operation
from receiver.console.places import Place
from shared.console_tokens import Role
from shared.domain.alerting.door_problems import KnownIssues
from shared.domain.booking.advice import earlier_code_of, earlier_codes_of, window_text
from shared.domain.booking.cancel_preview import preview_of
from shared.domain.booking.notices import next_step_of, problems_of
from shared.domain.booking.own_message import is_over
from shared.domain.booking.problem_catalogue import PROBLEMS
from shared.domain.booking.record import AccessCode, BookedDoor, Booking, HistoryEntry, Window
from shared.domain.booking.stay_times import check_in_of
from shared.domain.booking.story_facts import facts_of
from shared.domain.booking.transitions import may_choose_slot, why_not_reissued
from shared.domain.door.issues import merge_issues
from shared.domain.matching.manual_options import Choosable, choices_of
from shared.domain.matching.match import MatchPolicy
from shared.domain.messages.booking_id import booking_id_of
from shared.domain.stay.stay import time_text
from shared.domain.times.wall_clock import find_zone
from shared.ledger.bookings import UnknownBooking
from shared.ledger.last_read_doors import LastRead
from shared.ops_commands import CANCEL, CHANGE, CHOOSE, REISSUE, RETRY
from shared.parked_of_bookings import ParkedOfBooking, told_of
from shared.refused_messages import lines_of
from shared.unapplied_messages import refused_of

_MOST_PARKED: Final = 10
_MOST_REFUSED: Final = 3
_OF_A_BOOKING: Final = (RETRY, CHOOSE, CANCEL, REISSUE, CHANGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemView:
    """What is wrong, and what to do about it."""

    problem: str
    happened: str
    next_step: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opens:
    """From when to when a PIN opens a door: on the lock's clock where its zone is known."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeView:
    """An access code, with its window on the lock's clock. Never its PIN.

    `replaced` says whether a person had it replaced, `removal` how its deletion stands, where there is one.
    `is_guests` says that it opens the door during the very stay: its guest has the PIN, and may use it.
    """

    access_code_id: str
    starts_at: datetime
    ends_at: datetime
    replaced: bool = False
    removal: str = ""
    is_guests: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferView:
    """A slot that a person may choose, and what its code would mean for the guest."""

    slot: str
    name: str
    starts_at: datetime
    ends_at: datetime
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedDoorView:
    """One door of a booking. `follows_revision` says whether its state answers to the booking's newest revision.

    `picture` is None where the door was never read. `earlier_pin_works` says when a PIN of an earlier revision opens
    the door during this stay, empty where none does.
    """

    key: str
    device_id: str
    name: str
    unit: str
    building: str
    wanted: bool
    state: str
    reason: str
    time_zone: str | None
    check_in: datetime | None
    follows_revision: bool
    due_at: datetime | None
    attempts: int
    code: CodeView | None
    earlier_pin_works: str
    residual: tuple[CodeView, ...]
    problems: tuple[ProblemView, ...]
    reported: tuple[str, ...]
    chosen_by: str
    chosen_slot: str
    offers: tuple[OfferView, ...]
    picture: DayPicture | None
    read_at: datetime | None
    may_reissue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryLine:
    """One line of the story."""

    at: datetime
    what: str
    door: str
    text: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingView:
    """A booking as it stands. `check_in` and `check_out` are as they were booked.

    `parked` are its messages that could not be used, newest first; `refused` says what `POST /bookings` refused
    of it, without what a later message has settled. `orders` are those that people gave for it and no worker has done
    yet, oldest first. `cancelling` says what becomes of each code if the booking is cancelled; nothing where there is
    none.
    """

    as_of: datetime
    booking_id: str
    label: str
    revision: int
    state: str
    reason: str
    cancelled: bool
    check_in: str
    check_out: str
    granularity: str
    residual_access_until: datetime | None
    may_retry: bool
    may_change: bool
    parked: tuple[ParkedOfBooking, ...]
    refused: tuple[str, ...]
    orders: tuple[OpenOrder, ...]
    cancelling: tuple[str, ...]
    doors: tuple[BookedDoorView, ...]
    story: tuple[StoryLine, ...]


def find(call: Call) -> Booking:
    """Return the booking that the address names. Raises NotFound."""
    booking_id = booking_id_of(call.path["booking_id"])
    try:
        return call.ports.ledger.get(booking_id)
    except UnknownBooking:
        raise _not_found(call, booking_id) from None


def _not_found(call: Call, booking_id: str) -> NotFound:
    """Return that there is no such booking, with what was parked or refused of it."""
    parked = call.ports.parked.of_booking(booking_id, most=_MOST_PARKED)
    refused = call.ports.refused.of_booking(booking_id, call.now)
    told = [f"There is no booking {booking_id[:64]!r}."]
    if parked:
        told.append(f"A message of it is parked: {'; '.join(parked[0].parked.problems[:3])}.")
    told += [f"{line}." for line in lines_of(refused, most=_MOST_REFUSED)]
    if parked or refused:
        told.append("No code is made for it.")
    links = {f"The parked message of {each.parked.parked_at[:19]}": f"/parked/{each.parked_id}" for each in parked}
    return NotFound(" ".join(told), links)


def read_booking(call: Call) -> BookingView:
    """Return the booking with its story."""
    booking = find(call)
    ports = call.ports
    ids = [door.device_id for door in booking.doors]
    issues, readings = ports.issues.of_doors(ids), ports.last_read.of(ids)
    names = {door.device_id: door.name for door in booking.doors}
    doors = tuple(
        _door(
            booking,
            door,
            place=ports.places.of(door.device_id),
            known=issues.get(door.device_id),
            reading=readings.get(door.device_id),
            policy=ports.policy,
            now=call.now,
        )
        for door in booking.doors
    )
    stay = booking.stay
    parked = ports.parked.of_booking(booking.booking_id, most=_MOST_PARKED)
    return BookingView(
        as_of=call.now,
        booking_id=booking.booking_id,
        label=booking.label or "",
        revision=booking.revision,
        state=str(booking.state),
        reason=booking.reason,
        cancelled=booking.cancelled,
        check_in=time_text(stay.check_in) if stay else "",
        check_out=time_text(stay.check_out) if stay else "",
        granularity=str(stay.granularity) if stay else "",
        residual_access_until=booking.residual_access_until,
        may_retry=any(door.wanted and door.state not in ("ready", "cancelled", "ended") for door in booking.doors),
        may_change=stay is not None and is_over(booking) is None,
        parked=tuple(told_of(entry, booking) for entry in parked),
        refused=tuple(each.why for each in refused_of(booking, ports.refused, call.now)[:_MOST_PARKED]),
        orders=_orders(call, booking.booking_id),
        cancelling=tuple(preview_of(booking)),
        doors=doors,
        story=tuple(story_line(entry, names) for entry in reversed(ports.ledger.history_of(booking))),
    )


def _orders(call: Call, booking_id: str) -> tuple[OpenOrder, ...]:
    found = open_orders(call.ports, lambda it: it.action in _OF_A_BOOKING and it.target == booking_id)
    return tuple(found.get(booking_id, ()))


def story_line(entry: HistoryEntry, names: Mapping[str, str]) -> StoryLine:
    """Return a line of the story; `names` are those of the booking's doors, which go without saying where it is one."""
    door = names.get(entry.device_id or "", "") if len(names) > 1 else ""
    name = entry.what.removeprefix("access_code.")
    what = name if name == entry.what else f"Seam: {name.replace('_', ' ')}"
    return StoryLine(at=entry.at, what=what, door=door, text=entry.text, facts=tuple(facts_of(entry)))


def _door(
    booking: Booking,
    door: BookedDoor,
    *,
    place: Place,
    known: KnownIssues | None,
    reading: LastRead | None,
    policy: MatchPolicy,
    now: datetime,
) -> BookedDoorView:
    check_in = check_in_of(booking.stay, door)
    has_guest = door.wanted and not booking.cancelled
    of_guest = [code for code in earlier_codes_of(booking, door) if code.replaced_at is None] if has_guest else []
    told = merge_issues(known.of_door, known.of_account) if known is not None else ()
    return BookedDoorView(
        key=door.key,
        device_id=door.device_id,
        name=door.name or (reading.door.name if reading else "") or door.device_id,
        unit=place.unit,
        building=place.building,
        wanted=door.wanted,
        state=str(door.state),
        reason=door.reason,
        time_zone=door.time_zone,
        check_in=(check_in.wall or local(check_in.at, door)) if check_in else None,
        follows_revision=door.planned_revision in (None, booking.revision),
        due_at=door.due_at,
        attempts=door.attempts,
        code=_code(door.code, door) if door.code else None,
        earlier_pin_works=window_text(earlier_code_of(booking, door) if has_guest else None, door.time_zone),
        residual=tuple(
            _code(code, door, is_guests=code in of_guest) for code in door.residual if code.window.ends_at > now
        ),
        problems=tuple(_problem(booking, door, *each, now) for each in problems_of(door)) if door.wanted else (),
        reported=tuple(f"{issue.shown_kind}: {issue.text}" for issue in told if issue.meaning.is_told),
        chosen_by=door.choice.by if door.choice else "",
        chosen_slot=door.choice.name if door.choice else "",
        offers=_offers(booking, door, reading, policy, now),
        picture=_picture(booking, door, reading, policy),
        read_at=reading.read_at if reading else None,
        may_reissue=not why_not_reissued(booking, door, now),
    )


def _problem(booking: Booking, door: BookedDoor, problem: str, detail: str, now: datetime) -> ProblemView:
    row = PROBLEMS[problem]
    happened = f"{row.happened} {detail}".strip() if row.quotes_detail else row.happened
    return ProblemView(
        problem=problem, happened=happened, next_step=next_step_of(booking, door, problem, now), actor=row.actor
    )


def _picture(booking: Booking, door: BookedDoor, reading: LastRead | None, policy: MatchPolicy) -> DayPicture | None:
    if reading is None or booking.stay is None:
        return None
    level = door.code.user_level_id if door.code else None
    return picture_of_stay(booking.stay, reading.door, policy, level=level)


def _offers(
    booking: Booking, door: BookedDoor, reading: LastRead | None, policy: MatchPolicy, now: datetime
) -> tuple[OfferView, ...]:
    """Return the slots that may be chosen for a door that has no code; by the door as it was last read."""
    if booking.stay is None or door.code is not None or door.part or not may_choose_slot(booking, door):
        return ()
    if reading is None:
        offers: Any = door.offers
    else:
        choices = choices_of(booking.stay, reading.door, policy, now)
        offers = [each.offer() for each in choices if isinstance(each, Choosable)]
    return tuple(
        OfferView(slot=each.slot, name=each.name, starts_at=each.starts_at, ends_at=each.ends_at, meaning=each.meaning)
        for each in offers
    )


def _code(code: AccessCode, door: BookedDoor, *, is_guests: bool = False) -> CodeView:
    return CodeView(
        access_code_id=code.access_code_id,
        starts_at=local(code.window.starts_at, door),
        ends_at=local(code.window.ends_at, door),
        replaced=code.replaced_at is not None,
        removal=_removal(code),
        is_guests=is_guests,
    )


def _removal(code: AccessCode) -> str:
    """Say how the deletion of a code stands; empty where Seam isn't to be asked, or not yet."""
    if code.removal is not None:
        return code.removal.failure or "Seam is deleting it"
    return "Seam is asked to delete it once the new code is confirmed" if code.replaced_at is not None else ""


def opens_of(window: Window | None, time_zone: str | None) -> Opens | None:
    """Return a window on the lock's clock; None without one."""
    if window is None:
        return None
    zone = find_zone(time_zone or "") or UTC
    return Opens(starts_at=window.starts_at.astimezone(zone), ends_at=window.ends_at.astimezone(zone))


def local(moment: datetime, door: BookedDoor) -> datetime:
    """Return a moment on the lock's clock; as it is while nobody knows the lock's zone."""
    return moment.astimezone(ZoneInfo(door.time_zone)) if door.time_zone else moment


OPERATIONS: Final = (
    Operation(
        name="booking",
        method="GET",
        path="/bookings/{booking_id}",
        role=Role.VIEWER,
        summary="One booking: its doors, the picture of the day, residual access, and the whole story.",
        handle=read_booking,
        answer=BookingView,
        page="/bookings/{booking_id}",
        template="booking.html",
        errors=(404,),
    ),
)
