"""Finds out what became of a create whose outcome is unknown. A look at Seam is the only way out of the doubt."""

from datetime import datetime, timedelta

from shared.clock import Clock
from shared.domain.booking import transitions
from shared.domain.booking.door_state import Creating, state_of
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import Booking
from shared.domain.booking.seen_door import SeenDoor
from shared.ledger.bookings import BookingLedger
from shared.seam.access_codes import AccessCodes
from worker.handlers.create_results import CreateResults
from worker.handlers.find_code import FindCode


class ResolveCreateInDoubt:
    """Changes nothing at Seam. May run twice, on two workers, or be killed anywhere."""

    def __init__(
        self,
        *,
        ledger: BookingLedger,
        codes: AccessCodes,
        find: FindCode,
        results: CreateResults,
        settle: timedelta,
        clock: Clock,
    ) -> None:
        """`settle` is how long after its intent a create may still be under way at Seam."""
        self._ledger = ledger
        self._codes = codes
        self._find = find
        self._results = results
        self._settle = settle
        self._clock = clock

    def look(self, seen: SeenDoor) -> Booking:
        """Find out what became of an open intent. Raises SeamError; the intent then stays open."""
        booking, booked = seen.booking, seen.door
        state = state_of(booked)
        if not isinstance(state, Creating):
            return booking
        intent = state.intent
        on_door = self._codes.on_door(booked.device_id)
        made = self._find.made_by(intent, booking, booked, on_door)
        if made is not None:
            adopt = self._results.issuing(seen, made, intent, revision=booked.planned_revision, adopted=True)
            return self._ledger.record(booking, adopt, in_hand=seen.key)
        settled_at = intent.at + self._settle
        if self._clock() < settled_at:
            # The call may still be under way at Seam: not found yet is not "never made".
            return self._look_again(seen, settled_at)
        return self._results.clear_intent(booking, seen.key, intent)

    def _look_again(self, seen: SeenDoor, at: datetime) -> Booking:
        return self._ledger.transition(
            seen,
            lambda it: transitions.record_failed_attempt(
                it,
                seen.key,
                reason=Reason.IN_DOUBT,
                detail="Not found yet.",
                until=at,
                tell=False,
                now=self._clock(),
            ),
        )
