"""Booking messages that were parked or refused while a guest may come: what they say isn't done.

For the board, the pre-arrival check and the doctor. A message is left out once nothing is missed any more: a later
message of its booking was applied, or what it was to cancel is cancelled.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from shared.domain.alerting.affected_by_parked import WAITED_FOR
from shared.domain.booking.advice import LET_IN_BEFORE
from shared.domain.booking.parked_effect import effect_for_now, is_alive, is_settled, kind_for
from shared.domain.booking.problem_catalogue import PROBLEMS, Reason
from shared.domain.booking.record import BookedDoor, Booking
from shared.domain.booking.stay_times import check_in_of
from shared.domain.entry_ids import entry_id_at, moment_of
from shared.domain.messages.hints import Hints, hints_of
from shared.domain.messages.parked_kind import ParkedKind
from shared.domain.stay.instants import CheckIn
from shared.ledger.booking_reader import BookingReader
from shared.parked import ParkedEntry, ParkedList, kind_of
from shared.refused_messages import TOLD_FOR, RefusedEntry, RefusedMessages
from shared.streams import is_entry_id

_PARKED_REASONS: Final = {
    ParkedKind.CHANGE: Reason.CHANGE_PARKED,
    ParkedKind.CANCELLATION: Reason.CANCELLATION_PARKED,
}
# Of a flood so many bookings are looked up, those with the nearest check-ins. The others are told by what they say.
_MOST_LOOKED_UP: Final = 2_000
_SEND_AGAIN: Final = "Have the booking system send it again as it should be."
_MOST_PROBLEMS: Final = 5
_MOST_IN_A_LINE: Final = 2


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is read of a parked or refused message without its booking. `arrival` is its place in the stream's order."""

    booking_id: str
    kind: ParkedKind
    is_kind_noted: bool
    arrival: str
    noted_at: datetime
    problems: tuple[str, ...]
    hints: Hints
    parked_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnappliedMessage:
    """A message that was parked or refused, with its booking as the ledger has it.

    `booking_id` is "" where it names none, `parked_id` where it was refused. `check_ins` are that of the message and
    that of its booking, as far as they can be read, and `check_in` is the one that counts. `door` is the booked door
    where the guest is awaited. `stands` says what is so for now. `noted_at` is when it was parked, or refused last.
    """

    booking_id: str
    kind: ParkedKind
    noted_at: datetime
    problems: tuple[str, ...]
    stands: str
    check_ins: tuple[CheckIn, ...]
    check_in: CheckIn | None = None
    booking: Booking | None = None
    door: BookedDoor | None = None
    parked_id: str = ""

    @property
    def is_refused(self) -> bool:
        """Whether `POST /bookings` refused it; else it is parked."""
        return not self.parked_id

    @property
    def time_zone(self) -> str | None:
        """The time zone of the door, None where nobody knows it."""
        return self.door.time_zone if self.door is not None else None

    @property
    def on_lock_clock(self) -> datetime | None:
        """The check-in as the lock's clock shows it: naive where nobody knows the lock's zone."""
        if self.check_in is None:
            return None
        if self.check_in.wall is not None:
            return self.check_in.wall
        return self.check_in.at.astimezone(ZoneInfo(self.time_zone)) if self.time_zone else self.check_in.at

    @property
    def reason(self) -> Reason:
        """What is wrong, as the catalogue of problems has it."""
        return Reason.BOOKING_REFUSED if self.is_refused else _PARKED_REASONS.get(self.kind, Reason.BOOKING_PARKED)

    def lets_in_by_hand(self, now: datetime) -> bool:
        """Say whether the guest must be let in by hand now: check-in is near, and the booking has no code here."""
        if self.check_in is None or self.kind is ParkedKind.CANCELLATION:
            return False
        has_code = self.door is not None and self.door.code is not None
        return not has_code and self.check_in.at - now <= LET_IN_BEFORE

    def with_first_step(self, step: str, now: datetime) -> str:
        """Return a step, after letting the guest in by hand where that comes first."""
        return f"First let the guest in by hand. {step}" if self.lets_in_by_hand(now) else step

    def next_step(self, now: datetime) -> str:
        """Return what to do about it now."""
        is_unknown = self.is_refused and self.booking is None
        return self.with_first_step(_SEND_AGAIN if is_unknown else PROBLEMS[self.reason].steps, now)

    @property
    def why(self) -> str:
        """What is wrong and what is so for now, in sentences."""
        what = f"A {self.kind} of" if self.kind in (ParkedKind.CANCELLATION, ParkedKind.CHANGE) else "A message for"
        whom = f"{what} {self.booking_id}" if self.booking_id else "A message that names no booking"
        became = f"was refused at {self.noted_at:%Y-%m-%d %H:%M} UTC" if self.is_refused else "is parked"
        problems = "; ".join(self.problems[:_MOST_IN_A_LINE]).rstrip(".")
        more = len(self.problems) - _MOST_IN_A_LINE
        problems += f"; and {more} more problem{'s' * (more > 1)}" if more > 0 else ""
        stands = f" For now: {self.stands}." if self.stands else ""
        return f"{whom} {became}: {problems}.{stands}"


