"""The alerts of parked and refused messages: one for each cause, with its bookings and the next step. Pure.

Which causes share the collecting alert: `shared.domain.alerting.parked_alert_limit`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from shared.domain.alerting.affected_by_parked import (
    AffectedBooking,
    ParkedMessage,
    affected_bookings,
    line_of,
    name_of,
    nearest_check_in,
)
from shared.domain.alerting.alert import Alert
from shared.domain.alerting.causes import Cause, Member
from shared.domain.alerting.parked_alert_limit import Candidate, with_own_alert
from shared.domain.alerting.severity import PAGE_BEFORE, WARN_BEFORE
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.parked_effect import is_alive
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.entry_ids import is_before
from shared.domain.messages.parked_causes import ParkedCause, cause_of
from shared.domain.messages.parked_kind import ParkedKind
from shared.domain.quoting import quoted

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
# Added to the text if a cause has messages of several kinds.
_AMONG: Final[Mapping[ParkedKind, str]] = {
    ParkedKind.CHANGE: "Some are changes: those bookings keep their old times, and the codes that they have.",
    ParkedKind.CANCELLATION: "Some are cancellations: nothing is cancelled, and the codes that exist stay valid.",
}


@dataclass(frozen=True, slots=True)
class _Handling:
    """What differs in the alerts of parked and of refused messages."""

    key: str
    reason: Reason | None
    """The reason of all these alerts; None: it depends on the kinds of messages."""
    word: str
    look_closer: str
    unit_step: str


def parked_key(stream: str) -> str:
    """Return how the keys of the alerts of a stream's parked messages begin."""
    return f"parked/{stream}"


def _of_parked(stream: str) -> _Handling:
    return _Handling(
        key=parked_key(stream),
        reason=None,
        word="parked",
        look_closer="oracode parked list",
        unit_step="the bookings are then taken by themselves. If the name is wrong, have it corrected in the booking"
        " system, and discard these messages.",
    )


_REFUSED: Final = _Handling(
    key="refused",
    reason=Reason.BOOKING_REFUSED,
    word="refused",
    look_closer="oracode doctor",
    unit_step="then have the booking system send the bookings again. If the name is wrong, have it corrected there.",
)


@dataclass(frozen=True, slots=True)
class _CauseMessages:
    """The messages with one cause. `names` are the names of the cause, also in older versions: alerts may have them."""

    cause: ParkedCause
    messages: list[ParkedMessage] = field(default_factory=list)
    names: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Rules:
    """How long before check-in people are paged, and warned."""

    page_before: timedelta
    warn_before: timedelta


def refused_causes(
    messages: Iterable[ParkedMessage],
    now: datetime,
    *,
    open_alerts: Iterable[Alert] = (),
    page_before: timedelta = PAGE_BEFORE,
    warn_before: timedelta = WARN_BEFORE,
) -> list[Cause]:
    """Return what is told of messages that `POST /bookings` refused.

    They were never parked. Their `parked_id` is the time of the first refusal, in the form of a stream's entry id.
    """
    told = {alert.key: alert for alert in open_alerts}
    return _causes(messages, _REFUSED, told, now, _Rules(page_before, warn_before))


def parked_causes(
    messages: Iterable[ParkedMessage],
    now: datetime,
    *,
    open_alerts: Iterable[Alert] = (),
    page_before: timedelta = PAGE_BEFORE,
    warn_before: timedelta = WARN_BEFORE,
) -> list[Cause]:
    """Return what is told: for each stream the causes with an alert of their own, and all others together.

    A cause is as urgent as its nearest check-in, in a message or in the ledger: nearer than `page_before` it pages,
    nearer than `warn_before` it warns. If a check-in isn't known, it is at least a warning. A cause that has one of the
    `open_alerts` keeps it.
    """
    told = {alert.key: alert for alert in open_alerts}
    streams: dict[str, list[ParkedMessage]] = {}
    for message in messages:
        streams.setdefault(message.stream, []).append(message)
    rules = _Rules(page_before, warn_before)
    return [
        cause for stream, parked in streams.items() for cause in _causes(parked, _of_parked(stream), told, now, rules)
    ]


def ended_alerts(open_alerts: Iterable[Alert], causes: Iterable[Cause], *, oldest_kept: str = "") -> dict[str, str]:
    """Return the open alerts that tell of none of the `causes` any more, by key.

    The value is a sentence that says where the problem goes on, or "" if its messages are gone.
    `oldest_kept` is the id of the oldest message if the list is full: then newer messages push older ones out.
    """
    causes, known = list(causes), {alert.key: alert for alert in open_alerts}
    told = {cause.notice.key for cause in causes}
    return {key: _goes_on_in(alert, causes, known, oldest_kept) for key, alert in known.items() if key not in told}


