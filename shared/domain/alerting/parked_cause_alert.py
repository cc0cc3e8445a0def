"""What people are told of one cause of parked or refused messages: the notice, the bookings, the next step. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from shared.domain.alerting.affected_by_parked import (
    AffectedBooking,
    ParkedMessage,
    line_of,
    name_of,
    nearest_check_in,
)
from shared.domain.alerting.causes import Cause, Member
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.messages.parked_causes import ParkedCause
from shared.domain.messages.parked_kind import ParkedKind
from shared.domain.quoting import quoted

OTHERS: Final = ParkedCause("others", "They have many different problems.")
"""The cause of the collecting alert."""
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
# Added to the text if a cause has messages of several kinds.
_AMONG: Final[Mapping[ParkedKind, str]] = {
    ParkedKind.CHANGE: "Some are changes: those bookings keep their old times, and the codes that they have.",
    ParkedKind.CANCELLATION: "Some are cancellations: nothing is cancelled, and the codes that exist stay valid.",
}


@dataclass(frozen=True, slots=True)
class Handling:
    """What differs in the alerts of parked and of refused messages."""

    key: str
    reason: Reason | None
    """The reason of all these alerts; None: it depends on the kinds of messages."""
    word: str
    look_closer: str
    unit_step: str

    def alert_key(self, name: str) -> str:
        """Return the key of the alert of the cause with this name."""
        return f"{self.key}/{name}"


def parked_key(stream: str) -> str:
    """Return how the keys of the alerts of a stream's parked messages begin."""
    return f"parked/{stream}"


def handling_of_parked(stream: str) -> Handling:
    """Return what the alerts of a stream's parked messages have in common."""
    return Handling(
        key=parked_key(stream),
        reason=None,
        word="parked",
        look_closer="oracode parked list",
        unit_step="the bookings are then taken by themselves. If the name is wrong, have it corrected in the booking"
        " system, and discard these messages.",
    )


REFUSED: Final = Handling(
    key="refused",
    reason=Reason.BOOKING_REFUSED,
    word="refused",
    look_closer="oracode doctor",
    unit_step="then have the booking system send the bookings again. If the name is wrong, have it corrected there.",
)


@dataclass(frozen=True, slots=True)
class CauseMessages:
    """The messages with one cause. `names` are the names of the cause, also in older versions: alerts may have them."""

    cause: ParkedCause
    messages: list[ParkedMessage] = field(default_factory=list)
    names: set[str] = field(default_factory=set)


def cause_for(
    handling: Handling, group: CauseMessages, affected: list[AffectedBooking], now: datetime, warn_before: timedelta
) -> Cause:
    """Return what is told of the messages with one cause; `affected` are their bookings."""
    cause, messages = group.cause, group.messages
    bookings = [each for each in affected if each.booking_id]
    reason = handling.reason or _reason(bookings or affected)
    due = nearest_check_in(affected, now, warn_before)
    look_closer = handling.look_closer
    if len(messages) == 1 and not handling.reason:
        look_closer = f"oracode parked show {messages[0].parked_id}"
    kinds = {each.newest.kind for each in bookings}
    among = " ".join(text for kind, text in _AMONG.items() if kind in kinds and len(kinds) > 1)
    notice = alert_notice(
        reason,
        key=handling.alert_key(cause.name),
        subject=_subject(handling, cause, messages, bookings, reason),
        at=now,
        detail=f"{among} What is wrong: {cause.text}".strip(),
        next_step=_next_step(handling, cause),
        look_closer=look_closer,
        check_in=due.at if due else None,
        wall_check_in=due.wall if due else None,
        time_zone=due.time_zone if due else None,
        booking_id=bookings[0].booking_id if len(bookings) == 1 else "",
    )
    return Cause(
        notice,
        hit=len(bookings) or len(messages),
        subjects=tuple(map(line_of, bookings)),
        members=tuple(Member(each.since, line_of(each)) for each in affected),
        includes=frozenset(handling.alert_key(name) for name in group.names),
    )


def _reason(affected: list[AffectedBooking]) -> Reason:
    kinds = frozenset(each.newest.kind for each in affected)
    named = Reason.BOOKING_PARKED if any(each.booking_id for each in affected) else Reason.MESSAGE_PARKED
    return _REASONS.get(kinds, named)


def _subject(
    handling: Handling,
    cause: ParkedCause,
    messages: list[ParkedMessage],
    bookings: list[AffectedBooking],
    reason: Reason,
) -> str:
    if cause.unit is not None:
        who = f"{len(bookings)} bookings name" if len(bookings) != 1 else f"{name_of(bookings[0])} names"
        return f"{who} the unit {quoted(cause.unit)}, which isn't in the doors file"
    if len(bookings) == 1:
        return f"{name_of(bookings[0])}{', refused' if handling.reason else ''}"
    if bookings:
        return f"{len(bookings)} {handling.word} {_MANY[reason]}"
    what = f"{len(messages)} {handling.word} message{'s' * (len(messages) != 1)}"
    return f"{what} {'to' if handling.reason else 'of stream'} {messages[0].stream}"


def _next_step(handling: Handling, cause: ParkedCause) -> str:
    """Return the next step if the cause has one of its own; otherwise "", which means the one of the catalogue."""
    if cause.unit is None:
        return ""
    return f"Add the unit {quoted(cause.unit)} to the doors file: {handling.unit_step}"
