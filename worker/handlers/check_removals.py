"""Looks at codes that Seam was asked to delete, until Seam has them no more."""

import structlog

from shared.clock import Clock
from shared.domain.booking import transitions
from shared.domain.booking.record import AccessCode, Booking, Removal
from shared.domain.code.removal import after_failed_look, after_look, look_at, next_look_at
from shared.ledger.bookings import BookingLedger, UnknownBooking
from shared.ledger.due import DueSet, removal_item
from shared.seam.access_codes import AccessCodes
from shared.seam.errors import SeamError

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class CheckRemovals:
    """The task behind `codes.check_removals`. Idempotent; a kill at any line leaves the item in the due-set."""

    def __init__(self, *, ledger: BookingLedger, codes: AccessCodes, due: DueSet, clock: Clock) -> None:
        self._ledger = ledger
        self._codes = codes
        self._due = due
        self._clock = clock

    def __call__(self, booking_id: str, door_key: str) -> None:
        """Look at each code of the door whose time has come, and record what Seam says of it."""
        item = removal_item(booking_id, door_key)
        seen = self._due.time_of(item)
        try:
            booking = self._look(self._ledger.get(booking_id), door_key)
            again_at = next_look_at(booking.door(door_key))
        except (UnknownBooking, KeyError):
            again_at = None
        # A time that was written meanwhile stays.
        self._due.finish(item, again_at, seen=seen)

    def _look(self, booking: Booking, door_key: str) -> Booking:
        now = self._clock()
        gone: set[str] = set()
        removals: dict[str, Removal] = {}
        for code in booking.door(door_key).residual:
            at = look_at(code)
            if code.removal is None or at is None or at > now:
                continue
            removal = self._removal_of(code, code.removal, booking.door(door_key).device_id)
            if removal is None:
                gone.add(code.access_code_id)
            else:
                removals[code.access_code_id] = removal
        if not gone and not removals:
            return booking
        return self._ledger.record(
            booking,
            lambda it: transitions.record_removals(it, door_key, gone=frozenset(gone), removals=removals, now=now),
        )

    def _removal_of(self, code: AccessCode, removal: Removal, device_id: str) -> Removal | None:
        """Return how it stands with the deletion of a code; None where Seam has the code no more."""
        now, name = self._clock(), code.access_code_id
        try:
            report = self._codes.get(name)
            if report is None and not self._codes.is_unmanaged(name, device_id):
                return None
        except SeamError as error:
            log.warning("seam.call_failed", access_code_id=name, kind=type(error).__name__, error=str(error))
            return after_failed_look(removal, now)
        error_of_attempt = self._codes.attempt_error(removal.attempt_id) if removal.attempt_id else ""
        errors = report.errors if report is not None else ()
        return after_look(removal, errors=errors, attempt_error=error_of_attempt, now=now)
