"""The alerts of parked and refused messages: one for each cause, with its bookings and the next step. Pure.

What each alert says: `shared.domain.alerting.parked_cause_alert`. Which causes share the collecting alert:
`shared.domain.alerting.parked_alert_limit`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.alerting.affected_by_parked import (
    AffectedBooking,
    ParkedMessage,
    affected_bookings,
)
from shared.domain.alerting.alert import Alert
from shared.domain.alerting.causes import Cause
from shared.domain.alerting.parked_alert_limit import Candidate, with_own_alert
from shared.domain.alerting.parked_cause_alert import (
    OTHERS,
    REFUSED,
    CauseMessages,
    Handling,
    cause_for,
    handling_of_parked,
)
from shared.domain.alerting.severity import PAGE_BEFORE, WARN_BEFORE
from shared.domain.booking.parked_effect import is_alive
from shared.domain.entry_ids import is_before
from shared.domain.messages.parked_causes import cause_of
from shared.domain.messages.parked_kind import ParkedKind
from shared.domain.quoting import quoted


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
    """Return the causes of messages that `POST /bookings` refused, each for one alert.

    They were never parked. Their `parked_id` is the time of the first refusal, in the form of a stream's entry id.
    """
    told = {alert.key: alert for alert in open_alerts}
    return _causes(messages, REFUSED, told, now, _Rules(page_before, warn_before))


def parked_causes(
    messages: Iterable[ParkedMessage],
    now: datetime,
    *,
    open_alerts: Iterable[Alert] = (),
    page_before: timedelta = PAGE_BEFORE,
    warn_before: timedelta = WARN_BEFORE,
) -> list[Cause]:
    """Return for each stream the causes that have an alert of their own, and one for all others together.

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
        cause
        for stream, parked in streams.items()
        for cause in _causes(parked, handling_of_parked(stream), told, now, rules)
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
        if name == OTHERS.name and is_of_same_list and _has_left(alert, cause, known.get(cause.notice.key)):
            return "None of its messages is left in it: those that are still there have alerts of their own."
    if not is_before(alert.known_until, oldest_kept):
        return ""
    if messages_key == REFUSED.key:
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
    messages: Iterable[ParkedMessage], handling: Handling, told: Mapping[str, Alert], now: datetime, rules: _Rules
) -> list[Cause]:
    groups: dict[str, CauseMessages] = {}
    for message in messages:
        cause = cause_of(message.problems)
        group = groups.setdefault(cause.name, CauseMessages(cause))
        group.messages.append(message)
        group.names.update((cause.name, cause.earlier_name))
    collecting = told.get(handling.alert_key(OTHERS.name))
    affected = {name: affected_bookings(group.messages, now) for name, group in groups.items()}
    candidates = [
        _candidate(group, affected[name], collecting, now, rules.page_before) for name, group in groups.items()
    ]
    own = with_own_alert(candidates, {name for name in groups if handling.alert_key(name) in told})
    found = [cause_for(handling, groups[name], affected[name], now, rules.warn_before) for name in own]
    others = [group for name, group in groups.items() if name not in own]
    if others:
        messages = [message for group in others for message in group.messages]
        names = {name for group in others for name in group.names}
        collected = CauseMessages(OTHERS, messages, names)
        found.append(cause_for(handling, collected, affected_bookings(messages, now), now, rules.warn_before))
    return found


def _candidate(
    group: CauseMessages,
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
