"""Changes or takes back a code that exists, where its own flags allow it; else it stays as residual access.

Changing a window may be repeated without harm, as deleting may (`worker.handlers.revoke_code`), so an answer that never
came is simply tried again: the next try reads first how the code stands. What Seam refuses is not asked again: the
refusal goes into the booking's story, and the code counts as residual access.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from shared.clock import Clock
from shared.domain.booking import transitions
from shared.domain.booking.record import AccessCode, Booking, State, Window
from shared.domain.booking.seen_door import SeenDoor
from shared.domain.code.changes import may_become
from shared.ledger.booking_indexes import codes_of
from shared.ledger.bookings import BookingLedger
from shared.seam.access_codes import AccessCodes, CodeReport
from shared.seam.errors import OutcomeUnknown, Refused, Unreachable
from worker.handlers.revoke_code import KEPT, RevokeCode, Revoked

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Changed:
    """The code has the wanted window, or Seam has accepted to give it that; the call with this id told so.

    `attempt_id` names Seam's action attempt where there is one.
    """

    request_id: str | None
    attempt_id: str = ""


class ChangeCode:
    """Alters codes to another window, and withdraws those of cancelled bookings."""

    def __init__(self, *, ledger: BookingLedger, codes: AccessCodes, revoke: RevokeCode, clock: Clock) -> None:
        self._ledger = ledger
        self._revoke = revoke
        self._codes = codes
        self._clock = clock

    def alter(
        self,
        seen: SeenDoor,
        window: Window | None,
        *,
        learn: Callable[[Booking], Booking],
    ) -> Booking:
        """Make the door's code one for `window`, or set it aside (None: nothing fits). Raises SeamError.

        `learn` adds what the door told while it was planned.
        """
        code, revision = seen.door.code, seen.booking.revision
        if code is None:
            return seen.booking
        report = self._codes.get(code.access_code_id)
        now = self._clock()
        changed = self._becomes(report, window) if report is not None and window is not None else None
        if changed is not None and window is not None:
            altered = replace(
                code, window=window, known_since=now, update_attempt_id=changed.attempt_id, update_failure=""
            )
            return self._ledger.transition(
                seen,
                lambda it: transitions.record_changed_window(
                    learn(it),
                    seen.key,
                    altered,
                    revision=revision,
                    asked=window,
                    request_id=changed.request_id,
                    now=now,
                ),
            )
        revoked = self._set_aside(code, report, seen.door.device_id)
        return self._ledger.transition(
            seen,
            lambda it: transitions.supersede_code(
                it,
                seen.key,
                revision=revision,
                is_gone=revoked.is_gone,
                removal=revoked.removal,
                now=now,
            ),
        )

    def revoke(self, seen: SeenDoor) -> Booking:
        """Close a door of a cancelled booking: delete what may be deleted, report the rest. Raises SeamError.

        Of a door that is closed already, this only finds out which codes are gone: Seam was asked to delete the others,
        or they can't be deleted, and each further try could bring another event, which would bring the next try.
        """
        now, booked = self._clock(), seen.door
        is_closed = booked.state is State.CANCELLED
        revoked = {
            code.access_code_id: self._revoke(
                code, self._codes.get(code.access_code_id), booked.device_id, only_look=is_closed
            )
            for code in codes_of(booked)
            if code.window.ends_at > now
        }
        gone = frozenset(name for name, each in revoked.items() if each.is_gone)
        removals = {name: each.removal for name, each in revoked.items() if each.removal is not None}
        return self._ledger.transition(
            seen,
            lambda it: transitions.close_door(
                it, seen.key, gone=gone, removals=removals, erase_at=self._ledger.erase_at(it), now=now
            ),
        )

    def _becomes(self, report: CodeReport, window: Window) -> _Changed | None:
        """Change the code at Seam if it may be changed; None where it may not, or Seam refuses all the same."""
        if report.window == window:
            return _Changed(report.request_id)
        if report.window is None or not may_become(report.window, window, report.flags):
            return None
        try:
            accepted_change = self._codes.change_window(report.access_code_id, window)
        except OutcomeUnknown as unknown:
            raise Unreachable(str(unknown)) from unknown
        except Refused as refusal:
            log.warning("code.change_refused", access_code_id=report.access_code_id, error=str(refusal))
            return None
        return _Changed(accepted_change.request_id, accepted_change.action_attempt_id)

    def _set_aside(self, code: AccessCode, report: CodeReport | None, device_id: str) -> Revoked:
        """Delete a code that another one replaces, unless it opens the door right now: a guest may be living there."""
        now = self._clock()
        is_in_use = code.window.starts_at <= now < code.window.ends_at
        return KEPT if report is not None and is_in_use else self._revoke(code, report, device_id)
