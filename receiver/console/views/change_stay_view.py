"""What other times of a stay would mean, as the page and the API show it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote

from receiver.console.day_picture import DayPicture, picture_of_stay
from receiver.console.operations import Call
from receiver.console.views.booking import opens_of
from receiver.console.views.stay_fields import booked_times, clock_of, field_text, local_text
from shared.domain.alerting.door_conflicts import conflicts_of
from shared.domain.booking.message_order import given_revision
from shared.domain.booking.own_message import ENDS, ends_by
from shared.domain.booking.record import BookedDoor, Booking, Change
from shared.domain.code.change_preview import CodeAtSeam, DoorPreview, Effect, preview_of_door
from shared.domain.code.other_times import OtherTimes
from shared.domain.messages.message import BookingMessage
from shared.domain.stay.clock_changes import clock_change_notes
from shared.ledger.last_read_doors import LastRead
from shared.seam.errors import SeamError

# Each is a call to Seam, one after the other.
_MOST_CODES_ASKED: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """What is wrong with a field, and what would be right."""

    field: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FittingTimes:
    """Times that would fit a slot of the door, ready for a new preview."""

    check_in: str
    check_out: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorChange:
    """What becomes of one door's code: in `means` for people. Slot and window are of the code that the guest has then.

    `effect` is `kept`, `changed`, `another`, `made`, `later`, `nothing_fits`, `over`, `dropped` or `unknown`. `picture`
    shows the new times on the door as it was read at `read_at`.
    """

    key: str
    device_id: str
    name: str
    time_zone: str | None
    effect: str
    slot: str
    starts_at: datetime | None
    ends_at: datetime | None
    means: tuple[str, ...]
    fitting_times: tuple[FittingTimes, ...]
    picture: DayPicture | None
    read_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePreview:
    """What other times would mean. `is_previewed` is False where none were given, or something is wrong with them.

    `check_in` and `check_out` are what was given, else the booking's times on the lock's clock, in the zone `clock`
    where that is known; empty where they can't be told on it. `booked` and `wanted` are the times for people.
    `is_without_code`: the order needs `accepts_no_code`, since a door is without a code then. `ends_booking`: it needs
    `knows_it_ends` instead, since these times are over, and the booking ends for good by them. `notes` are about the
    booking as a whole.
    """

    as_of: datetime
    booking_id: str
    label: str
    revision: int
    booked: str
    wanted: str
    check_in: str
    check_out: str
    clock: str
    problems: tuple[FieldProblem, ...]
    is_previewed: bool
    is_without_code: bool
    ends_booking: bool
    doors: tuple[DoorChange, ...]
    notes: tuple[str, ...]

    @property
    def doors_without_code(self) -> tuple[DoorChange, ...]:
        """The doors for which no code can be made then."""
        return _without_code(self.doors)

    @property
    def fields(self) -> Mapping[str, str]:
        """The times as a browser's field takes them: empty for what is no local time."""
        return {name: local_text(text) for name, text in (("check_in", self.check_in), ("check_out", self.check_out))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The times that are given and differ from the booking's (empty: stays), and what their message would do."""

    check_in: str
    check_out: str
    message: BookingMessage
    change: Change


def preview_of(
    call: Call,
    booking: Booking,
    fields: Mapping[str, str],
    *,
    wanted: Wanted | None = None,
    problems: tuple[FieldProblem, ...] = (),
) -> ChangePreview:
    """Return the page: the form with `fields`, what is wrong with them, or what they mean where they are `wanted`."""
    doors = tuple(_Doors(call, booking, wanted.change.booking, fields).all()) if wanted is not None else ()
    ends = wanted is not None and ends_booking(call, wanted)
    return ChangePreview(
        as_of=call.now,
        booking_id=booking.booking_id,
        label=booking.label or "",
        revision=booking.revision,
        booked=booked_times(booking),
        wanted=booked_times(wanted.change.booking) if wanted is not None else "",
        check_in=fields["check_in"],
        check_out=fields["check_out"],
        clock=clock_of(booking),
        problems=problems,
        is_previewed=wanted is not None,
        is_without_code=bool(_without_code(doors)) and not ends,
        ends_booking=ends,
        doors=doors,
        notes=tuple(_notes(call, booking, wanted, ends=ends)) if wanted is not None else (),
    )


def ends_booking(call: Call, wanted: Wanted) -> bool:
    """Say whether the booking ends at once by what is wanted, and for good."""
    after = wanted.change.booking
    device_ids = [door.device_id for door in after.doors if door.wanted]
    readings = call.ports.last_read.of(device_ids)
    zones = {name: it.door.time_zone for name, it in readings.items() if it.door.time_zone}
    return after.stay is not None and ends_by(after, after.stay, device_ids, zones, now=call.now)


def _without_code(doors: tuple[DoorChange, ...]) -> tuple[DoorChange, ...]:
    return tuple(it for it in doors if it.effect in (Effect.NOTHING_FITS, Effect.OVER))


@dataclass(frozen=True, slots=True)
class _Doors:
    """The doors of a booking before and after a change, with the form's fields."""

    call: Call
    before: Booking
    after: Booking
    fields: Mapping[str, str]

    def all(self) -> Iterator[DoorChange]:
        """Yield each door that the booking has or loses. Seam is asked of codes that don't stay."""
        had = {door.key for door in self.before.doors if door.wanted}
        meant = [door for door in self.after.doors if door.wanted or door.key in had]
        readings = self.call.ports.last_read.of([door.device_id for door in meant])
        left = _MOST_CODES_ASKED
        for door in meant:
            reading = readings.get(door.device_id)
            found = self._previewed(door, reading, None)
            if door.code is not None and left and found.effect is not Effect.KEPT:
                left -= 1
                found = self._previewed(door, reading, _at_seam(self.call, door))
            yield self._one(door, reading, found)

    def _previewed(self, door: BookedDoor, reading: LastRead | None, at_seam: CodeAtSeam | None) -> DoorPreview:
        read, rules = reading.door if reading is not None else None, self.call.ports.rules
        return preview_of_door(self.after, door, read, rules=rules, at_seam=at_seam, now=self.call.now)

    def _one(self, door: BookedDoor, reading: LastRead | None, found: DoorPreview) -> DoorChange:
        opens = opens_of(found.window, found.time_zone)
        return DoorChange(
            key=door.key,
            device_id=door.device_id,
            name=door.name or (reading.door.name if reading else "") or door.device_id,
            time_zone=found.time_zone,
            effect=str(found.effect),
            slot=found.slot,
            starts_at=opens.starts_at if opens else None,
            ends_at=opens.ends_at if opens else None,
            means=found.means,
            fitting_times=tuple(self._fitting(each) for each in found.other_times),
            picture=self._picture(reading) if found.effect is not Effect.DROPPED else None,
            read_at=reading.read_at if reading else None,
        )

    def _picture(self, reading: LastRead | None) -> DayPicture | None:
        if reading is None or self.after.stay is None:
            return None
        return picture_of_stay(self.after.stay, reading.door, self.call.ports.policy)

    def _fitting(self, times: OtherTimes) -> FittingTimes:
        return FittingTimes(
            check_in=field_text(times.check_in) or self.fields["check_in"],
            check_out=field_text(times.check_out) or self.fields["check_out"],
            text=times.text,
        )


def _at_seam(call: Call, door: BookedDoor) -> CodeAtSeam | None:
    """Return how the current code stands at Seam now; None where Seam can't be asked, or has it no more."""
    if call.ports.codes is None or door.code is None:
        return None
    try:
        report = call.ports.codes.get(door.code.access_code_id)
    except SeamError:
        return None
    return CodeAtSeam(report.window, report.flags) if report is not None else None


def _notes(call: Call, booking: Booking, wanted: Wanted, *, ends: bool) -> Iterator[str]:
    """Yield what is to be known of the booking as a whole."""
    after = wanted.change.booking
    if ends:
        yield f"{ENDS} Only a new message of its booking system opens it again."
    yield from clock_change_notes(wanted.message.check_in, wanted.message.check_out)
    yield from (line.text for line in wanted.change.history if line.what == "slot.choice_ended")
    yield from _conflicts(call, booking, after)
    yield "The booking system remains the source of this booking: change it there, too."
    given = given_revision(booking)
    if given is None:
        yield "Its next message about this booking replaces what you change here."
    else:
        yield (
            f"It numbers its messages, and this change takes revision {given + 1}. Its next message needs a higher one,"
            " and replaces what you change here then. With a lower one it changes nothing; with the same one it is"
            " parked, and people are told."
        )


def _conflicts(call: Call, booking: Booking, after: Booking) -> Iterator[str]:
    """Yield where the booking would have a door at the same time as another guest."""
    name = quote(booking.booking_id, safe="")
    device_ids = tuple(dict.fromkeys(door.device_id for door in after.doors if door.wanted))
    others = [it for it in call.ports.ledger.of_doors(device_ids) if it.booking_id != booking.booking_id]
    for device_id in device_ids:
        there = [it for it in others if any(door.device_id == device_id for door in it.doors)]
        tells = call.ports.tells_double_bookings
        for found in conflicts_of([*there, after], device_id, call.now, with_double_bookings=tells):
            if name in found.key.split("/"):
                yield f"{found.cause.notice.subject}: {found.cause.notice.happened}"