@dataclass(frozen=True, slots=True)
class Unapplied:
    """The messages of guests who may come in a time, the nearest first.

    `undated` is the number of others that don't say when a guest comes.
    """

    messages: tuple[UnappliedMessage, ...]
    undated: int = 0


def undated_text(count: int) -> str:
    """Say that nobody knows whether somebody waits because of these messages."""
    if count == 1:
        return "1 message that was parked or refused doesn't say when its guest comes."
    return f"{count} messages that were parked or refused don't say when their guests come."


class UnappliedMessages:
    """Reads both lists. The parked one is read again only once it has changed. Thread-safe."""

    def __init__(self, *, parked: ParkedList, refused: RefusedMessages, ledger: BookingReader) -> None:
        self._parked = parked
        self._refused = refused
        self._ledger = ledger
        self._lock = threading.Lock()
        self._mark: tuple[int, str] | None = None
        self._kept: tuple[_Kept, ...] = ()

    def between(self, since: datetime, until: datetime, *, now: datetime) -> Unapplied:
        """Return the messages of guests who may come from `since` to `until`: of each booking the newest of a kind.

        They come by what the message says, or by what the ledger knows of the booking.
        """
        messages = self._read(now)
        newest: dict[tuple[object, ...], UnappliedMessage] = {}
        for each in sorted(messages, key=lambda each: each.noted_at):
            check_in = next((at for at in each.check_ins if since <= at.latest and at.at <= until), None)
            if check_in is not None:
                subject = each.booking_id or (each.problems, check_in)
                newest[subject, each.kind] = _at(each, check_in)
        undated = sum(_is_undated(each, now) for each in messages)
        return Unapplied(tuple(sorted(newest.values(), key=_urgency)), undated)

    def all(self, *, now: datetime) -> list[UnappliedMessage]:
        """Return all of them, the most urgent first: guests who are awaited, unknown check-ins, past ones."""
        messages = [_as_of(each, now) for each in self._read(now)]
        return sorted(messages, key=lambda each: (_is_past(each, now), *_urgency(each)))

    def _read(self, now: datetime) -> list[UnappliedMessage]:
        kept = [*self._kept_of_parked(), *map(_of_refused, self._refused.lately(now))]
        latest = datetime.max.replace(tzinfo=UTC)
        kept.sort(key=lambda each: (each.hints.check_in is None, abs((each.hints.check_in or latest) - now)))
        named = dict.fromkeys(each.booking_id for each in kept if each.booking_id)
        bookings = self._ledger.get_many(list(named)[:_MOST_LOOKED_UP]) if named else {}
        return list(_unapplied(kept, bookings))

    def _kept_of_parked(self) -> tuple[_Kept, ...]:
        mark = self._parked.mark()
        with self._lock:
            if self._mark != mark:
                # Without their texts: ten thousand of those would fill this process.
                self._kept = tuple(_of_parked(entry) for entry in self._parked.list() if not _is_event(entry))
                self._mark = mark
            return self._kept


