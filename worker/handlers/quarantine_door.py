"""Quarantine: work that kills its worker again and again is left alone for a while, and a person is told.

This is for items of the due-set. `worker.consumers.quarantine_entries` does it for entries of a stream.
"""

from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from shared.clock import Clock
from shared.domain.booking import transitions
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.versions import NewerVersionNeeded
from shared.ledger.bookings import BookingLedger, UnknownBooking
from shared.ledger.due_set import DueItem

_PAUSE: Final = timedelta(minutes=10)
_DETAIL: Final = "The worker died with it, again and again."

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Quarantine:
    """Puts such a door aside. It writes the door's record alone, and runs none of the work."""

    def __init__(self, *, ledger: BookingLedger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def __call__(self, item: DueItem, starts: int) -> None:
        """Tell of an item that was begun so often in vain. What isn't a door is only logged; its lease has grown."""
        log.error("due.given_up", subject=item.subject, ids=list(item.ids), starts=starts)
        if item.subject != "door":
            return
        booking_id, key = item.ids
        now = self._clock()
        try:
            self._ledger.record(
                self._ledger.get(booking_id),
                partial(
                    transitions.record_failed_attempt,
                    key=key,
                    reason=Reason.INTERNAL_ERROR,
                    detail=_DETAIL,
                    until=now + _PAUSE,
                    tell=True,
                    now=now,
                ),
            )
        except (UnknownBooking, KeyError):
            self._ledger.release(booking_id, key)
        except NewerVersionNeeded:
            raise
        except Exception:
            # A record that can't even be read must not stop the sweep that all others depend on.
            log.exception("due.unreadable", booking_id=booking_id, door=key)
