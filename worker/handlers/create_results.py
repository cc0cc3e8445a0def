"""Records what came of a create: the code that exists, or that none was made."""

import structlog

from shared import metrics
from shared.clock import Clock
from shared.domain.booking import transitions
from shared.domain.booking.planning import Make
from shared.domain.booking.record import AccessCode, Booking, Intent, on_clock_of
from shared.domain.booking.seen_door import SeenDoor
from shared.ledger.bookings import BookingLedger, Transition
from shared.seam.access_codes import CodeReport

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class CreateResults:
    """Facts, however they were found: they are recorded even if the booking has changed meanwhile."""

    def __init__(self, *, ledger: BookingLedger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def issuing(
        self, seen: SeenDoor, report: CodeReport, asked: Make | Intent, *, revision: int | None, adopted: bool
    ) -> Transition:
        """Return the transition that records the code of a report as the door's, for what was `asked`.

        `seen` is the door that the code was asked for.
        """
        now, key, choice = self._clock(), seen.key, seen.door.choice
        code = AccessCode(
            access_code_id=report.access_code_id,
            # Where Seam names no times, a look at the code tells so.
            window=on_clock_of(asked.window, report.window or asked.window),
            known_since=now,
            user_level_id=report.user_level_id,
        )
        metrics.CREATES.add("adopted" if adopted else "issued")
        log.info(
            "code.adopted" if adopted else "code.issued",
            booking_id=seen.booking.booking_id,
            device_id=seen.door.device_id,
            access_code_id=code.access_code_id,
        )
        return lambda it: transitions.record_code(
            it,
            key,
            code,
            # The code is recorded in any case. If another slot was chosen since, the door is planned again.
            revision=revision if it.door(key).choice == choice else None,
            asked=asked.window,
            user_level_id=asked.user_level_id or None,
            request_id=report.request_id,
            adopted=adopted,
            now=now,
        )

    def clear_intent(self, booking: Booking, key: str, intent: Intent) -> Booking:
        """Record that the intent's call made nothing. Raises StaleRead where that intent isn't open any more."""
        return self._ledger.record(
            booking,
            lambda it: transitions.clear_intent(it, key, intent_id=intent.intent_id, now=self._clock()),
            in_hand=key,
        )
