"""Alerts on cancellations of unknown bookings: with a typo in the id, the right booking isn't cancelled.

All are in one alert: a cancellation may come before its booking, and systems cancel bookings that they never sent.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final, cast

import structlog
from redis import Redis

from shared import redis_keys
from shared.clock import Clock
from shared.domain.alerting.causes import MOST_SUBJECTS, Cause, Member
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import Booking, State
from shared.domain.entry_ids import moment_of
from shared.domain.near_names import near
from shared.domain.quoting import shown
from shared.ledger.alerts import AlertLedger
from shared.ledger.booking_reader import BookingReader

ALERT_KEY: Final = "cancellations/unknown"
# So long a booking may be on its way behind its cancellation.
GRACE: Final = timedelta(minutes=10)
TOLD_FOR: Final = timedelta(days=1)
_MOST_LOOKED_AT: Final = 5_000
_PAGE: Final = 500
# Ids that are counted up are all alike: only one that is a slip away helps.
_SIMILAR: Final = 0.8

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class TellUnknownCancellations:
    """Brings the alert in line with what is cancelled and was never booked. Idempotent."""

    def __init__(self, *, redis: Redis, ledger: BookingReader, alerts: AlertLedger, clock: Clock) -> None:
        self._redis = redis
        self._ledger = ledger
        self._alerts = alerts
        self._clock = clock
        self._near: dict[str, tuple[str, ...]] = {}

    def __call__(self) -> None:
        """Raise the alert, or resolve it. Raises NewerVersionNeeded."""
        now = self._clock()
        found = sorted(self._unknown(now), key=_arrived_at, reverse=True)
        if not found:
            self._near = {}
            self._alerts.resolve(ALERT_KEY)
            return
        members = tuple(Member(booking.newest_entry, self._line(booking)) for booking in found[:MOST_SUBJECTS])
        rest = tuple(Member(booking.newest_entry, shown(booking.booking_id)) for booking in found[MOST_SUBJECTS:])
        notice = alert_notice(
            Reason.CANCELLATION_UNKNOWN,
            key=ALERT_KEY,
            subject=f"{len(found)} cancellations of bookings that nobody knows"
            if len(found) > 1
            else f"Cancellation of {shown(found[0].booking_id)}, a booking that nobody knows",
            at=now,
            look_closer=f"oracode bookings show {found[0].booking_id}"
            if len(found) == 1
            else "oracode bookings list --state cancelled",
            booking_id=found[0].booking_id if len(found) == 1 else "",
        )
        lines = tuple(member.line for member in members)
        self._alerts.record_cause(Cause(notice, hit=len(found), subjects=lines, members=(*members, *rest)))
        log.info("unknown_cancellations.told", count=len(found))

    def _unknown(self, now: datetime) -> Iterator[Booking]:
        """Yield the bookings that were only ever cancelled, within the time in which that is told."""
        cancelled = redis_keys.bookings_in_state(State.CANCELLED)
        # Nothing but a mere cancellation has no check-in, and so the place 0.
        ids = [str(each) for each in cast(Any, self._redis.zrange(cancelled, 0, 0, byscore=True))]
        since, until = now - TOLD_FOR, now - GRACE
        recent: list[str] = []
        for start in range(0, len(ids), _PAGE):
            page = ids[start : start + _PAGE]
            scores = cast(Any, self._redis.zmscore(redis_keys.BOOKINGS_BY_CHANGE, page))
            recent += [name for name, at in zip(page, scores, strict=True) if at and float(at) >= since.timestamp()]
        for booking in self._ledger.get_many(recent[:_MOST_LOOKED_AT]).values():
            is_mere = booking.cancelled and booking.stay is None and booking.newest_entry
            if is_mere and since <= _arrived_at(booking) <= until:
                yield booking

    def _line(self, booking: Booking) -> str:
        booking_id = booking.booking_id
        if booking_id not in self._near:
            known = (each for each in self._ledger.ids() if each != booking_id)
            self._near[booking_id] = tuple(near(booking_id, known, similar=_SIMILAR))
        named = " or ".join(map(shown, self._near[booking_id]))
        return f"{shown(booking_id)}{f': did you mean {named}?' if named else ''}"


def _arrived_at(booking: Booking) -> datetime:
    """Return when the booking's newest message arrived, by the data server's clock."""
    return moment_of(booking.newest_entry)
