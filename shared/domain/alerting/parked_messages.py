"""The alerts of parked and of refused messages: one a cause, with the bookings that it hits and what mends it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.domain.alerting.causes import Cause, Member
from shared.domain.alerting.severity import WARN_BEFORE
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.message_order import is_before
from shared.domain.booking.parked_message import CALLED, is_alive, is_settled, what_stands
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import Booking, State
from shared.domain.booking.stay_times import check_in_of
from shared.domain.messages.hints import Hints
from shared.domain.messages.parked_causes import ParkedCause, cause_of
from shared.domain.messages.parked_kind import ParkedKind
from shared.domain.quoting import quoted, shown
from shared.domain.times.wall_clock import find_zone

# More causes than these are one alert together: a flood must not use up what a channel takes of other alerts.
MOST_CAUSES: Final = 10
# A guest whose check-in was before that isn't waiting any more.
_WAITED_FOR: Final = timedelta(days=1)
_OTHERS: Final = ParkedCause("others", "They have many different problems.")
_REASONS: Final[Mapping[frozenset[ParkedKind], Reason]] = {
    frozenset({ParkedKind.CHANGE}): Reason.CHANGE_PARKED,
    frozenset({ParkedKind.CANCELLATION}): Reason.CANCELLATION_PARKED,
}
_MANY: Final[Mapping[Reason, str]] = {
    Reason.BOOKING_PARKED: "bookings",
    Reason.CHANGE_PARKED: "changes of bookings",
    Reason.CANCELLATION_PARKED: "cancellations",
    Reason.BOOKING_REFUSED: "bookings",
}
# What is true of some where a cause has messages of several kinds.
_AMONG: Final[Mapping[ParkedKind, str]] = {
    ParkedKind.CHANGE: "Some are changes: those bookings keep their old times, and their codes.",
    ParkedKind.CANCELLATION: "Some are cancellations: those codes stay valid.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedMessage:
    """One parked message: where it came from, what is wrong with it, and whose it is as far as it can be read.

    `arrival` is the id of the stream entry that it was, `booking` its booking as the ledger has it now.
    """

    parked_id: str
    stream: str
    problems: tuple[str, ...]
    hints: Hints
    kind: ParkedKind = ParkedKind.BOOKING
    arrival: str = ""
    booking: Booking | None = None

    @property
    def is_settled(self) -> bool:
        """Whether nothing is missed any more because it is parked."""
        return is_settled(self.kind, self.booking, self.arrival)


@dataclass(frozen=True, slots=True)
class _Due:
    """When somebody is awaited: `wall` is what the lock's clock shows then while nobody knows its zone."""

    at: datetime
    wall: datetime | None = None
    time_zone: str | None = None

    @property
    def shown(self) -> str:
        zone = find_zone(self.time_zone or "")
        return f"{self.wall or (self.at.astimezone(zone) if zone else self.at):%a %Y-%m-%d %H:%M %Z}".rstrip()


@dataclass(frozen=True, slots=True)
class _Hit:
    """A booking that a cause hits, or a message that names none. `newest` is its newest message.

    `since` is its first message, `due` the nearest check-in that somebody waits for. `is_open_ended`: somebody may
    wait, and nothing tells when.
    """

    booking_id: str
    since: str
    newest: ParkedMessage
    due: _Due | None
    is_open_ended: bool


@dataclass(frozen=True, slots=True)
class _Way:
    """What differs between messages that are parked and those that were refused."""

    key: str
    reason: Reason | None
    """That of all of them; None: by what they are."""
    word: str
    look_closer: str
    unit_step: str


def _parked_way(stream: str) -> _Way:
    return _Way(
        key=f"parked/{stream}",
        reason=None,
        word="parked",
        look_closer="oracode parked list",
        unit_step="the bookings are then taken by themselves. If the name is wrong, have it corrected in the booking"
        " system, and discard these messages.",
    )