def _goes_on_in(alert: Alert, causes: Iterable[Cause], known: Mapping[str, Alert], oldest_kept: str) -> str:
    messages_key, _, name = alert.key.rpartition("/")
    for cause in causes:
        if alert.key in cause.includes:
            return f"It is now part of the alert {quoted(cause.notice.subject)}."
        is_of_same_list = cause.notice.key.rpartition("/")[0] == messages_key
        if name == _OTHERS.name and is_of_same_list and _has_left(alert, cause, known.get(cause.notice.key)):
            return "None of its messages is left in it: those that are still there have alerts of their own."
    if not is_before(alert.known_until, oldest_kept):
        return ""
    if messages_key == _REFUSED.key:
        return (
            "The list of refused messages is full, and newer ones may have pushed these out. If they weren't sent since"
            " as they should be, have the booking system do that now."
        )
    return (
        "The list of parked messages is full, and newer ones may have pushed these out. If nobody replayed or"
        " discarded them, have the booking system send those bookings again."
    )


def _has_left(collecting: Alert, cause: Cause, own: Alert | None) -> bool:
    """Say whether the collecting alert told of messages of this cause before they got an alert of their `own`."""
    is_later = own is None or own.opened_at > collecting.opened_at
    return is_later and any(not is_before(collecting.known_until, member.since) for member in cause.members)


def _causes(
    messages: Iterable[ParkedMessage], handling: _Handling, told: Mapping[str, Alert], now: datetime, rules: _Rules
) -> list[Cause]:
    groups: dict[str, _CauseMessages] = {}
    for message in messages:
        cause = cause_of(message.problems)
        group = groups.setdefault(cause.name, _CauseMessages(cause))
        group.messages.append(message)
        group.names.update((cause.name, cause.earlier_name))
    collecting = told.get(_key(handling, _OTHERS.name))
    affected = {name: affected_bookings(group.messages, now) for name, group in groups.items()}
    candidates = [
        _candidate(group, affected[name], collecting, now, rules.page_before) for name, group in groups.items()
    ]
    own = with_own_alert(candidates, {name for name in groups if _key(handling, name) in told})
    found = [_cause(handling, groups[name], affected[name], now, rules.warn_before) for name in own]
    others = [group for name, group in groups.items() if name not in own]
    if others:
        messages = [message for group in others for message in group.messages]
        names = {name for group in others for name in group.names}
        collected = _CauseMessages(_OTHERS, messages, names)
        found.append(_cause(handling, collected, affected_bookings(messages, now), now, rules.warn_before))
    return found


def _key(handling: _Handling, name: str) -> str:
    return f"{handling.key}/{name}"


def _candidate(
    group: _CauseMessages,
    affected: list[AffectedBooking],
    collecting: Alert | None,
    now: datetime,
    page_before: timedelta,
) -> Candidate:
    due_at = min((each.due.at for each in affected if each.due is not None), default=None)
    return Candidate(
        name=group.cause.name,
        count=len(group.messages),
        due_at=due_at,
        is_urgent=due_at is not None and due_at - now <= page_before,
        keeps_a_code=any(map(_keeps_a_code, group.messages)),
        is_collected=collecting is not None
        and any(not is_before(collecting.known_until, each.since) for each in affected),
    )


def _keeps_a_code(message: ParkedMessage) -> bool:
    is_of_a_booking = message.kind in (ParkedKind.CANCELLATION, ParkedKind.CHANGE)
    return is_of_a_booking and is_alive(message.booking) and not message.is_settled


def _cause(
    handling: _Handling, group: _CauseMessages, affected: list[AffectedBooking], now: datetime, warn_before: timedelta
) -> Cause:
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
        key=_key(handling, cause.name),
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
        includes=frozenset(_key(handling, name) for name in group.names),
    )


def _reason(affected: list[AffectedBooking]) -> Reason:
    kinds = frozenset(each.newest.kind for each in affected)
    named = Reason.BOOKING_PARKED if any(each.booking_id for each in affected) else Reason.MESSAGE_PARKED
    return _REASONS.get(kinds, named)


def _subject(
    handling: _Handling,
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


def _next_step(handling: _Handling, cause: ParkedCause) -> str:
    """Return the next step if the cause has one of its own; otherwise "", which means the one of the catalogue."""
    if cause.unit is None:
        return ""
    return f"Add the unit {quoted(cause.unit)} to the doors file: {handling.unit_step}"
