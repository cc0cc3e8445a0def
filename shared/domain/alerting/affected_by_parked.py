"""Which bookings parked messages affect: each once, with its nearest check-in and a line of text. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.domain.booking.parked_effect import CALLED, effect_for_now, is_alive, is_settled
from shared.domain.booking.record import Booking, State
from shared.domain.booking.stay_times import check_in_of
from shared.domain.entry_ids import is_before
from shared.domain.masking import mask_digits
from shared.domain.messages.hints import Hints
from shared.domain.messages.parked_causes import other_fields
from shared.domain.messages.parked_kind import ParkedKind
from shared.domain.quoting import quoted, shown
from shared.domain.times.wall_clock import find_zone

# A check-in that is longer ago than this doesn't count: the guest isn't expected any more.
WAITED_FOR: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedMessage:
    """One parked message: where it came from, what is wrong with it, and what can be read of it (`hints`).

    `arrival` is the id of its entry in the stream; `booking` is its booking in the ledger now. `since` is the id under
    which it was parked first if it was replayed and parked again for the same cause, else "".
    """

    parked_id: str
    stream: str
    problems: tuple[str, ...]
    hints: Hints
    kind: ParkedKind = ParkedKind.BOOKING
    arrival: str = ""
    booking: Booking | None = None
    since: str = ""

    @property
    def known_since(self) -> str:
        """The id under which people know of it."""
        return self.since or self.parked_id

    @property
    def is_settled(self) -> bool:
        """Whether nothing is missing any more because of this message."""
        return is_settled(self.kind, self.booking, self.arrival)


@dataclass(frozen=True, slots=True)
class Due:
    """A check-in. While the lock's zone isn't known, `at` is the earliest moment and `wall` the time on its clock."""

    at: datetime
    wall: datetime | None = None
    time_zone: str | None = None

    @property
    def shown(self) -> str:
        """The time as text for people."""
        zone = find_zone(self.time_zone or "")
        return f"{self.wall or (self.at.astimezone(zone) if zone else self.at):%a %Y-%m-%d %H:%M %Z}".rstrip()


@dataclass(frozen=True, slots=True)
class AffectedBooking:
    """A booking that a cause affects, or a message that names no booking. `newest` is its newest message.

    `since` is the id of its first message, `due` the nearest check-in that isn't over. `is_open_ended`: a guest may
    come, and the time isn't known.
    """

    booking_id: str
    since: str
    newest: ParkedMessage
    due: Due | None
    is_open_ended: bool


def affected_bookings(messages: Iterable[ParkedMessage], now: datetime) -> list[AffectedBooking]:
    """Return the bookings that the messages affect, each once; messages that name no booking come last."""
    named: dict[str, list[ParkedMessage]] = {}
    for message in messages:
        named.setdefault(message.hints.booking_id or f"\x1f{message.parked_id}", []).append(message)
    latest = datetime.max.replace(tzinfo=now.tzinfo)

    def order(booking: AffectedBooking) -> tuple[bool, bool, datetime, str]:
        return (
            not booking.booking_id,
            booking.due is None,
            booking.due.at if booking.due else latest,
            booking.booking_id,
        )

    return sorted((_affected(parked, now) for parked in named.values()), key=order)


def _affected(messages: list[ParkedMessage], now: datetime) -> AffectedBooking:
    first, newest = messages[0], messages[0]
    for message in messages:
        first = message if is_before(message.known_since, first.known_since) else first
        newest = message if is_before(newest.parked_id, message.parked_id) else newest
    unsettled = [message for message in messages if not message.is_settled]
    known = [due for message in unsettled for due in _check_ins(message)]
    awaited = [due for due in known if due.at > now - WAITED_FOR]
    return AffectedBooking(
        booking_id=first.hints.booking_id or "",
        since=first.known_since,
        newest=newest,
        due=min(awaited, key=lambda due: due.at, default=None),
        is_open_ended=bool(unsettled) and not known,
    )


def _check_ins(message: ParkedMessage) -> list[Due]:
    """Return the check-ins that the message and its booking in the ledger name."""
    booked = list(_booked(message.booking))
    zone = min(booked, key=lambda due: due.at).time_zone if booked else None
    said = message.hints.at_door(zone)
    return [*([Due(said.at, said.wall, zone)] if said is not None else []), *booked]


def _booked(booking: Booking | None) -> Iterator[Due]:
    """Yield when the booking's guest is awaited at each of its doors."""
    if booking is None or not is_alive(booking):
        return
    for door in booking.doors:
        check_in = check_in_of(booking.stay, door)
        if check_in is not None and door.wanted and door.state is not State.ENDED:
            yield Due(check_in.at, check_in.wall, door.time_zone)


def nearest_check_in(affected: Iterable[AffectedBooking], now: datetime, warn_before: timedelta) -> Due | None:
    """Return the check-in that decides how urgent the cause is.

    None makes it a warning. So it is also returned if the nearest known check-in is far away, but another one isn't
    known.
    """
    affected = list(affected)
    nearest = min((each.due for each in affected if each.due is not None), key=lambda due: due.at, default=None)
    is_far = nearest is not None and nearest.at - now > warn_before
    return None if is_far and any(each.is_open_ended for each in affected) else nearest


def name_of(booking: AffectedBooking) -> str:
    """Return its name for people: the kind of the newest message, and the booking's id."""
    return f"{CALLED.get(booking.newest.kind, 'Booking')} {shown(booking.booking_id)}"


def line_of(booking: AffectedBooking) -> str:
    """Return the line about it: the check-in, the fields with other names, and the state of the booking meanwhile."""
    if not booking.booking_id:
        return "A message that names no booking"
    newest = booking.newest
    due = booking.due or next(iter(_check_ins(newest)), None)
    stands = effect_for_now(newest.kind, newest.booking, newest.arrival)
    # The alert itself says that no code is made for a new booking.
    is_told = newest.kind is ParkedKind.BOOKING and newest.booking is None
    fields = [quoted(mask_digits(name)) for name in other_fields(newest.problems)]
    called = f", with the field{'s' * (len(fields) > 1)} {' and '.join(fields)}" if fields else ""
    said = f": {stands}" if stands and not is_told else ""
    return f"{name_of(booking)}{f', check-in {due.shown}' if due else ''}{called}{said}"
