"""Alerts on parked messages, one alert a cause: compares the parked list with the open alerts."""

from collections.abc import Iterable, Mapping
from typing import Final

import structlog

from shared.clock import Clock
from shared.domain.alerting.affected_by_parked import ParkedMessage
from shared.domain.alerting.alert import Alert
from shared.domain.alerting.parked_cause_alert import parked_key
from shared.domain.alerting.parked_messages import ended_alerts, parked_causes
from shared.domain.booking.parked_effect import kind_for
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import AlertNotice, Booking
from shared.domain.messages.hints import Hints, hints_of
from shared.domain.messages.parked_causes import cause_of
from shared.ledger.alerts import AlertLedger
from shared.ledger.booking_reader import BookingReader
from shared.parked import MOST_PARKED, ParkedEntry, ParkedList, kind_of
from shared.replayed_messages import ReplayedMessages, Replays
from shared.streams import is_entry_id

_PROBLEMS: Final = (
    Reason.BOOKING_PARKED,
    Reason.CHANGE_PARKED,
    Reason.CANCELLATION_PARKED,
    Reason.MESSAGE_PARKED,
)
# Of a flood, only the bookings of the newest messages are looked up: the others are told by what they say.
_MOST_LOOKED_UP: Final = 2_000

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class TellParked:
    """Brings the alerts in line with the parked list. Idempotent."""

    def __init__(
        self,
        *,
        parked: ParkedList,
        replayed: ReplayedMessages,
        ledger: BookingReader,
        alerts: AlertLedger,
        clock: Clock,
    ) -> None:
        self._parked = parked
        self._replayed = replayed
        self._ledger = ledger
        self._alerts = alerts
        self._clock = clock

    def __call__(self) -> None:
        """Raise an alert a cause, and end those that have no messages any more. Raises NewerVersionNeeded.

        None is ended, or gets a later check-in, while a message of its stream that was replayed isn't done: it may be
        parked again, and would then be told as urgent once more.
        """
        replays = self._replayed.read()
        entries = list(self._parked.list())
        waiting = replays.waiting_streams | self._replayed.streams_since(replays)
        messages = self._messages(entries, replays)
        known = [alert for alert in self._alerts.open() if alert.notice.problem in _PROBLEMS]
        policy = self._alerts.policy
        causes = parked_causes(
            messages,
            self._clock(),
            open_alerts=known,
            page_before=policy.page_before,
            warn_before=policy.warn_before,
        )
        held = tuple(f"{parked_key(stream)}/" for stream in waiting)
        alerts = {alert.key: alert for alert in known}
        for cause in causes:
            if not (cause.notice.key.startswith(held) and _is_later(cause.notice, alerts.get(cause.notice.key))):
                self._alerts.record_cause(cause)
        # A full list pushes out its oldest messages.
        oldest_kept = entries[0].parked_id if len(entries) >= MOST_PARKED else ""
        ended = ended_alerts(known, causes, oldest_kept=oldest_kept)
        over = {key: goes_on_in for key, goes_on_in in ended.items() if not key.startswith(held)}
        end_alerts(self._alerts, over)
        if entries or over:
            log.info("parked.told", parked=len(entries), causes=len(causes), resolved=len(over))
        self._replayed.forget(replays.over(frozenset((each.parked.stream, each.parked.source_id) for each in entries)))

    def _messages(self, entries: list[ParkedEntry], replays: Replays) -> list[ParkedMessage]:
        hints = [hints_of(entry.parked.message) for entry in entries]
        named = dict.fromkeys(each.booking_id for each in reversed(hints) if each.booking_id)
        bookings = self._ledger.get_many(list(named)[:_MOST_LOOKED_UP])
        return list(_messages_of(zip(entries, hints, strict=True), bookings, replays))


def _is_later(notice: AlertNotice, alert: Alert | None) -> bool:
    """Say whether the check-in of the notice is later than that of the open alert."""
    before = alert.notice.check_in if alert is not None else None
    return before is not None and (notice.check_in is None or notice.check_in > before)


def end_alerts(alerts: AlertLedger, over: Mapping[str, str]) -> None:
    """End alerts, as `ended_alerts` has them: "resolved" is said only where the messages are gone."""
    for key, goes_on_in in over.items():
        if goes_on_in:
            alerts.supersede(key, goes_on_in=goes_on_in)
        else:
            alerts.resolve(key)


def _messages_of(
    entries: Iterable[tuple[ParkedEntry, Hints]], bookings: Mapping[str, Booking], replays: Replays
) -> Iterable[ParkedMessage]:
    for entry, hints in entries:
        parked, booking = entry.parked, bookings.get(hints.booking_id or "")
        yield ParkedMessage(
            parked_id=entry.parked_id,
            stream=parked.stream,
            problems=parked.problems or ("its problem is not known",),
            hints=hints,
            kind=kind_of(parked) if parked.kind else kind_for(kind_of(parked), booking),
            arrival=parked.source_id if is_entry_id(parked.source_id) else "",
            booking=booking,
            since=replays.known_since(parked.stream, parked.source_id, cause_of(parked.problems).name),
        )
