"""The alerts of parked messages: one a cause, with the bookings that it hits and what mends it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.domain.alerting.causes import Cause, Member
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.message_order import is_before
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.messages.hints import Hints
from shared.domain.messages.parked_causes import ParkedCause, cause_of
from shared.domain.quoting import quoted, shown

# More causes than these are one alert together: a flood must not use up what a channel takes of other alerts.
MOST_CAUSES: Final = 10
# A guest whose check-in was before that isn't waiting any more.
_WAITED_FOR: Final = timedelta(days=1)
_OTHERS: Final = ParkedCause("others", "They have many different problems.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedMessage:
    """One parked message: where it came from, what is wrong with it, and whose it is as far as it can be read."""

    parked_id: str
    stream: str
    problems: tuple[str, ...]
    hints: Hints


def parked_causes(messages: Iterable[ParkedMessage], now: datetime) -> list[Cause]:
    """Return what is told: of each stream the causes with most messages, and all others together."""
    streams: dict[str, dict[ParkedCause, list[ParkedMessage]]] = {}
    for message in messages:
        streams.setdefault(message.stream, {}).setdefault(cause_of(message.problems), []).append(message)
    found = []
    for stream, causes in streams.items():
        ranked = sorted(causes.items(), key=lambda each: (-len(each[1]), each[0].name))
        kept, others = ranked[:MOST_CAUSES], ranked[MOST_CAUSES:]
        found += [_cause(stream, cause, parked, now) for cause, parked in kept]
        if others:
            found.append(_cause(stream, _OTHERS, [each for _, parked in others for each in parked], now))
    return found


def _cause(stream: str, cause: ParkedCause, messages: list[ParkedMessage], now: datetime) -> Cause:
    bookings = _nearest_first(messages, now)
    nearest = next((hints for hints in bookings.values() if _is_waited_for(hints, now)), None)
    only = messages[0] if len(messages) == 1 else None
    notice = alert_notice(
        Reason.BOOKING_PARKED if bookings else Reason.MESSAGE_PARKED,
        key=f"parked/{stream}/{cause.name}",
        subject=_subject(stream, cause, len(messages), list(bookings)),
        at=now,
        detail=f"What is wrong: {cause.text}",
        next_step=_next_step(cause),
        look_closer=f"oracode parked show {only.parked_id}" if only else "oracode parked list",
        check_in=nearest.check_in if nearest else None,
        wall_check_in=nearest.wall_check_in if nearest else None,
        booking_id=next(iter(bookings)) if len(bookings) == 1 else "",
    )
    return Cause(
        notice,
        hit=len(bookings) or len(messages),
        subjects=tuple(map(_line, bookings.values())),
        members=_members(messages, bookings),
    )


def _members(messages: Iterable[ParkedMessage], bookings: Mapping[str, Hints]) -> tuple[Member, ...]:
    """Return who is hit, each since its first message: the same booking sent again every few minutes is one."""
    first: dict[str, str] = {}
    for message in messages:
        name = message.hints.booking_id or f"parked message {message.parked_id}"
        if name not in first or is_before(message.parked_id, first[name]):
            first[name] = message.parked_id
    # Bookings come nearest first, and then what names none.
    names = [*bookings, *(name for name in first if name not in bookings)]
    return tuple(Member(first[name], _line(bookings[name]) if name in bookings else name) for name in names)


def _nearest_first(messages: Iterable[ParkedMessage], now: datetime) -> dict[str, Hints]:
    """Return the bookings that the messages name; those that somebody waits for come first."""
    named = {message.hints.booking_id: message.hints for message in messages if message.hints.booking_id}
    latest = datetime.max.replace(tzinfo=now.tzinfo)

    def order(hints: Hints) -> tuple[bool, datetime, str]:
        return not _is_waited_for(hints, now), hints.check_in or latest, hints.booking_id or ""

    return {hints.booking_id or "": hints for hints in sorted(named.values(), key=order)}


def _is_waited_for(hints: Hints, now: datetime) -> bool:
    return hints.check_in is not None and hints.check_in > now - _WAITED_FOR


def _subject(stream: str, cause: ParkedCause, count: int, bookings: list[str]) -> str:
    if cause.unit is not None:
        who = f"{len(bookings)} bookings name" if len(bookings) != 1 else f"Booking {shown(bookings[0])} names"
        return f"{who} the unit {quoted(cause.unit)}, which isn't in the doors file"
    if len(bookings) == 1:
        return f"Booking {shown(bookings[0])}"
    return f"{len(bookings)} parked bookings" if bookings else f"{count} parked messages of stream {stream}"


def _next_step(cause: ParkedCause) -> str:
    """Return the fix where the cause names it; empty for that of the catalogue."""
    if cause.unit is None:
        return ""
    return (
        f"Add the unit {quoted(cause.unit)} to the doors file: the bookings are then taken by themselves. If the name"
        " is wrong, have it corrected in the booking system, and discard these messages."
    )


def _line(hints: Hints) -> str:
    at = hints.wall_check_in or hints.check_in
    return f"Booking {shown(hints.booking_id or '')}{f', check-in {at:%a %Y-%m-%d %H:%M %Z}'.rstrip() if at else ''}"