def refused_of(booking: Booking, refused: RefusedMessages, now: datetime) -> list[UnappliedMessage]:
    """Return what `POST /bookings` refused of a booking, and no later message has settled; the newest first."""
    kept = map(_of_refused, refused.of_booking(booking.booking_id, now))
    return list(_unapplied(kept, {booking.booking_id: booking}))


def _is_event(entry: ParkedEntry) -> bool:
    return kind_of(entry.parked) is ParkedKind.EVENT


def _of_parked(entry: ParkedEntry) -> _Kept:
    parked = entry.parked
    hints = hints_of(parked.message)
    return _Kept(
        booking_id=hints.booking_id or "",
        kind=kind_of(parked),
        is_kind_noted=bool(parked.kind),
        arrival=parked.source_id if is_entry_id(parked.source_id) else "",
        noted_at=moment_of(entry.parked_id),
        problems=parked.problems[:_MOST_PROBLEMS],
        hints=hints,
        parked_id=entry.parked_id,
    )


def _of_refused(entry: RefusedEntry) -> _Kept:
    refused = entry.refused
    return _Kept(
        booking_id=refused.booking_id,
        kind=refused.kind,
        is_kind_noted=False,
        arrival=entry_id_at(entry.last_at),
        noted_at=entry.last_at,
        problems=refused.problems,
        hints=Hints(refused.booking_id or None, refused.check_in, refused.wall_check_in),
    )


def _unapplied(kept: Iterable[_Kept], bookings: Mapping[str, Booking]) -> Iterator[UnappliedMessage]:
    for each in kept:
        booking = bookings.get(each.booking_id)
        kind = each.kind if each.is_kind_noted else kind_for(each.kind, booking)
        if is_settled(kind, booking, each.arrival):
            continue
        door, booked = _awaited_at(booking)
        zone = door.time_zone if door is not None else None
        check_ins = tuple(at for at in (each.hints.at_door(zone), booked) if at is not None)
        yield UnappliedMessage(
            booking_id=each.booking_id,
            kind=kind,
            noted_at=each.noted_at,
            problems=each.problems or ("its problem is not known",),
            stands=effect_for_now(kind, booking, each.arrival),
            check_ins=check_ins,
            check_in=check_ins[0] if check_ins else None,
            booking=booking,
            door=door,
            parked_id=each.parked_id,
        )


def _awaited_at(booking: Booking | None) -> tuple[BookedDoor | None, CheckIn | None]:
    """Return where and when the booking's guest is awaited first; nothing where nobody is to come."""
    if booking is None or not is_alive(booking):
        return None, None
    doors = [(door, check_in_of(booking.stay, door)) for door in booking.doors if door.wanted]
    known = [(door, at) for door, at in doors if at is not None]
    return min(known, key=lambda each: each[1].at, default=(None, None))


def _as_of(message: UnappliedMessage, now: datetime) -> UnappliedMessage:
    """Return the message with the check-in that is awaited next; with a past one where none is."""
    awaited = [at for at in message.check_ins if at.latest > now - WAITED_FOR]
    return _at(message, min(awaited or message.check_ins, key=lambda each: each.at, default=None))


def _at(message: UnappliedMessage, check_in: CheckIn | None) -> UnappliedMessage:
    """Return the message with the check-in that counts: of ten thousand messages most have only one."""
    return message if message.check_in is check_in else replace(message, check_in=check_in)


def _is_past(message: UnappliedMessage, now: datetime) -> bool:
    return message.check_in is not None and message.check_in.latest <= now - WAITED_FOR


def _urgency(message: UnappliedMessage) -> tuple[bool, float, str]:
    at = message.check_in
    return at is None, at.at.timestamp() if at is not None else 0.0, message.booking_id


def _is_undated(message: UnappliedMessage, now: datetime) -> bool:
    """Say whether somebody may come because of it, and nothing tells when."""
    is_over = message.is_refused and message.noted_at < now - TOLD_FOR
    return not message.check_ins and message.kind is not ParkedKind.CANCELLATION and not is_over
