"""Alerts on messages that `POST /bookings` refused, where that matters here: one alert a cause.

It matters where the message is of a booking that exists, which goes on as it was, where it is a cancellation, and where
it names no booking: it may be of any. A new booking matters once its check-in is near, or where nobody knows when that
is: a guest stands at a locked door then. Any other refusal its sender knows of, and nobody here waits for it yet.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog

from shared.clock import Clock
from shared.domain.alerting.affected_by_parked import WAITED_FOR, ParkedMessage
from shared.domain.alerting.parked_messages import ended_alerts, refused_causes
from shared.domain.booking.parked_effect import is_alive, kind_for
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import Booking
from shared.domain.entry_ids import entry_id_at
from shared.domain.messages.hints import Hints
from shared.domain.messages.parked_kind import ParkedKind
from shared.domain.messages.refused import Refused
from shared.ledger.alerts import AlertLedger
from shared.ledger.booking_reader import BookingReader
from shared.refused_messages import MOST_REFUSED, TOLD_FOR, RefusedEntry, RefusedMessages
from worker.handlers.tell_parked import end_alerts

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class TellRefused:
    """Brings the alerts in line with what was refused. Idempotent."""

    def __init__(self, *, refused: RefusedMessages, ledger: BookingReader, alerts: AlertLedger, clock: Clock) -> None:
        self._refused = refused
        self._ledger = ledger
        self._alerts = alerts
        self._clock = clock

    def __call__(self) -> None:
        """Raise an alert a cause; resolve those that are over or settled by now. Raises NewerVersionNeeded."""
        now = self._clock()
        known = [alert for alert in self._alerts.open() if alert.notice.problem == Reason.BOOKING_REFUSED]
        policy = self._alerts.policy
        entries = self._refused.lately(now)
        causes = refused_causes(
            self._messages(entries, now, policy.warn_before),
            now,
            open_alerts=known,
            page_before=policy.page_before,
            warn_before=policy.warn_before,
        )
        for cause in causes:
            self._alerts.record_cause(cause)
        # A full list pushes out its oldest messages.
        oldest_kept = entry_id_at(entries[-1].last_at) if len(entries) >= MOST_REFUSED else ""
        end_alerts(self._alerts, ended_alerts(known, causes, oldest_kept=oldest_kept))
        if causes:
            log.info("refusals.told", causes=len(causes))

    def _messages(self, entries: Iterable[RefusedEntry], now: datetime, warn_before: timedelta) -> list[ParkedMessage]:
        bookings = self._ledger.get_many({entry.refused.booking_id for entry in entries if entry.refused.booking_id})
        found = []
        for entry in entries:
            refused, booking = entry.refused, bookings.get(entry.refused.booking_id)
            message = ParkedMessage(
                parked_id=entry_id_at(entry.first_at),
                stream="POST /bookings",
                problems=refused.problems or ("its problem is not known",),
                hints=_hints(refused, now, warn_before),
                kind=kind_for(refused.kind, booking),
                arrival=entry_id_at(entry.last_at),
                booking=booking,
            )
            if _matters(entry, booking, now, warn_before) and not message.is_settled:
                found.append(message)
        return found


def _matters(entry: RefusedEntry, booking: Booking | None, now: datetime, warn_before: timedelta) -> bool:
    refused = entry.refused
    is_missed = is_alive(booking) or refused.kind is ParkedKind.CANCELLATION
    if is_missed or not refused.booking_id or refused.check_in is None:
        return entry.last_at >= now - TOLD_FOR
    # However long ago it was refused: nobody sent it as it should be since.
    return _is_near(refused, now, warn_before)


def _is_near(refused: Refused, now: datetime, warn_before: timedelta) -> bool:
    return refused.check_in is not None and now - WAITED_FOR < refused.check_in <= now + warn_before


def _hints(refused: Refused, now: datetime, warn_before: timedelta) -> Hints:
    """Return the hints; without a far check-in where no booking is named: of which it is may come sooner."""
    if not refused.booking_id and not _is_near(refused, now, warn_before):
        return Hints()
    return Hints(refused.booking_id or None, refused.check_in, refused.wall_check_in)