_REFUSED: Final = _Way(
    key="refused",
    reason=Reason.BOOKING_REFUSED,
    word="refused",
    look_closer="oracode doctor",
    unit_step="then have the booking system send the bookings again. If the name is wrong, have it corrected there.",
)


def refused_causes(
    messages: Iterable[ParkedMessage], now: datetime, *, warn_before: timedelta = WARN_BEFORE
) -> list[Cause]:
    """Return what is told of messages that `POST /bookings` refused, as of parked ones. They have no `parked_id`.

    In its place stands when they were refused first, as the id that an entry of that moment would have.
    """
    return _causes(messages, _REFUSED, now, warn_before)


def parked_causes(
    messages: Iterable[ParkedMessage], now: datetime, *, warn_before: timedelta = WARN_BEFORE
) -> list[Cause]:
    """Return what is told: of each stream the causes with most messages, and all others together.

    How much a cause hurries follows from the nearest check-in of those that it hits: that of the message, or of its
    booking in the ledger. One whose check-in nobody knows never makes it less urgent than a warning; `warn_before` is
    how near a check-in is one.
    """
    streams: dict[str, list[ParkedMessage]] = {}
    for message in messages:
        streams.setdefault(message.stream, []).append(message)
    return [
        cause for stream, parked in streams.items() for cause in _causes(parked, _parked_way(stream), now, warn_before)
    ]


def _causes(messages: Iterable[ParkedMessage], way: _Way, now: datetime, warn_before: timedelta) -> list[Cause]:
    causes: dict[ParkedCause, list[ParkedMessage]] = {}
    for message in messages:
        causes.setdefault(cause_of(message.problems), []).append(message)
    ranked = sorted(causes.items(), key=lambda each: (-len(each[1]), each[0].name))
    kept, others = ranked[:MOST_CAUSES], ranked[MOST_CAUSES:]
    found = [_cause(way, cause, of_cause, now, warn_before) for cause, of_cause in kept]
    if others:
        together = [each for _, of_cause in others for each in of_cause]
        found.append(_cause(way, _OTHERS, together, now, warn_before))
    return found


def _cause(
    way: _Way, cause: ParkedCause, messages: list[ParkedMessage], now: datetime, warn_before: timedelta
) -> Cause:
    hits = _nearest_first(messages, now)
    bookings = [hit for hit in hits if hit.booking_id]
    reason = way.reason or _reason(bookings or hits)
    due = _nearest(hits, now, warn_before)
    look_closer = way.look_closer
    if len(messages) == 1 and not way.reason:
        look_closer = f"oracode parked show {messages[0].parked_id}"
    kinds = {hit.newest.kind for hit in bookings}
    among = " ".join(text for kind, text in _AMONG.items() if kind in kinds and len(kinds) > 1)
    notice = alert_notice(
        reason,
        key=f"{way.key}/{cause.name}",
        subject=_subject(way, cause, messages, bookings, reason),
        at=now,
        detail=f"{among} What is wrong: {cause.text}".strip(),
        next_step=_next_step(way, cause),
        look_closer=look_closer,
        check_in=due.at if due else None,
        wall_check_in=due.wall if due else None,
        time_zone=due.time_zone if due else None,
        booking_id=bookings[0].booking_id if len(bookings) == 1 else "",
    )
    return Cause(
        notice,
        hit=len(bookings) or len(messages),
        subjects=tuple(map(_line, bookings)),
        members=tuple(Member(hit.since, _line(hit)) for hit in hits),
    )


def _reason(hits: list[_Hit]) -> Reason:
    kinds = frozenset(hit.newest.kind for hit in hits)
    named = Reason.BOOKING_PARKED if any(hit.booking_id for hit in hits) else Reason.MESSAGE_PARKED
    return _REASONS.get(kinds, named)


