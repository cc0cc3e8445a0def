"""Codes that are to go: Seam is asked to delete those that were replaced; each is looked at until Seam has it no more.

A replaced code is deleted once another has taken its place. Whether that one has the very same PIN is seen here: both
are read from Seam, compared, and kept nowhere.
"""

from datetime import timedelta
from typing import Final

import structlog

from shared.clock import Clock
from shared.domain.booking import transitions
from shared.domain.booking.record import AccessCode, BookedDoor, Booking, Removal
from shared.domain.code.removal import after_failed_look, after_look, deletion_not_possible, look_at, next_look_at
from shared.ledger.bookings import BookingLedger, UnknownBooking
from shared.ledger.due_set import DueSet, removal_item
from shared.seam.access_codes import AccessCodes
from shared.seam.errors import SeamError
from worker.handlers.revoke_code import RevokeCode

# How soon a door is taken again: a deletion that couldn't be asked for is still due in the record.
_SOONEST: Final = timedelta(seconds=5)
_NOT_ALLOWED: Final = "Seam doesn't let it be deleted"
_UNMANAGED: Final = "Seam doesn't manage it any more"

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class CheckRemovals:
    """The task behind `codes.check_removals`. Idempotent; a kill at any line leaves the item in the due-set."""

    def __init__(
        self, *, ledger: BookingLedger, codes: AccessCodes, revoke: RevokeCode, due: DueSet, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._revoke = revoke
        self._codes = codes
        self._due = due
        self._clock = clock

    def __call__(self, booking_id: str, door_key: str) -> None:
        """Ask for each deletion, and look at each code, whose time has come; record what Seam says of it."""
        item = removal_item(booking_id, door_key)
        seen = self._due.time_of(item)
        try:
            booking = self._look(self._ledger.get(booking_id), door_key)
            again_at = next_look_at(booking.door(door_key))
            if again_at is not None:
                # What couldn't be asked for is still due in the record.
                again_at = max(again_at, self._clock() + _SOONEST)
        except (UnknownBooking, KeyError):
            again_at = None
        # A time that was written meanwhile stays.
        self._due.finish(item, again_at, seen=seen)

    def _look(self, booking: Booking, door_key: str) -> Booking:
        now = self._clock()
        gone: set[str] = set()
        removals: dict[str, Removal] = {}
        same_pin: tuple[str, str] | None = None
        door = booking.door(door_key)
        for code in door.residual:
            at = look_at(code)
            if at is None or at > now:
                continue
            try:
                if code.removal is None:
                    same_pin = self._same_pin(door, code) or same_pin
                    removal = self._asked_for(code, door.device_id)
                else:
                    removal = self._removal_of(code, code.removal, door.device_id)
            except SeamError as error:
                _log_failure(code, error)
                if code.removal is None:
                    continue
                removal = after_failed_look(code.removal, now)
            if removal is None:
                gone.add(code.access_code_id)
            else:
                removals[code.access_code_id] = removal
        if not gone and not removals:
            return booking
        return self._ledger.record(
            booking,
            lambda it: transitions.record_removals(
                it, door_key, gone=frozenset(gone), removals=removals, same_pin=same_pin, now=now
            ),
        )

    def _asked_for(self, code: AccessCode, device_id: str) -> Removal | None:
        """Ask Seam to delete a replaced code, where its flags allow that; None where it is gone. Raises SeamError."""
        report = self._codes.get(code.access_code_id)
        revoked = self._revoke(code, report, device_id)
        if revoked.is_gone:
            return None
        return revoked.removal or deletion_not_possible(
            self._clock(), _NOT_ALLOWED if report is not None else _UNMANAGED
        )

    def _same_pin(self, door: BookedDoor, code: AccessCode) -> tuple[str, str] | None:
        """Return the replaced code and the one in its place, where both have one PIN. Raises SeamError."""
        if door.code is None:
            return None
        old, new = self._codes.pin(code.access_code_id), self._codes.pin(door.code.access_code_id)
        is_same = old is not None and new is not None and old.get_secret_value() == new.get_secret_value()
        return (code.access_code_id, door.code.access_code_id) if is_same else None

    def _removal_of(self, code: AccessCode, removal: Removal, device_id: str) -> Removal | None:
        """Return how it stands with the deletion of a code; None where Seam has the code no more. Raises SeamError."""
        now, name = self._clock(), code.access_code_id
        report = self._codes.get(name)
        if report is None and not self._codes.is_unmanaged(name, device_id):
            return None
        error_of_attempt = self._codes.attempt_error(removal.attempt_id) if removal.attempt_id else ""
        errors = report.errors if report is not None else ()
        return after_look(removal, errors=errors, attempt_error=error_of_attempt, now=now)


def _log_failure(code: AccessCode, error: SeamError) -> None:
    name, kind = code.access_code_id, type(error).__name__
    log.warning("seam.call_failed", access_code_id=name, kind=kind, error=str(error))