def _nearest_first(messages: Iterable[ParkedMessage], now: datetime) -> list[_Hit]:
    """Return whom the messages hit: a booking once, however often it was sent. Those that name none come last."""
    named: dict[str, list[ParkedMessage]] = {}
    for message in messages:
        named.setdefault(message.hints.booking_id or f"\x1f{message.parked_id}", []).append(message)
    latest = datetime.max.replace(tzinfo=now.tzinfo)

    def order(hit: _Hit) -> tuple[bool, bool, datetime, str]:
        return not hit.booking_id, hit.due is None, hit.due.at if hit.due else latest, hit.booking_id

    return sorted((_hit(parked, now) for parked in named.values()), key=order)


def _hit(messages: list[ParkedMessage], now: datetime) -> _Hit:
    first, newest = messages[0], messages[0]
    for message in messages:
        first = message if is_before(message.parked_id, first.parked_id) else first
        newest = message if is_before(newest.parked_id, message.parked_id) else newest
    unsettled = [message for message in messages if not message.is_settled]
    known = [due for message in unsettled for due in _check_ins(message)]
    awaited = [due for due in known if due.at > now - _WAITED_FOR]
    return _Hit(
        booking_id=first.hints.booking_id or "",
        since=first.parked_id,
        newest=newest,
        due=min(awaited, key=lambda due: due.at, default=None),
        is_open_ended=bool(unsettled) and not known,
    )


def _check_ins(message: ParkedMessage) -> list[_Due]:
    """Return when the guest comes, by the message and by its booking."""
    hints, booking = message.hints, message.booking
    found = [_Due(hints.check_in, hints.wall_check_in)] if hints.check_in is not None else []
    if booking is None or not is_alive(booking):
        return found
    for door in booking.doors:
        check_in = check_in_of(booking.stay, door)
        if check_in is not None and door.wanted and door.state is not State.ENDED:
            found.append(_Due(check_in.at, check_in.wall, door.time_zone))
    return found


def _nearest(hits: Iterable[_Hit], now: datetime, warn_before: timedelta) -> _Due | None:
    """Return the check-in that says how much the cause hurries.

    None (which is a warning) also where the nearest that is known is far, and another one isn't known.
    """
    hits = list(hits)
    nearest = min((hit.due for hit in hits if hit.due is not None), key=lambda due: due.at, default=None)
    is_far = nearest is not None and nearest.at - now > warn_before
    return None if is_far and any(hit.is_open_ended for hit in hits) else nearest


def _subject(way: _Way, cause: ParkedCause, messages: list[ParkedMessage], bookings: list[_Hit], reason: Reason) -> str:
    if cause.unit is not None:
        who = f"{len(bookings)} bookings name" if len(bookings) != 1 else f"{_who(bookings[0])} names"
        return f"{who} the unit {quoted(cause.unit)}, which isn't in the doors file"
    if len(bookings) == 1:
        return f"{_who(bookings[0])}{', refused' if way.reason else ''}"
    if bookings:
        return f"{len(bookings)} {way.word} {_MANY[reason]}"
    return f"{len(messages)} {way.word} messages {'to' if way.reason else 'of stream'} {messages[0].stream}"


def _next_step(way: _Way, cause: ParkedCause) -> str:
    """Return the fix where the cause names it; empty for that of the catalogue."""
    if cause.unit is None:
        return ""
    return f"Add the unit {quoted(cause.unit)} to the doors file: {way.unit_step}"


def _who(hit: _Hit) -> str:
    return f"{CALLED.get(hit.newest.kind, 'Booking')} {shown(hit.booking_id)}"


def _line(hit: _Hit) -> str:
    if not hit.booking_id:
        return "A message that names no booking"
    newest = hit.newest
    due = hit.due or next(iter(_check_ins(newest)), None)
    stands = what_stands(newest.kind, newest.booking, newest.arrival)
    # That no code is made for a new booking is what the alert itself says.
    is_told = newest.kind is ParkedKind.BOOKING and newest.booking is None
    return f"{_who(hit)}{f', check-in {due.shown}' if due else ''}{f': {stands}' if stands and not is_told else ''}"
