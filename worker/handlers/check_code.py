"""What has become of an access code: read it at Seam and record what that means for the guest."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog

from shared.clock import Clock
from shared.domain.alerting.door_problems import issue_behind_unknown_status
from shared.domain.booking import transitions
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import AccessCode, BookedDoor, Booking, Change, State
from shared.domain.booking.seen_door import SeenDoor
from shared.domain.code.condition import Confirmed, Faulty, Pending, condition_of
from shared.domain.code.differences import differences_of, pin_replaced_at, window_in_effect
from shared.domain.code.lateness import late_at
from shared.domain.code.polling import next_look, next_look_when_confirmed
from shared.domain.door.issues import Issue, inherited_code
from shared.ledger.bookings import BookingLedger
from shared.ledger.door_issues import DoorIssues
from shared.seam.access_codes import AccessCodes, CodeReport

# Seam SDK 3.18, `AccessCode.status`.
_UNKNOWN: Final = "unknown"

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class CheckCode:
    """Reads one door's code at Seam, and moves the door by what Seam says now. Earlier events don't count."""

    def __init__(
        self,
        *,
        ledger: BookingLedger,
        codes: AccessCodes,
        read_door: Callable[[str, str], None],
        issues: DoorIssues,
        late_set_after: timedelta,
        clock: Clock,
    ) -> None:
        """Call `read_door` with a door's id and an issue of it, or of its account, that a code repeats.

        The issue is empty where nothing is known of the door that would explain the code's state.
        """
        self._ledger = ledger
        self._codes = codes
        self._read_door = read_door
        self._issues = issues
        self._late_set_after = late_set_after
        self._clock = clock

    def check(self, seen: SeenDoor) -> Booking:
        """Look once, and record it. Raises SeamError, having recorded nothing."""
        door, now = seen.door, self._clock()
        code = door.code
        if code is None or _is_over(door, code, now):
            return self._ledger.transition(seen, lambda it: transitions.stop_polling(it, door.key, now=now))
        report = self._codes.get(code.access_code_id)
        failure = self._failure_of_update(code) if report is not None else ""
        if failure:
            booking = self._ledger.transition(
                seen, lambda it: transitions.record_failed_update(it, seen.key, failure, now=now)
            )
            seen = SeenDoor(booking, seen.key)
            door = seen.door
        known = self._issue_behind_unknown_status(report, door.device_id)
        inherited = _inherited(report, known) if report is not None else ""
        if inherited or (report is not None and report.status == _UNKNOWN and known is None):
            # Before the problem is written down: the door's alert may then inhibit the booking's.
            self._read_door(door.device_id, inherited)
        unmanaged = report is None and self._codes.is_unmanaged(code.access_code_id, door.device_id)
        gone = self._gone(door, now)

        def transition(it: Booking) -> Change:
            it = transitions.remove_residual_codes(it, door.key, gone)
            if unmanaged:
                return transitions.record_unconfirmed_code(
                    it,
                    door.key,
                    reason=Reason.CODE_UNMANAGED,
                    detail=f"It is access code {code.access_code_id}.",
                    failed=True,
                    due_at=self._next_look(door, code, now),
                    now=now,
                )
            if report is None:
                return transitions.drop_code(it, door.key, now=now)
            replaced_at = pin_replaced_at(report.warnings)
            pin = Change(it)
            if replaced_at is not None:
                pin = transitions.record_pin_change(it, code.access_code_id, at=replaced_at, now=now)
            change = self._transition(pin.booking, door, code, report, now, known=known)
            return replace(change, history=(*pin.history, *change.history))

        return self._ledger.transition(seen, transition)

    def _failure_of_update(self, code: AccessCode) -> str:
        """Return Seam's words where its action attempt of the code's last change has failed, and nobody knew so far."""
        if not code.update_attempt_id or code.update_failure:
            return ""
        failure = self._codes.attempt_error(code.update_attempt_id)
        if failure:
            log.warning("code.change_failed", access_code_id=code.access_code_id, error=failure)
        return failure

    def _issue_behind_unknown_status(self, report: CodeReport | None, device_id: str) -> Issue | None:
        """Return what is known of the door, or of its account, that may be why Seam doesn't know the code's state."""
        if report is None or report.status != _UNKNOWN:
            return None
        return issue_behind_unknown_status(self._issues.of_doors([device_id]).get(device_id))

    def _gone(self, door: BookedDoor, now: datetime) -> frozenset[str]:
        """Return which codes of earlier revisions open the door no more: a person may have deleted one."""
        alive = [code.access_code_id for code in door.residual if code.window.ends_at > now]
        missing = (each for each in alive if self._codes.get(each) is None)
        return frozenset(each for each in missing if not self._codes.is_unmanaged(each, door.device_id))

    def _transition(
        self,
        booking: Booking,
        door: BookedDoor,
        code: AccessCode,
        report: CodeReport,
        now: datetime,
        *,
        known: Issue | None,
    ) -> Change:
        made = window_in_effect(report.window, report.warnings)
        if made is not None:
            booking = transitions.record_window(booking, door.key, made)
        differences = differences_of(
            door,
            made=made,
            user_level_id=report.user_level_id,
            pending=report.pending,
            errors=report.errors,
        )
        unconfirmed = partial(
            transitions.record_unconfirmed_code, booking, door.key, due_at=self._next_look(door, code, now), now=now
        )
        inherited = _inherited(report, known)
        match condition_of(
            status=report.status,
            has_pin=report.has_pin,
            is_waiting_for_pin=report.is_waiting_for_pin,
            pending=report.pending,
            errors=report.errors,
            warnings=report.warnings,
            differences=tuple(differences),
            known_cause=_in_a_sentence(known),
        ):
            case Confirmed(reason, detail):
                due_at = next_look_when_confirmed(code, check_out=door.check_out, now=now)
                return transitions.confirm_code(
                    booking, door.key, reason=reason, detail=detail, due_at=due_at, now=now, inherited=inherited
                )
            case Faulty(reason, detail, is_final):
                return unconfirmed(reason=reason, detail=detail, failed=is_final, inherited=inherited)
            case Pending(_, detail, cause) if now >= late_at(code, self._late_set_after):
                return unconfirmed(reason=Reason.LATE_SET, detail=f"{cause} {detail}".strip(), failed=False)
            case Pending(reason, detail):
                return unconfirmed(reason=reason, detail=detail, failed=False, inherited=inherited)

    def _next_look(self, door: BookedDoor, code: AccessCode, now: datetime) -> datetime:
        late_from = late_at(code, self._late_set_after)
        return next_look(code, attempts=door.attempts, late_from=late_from, now=now)


def _inherited(report: CodeReport, cause: Issue | None) -> str:
    return inherited_code(report.errors, report.warnings, report.pending, cause=cause.code if cause else "")


def _in_a_sentence(cause: Issue | None) -> str:
    if cause is None:
        return ""
    whose = "its connected account" if cause.is_of_account else "its door"
    return f"What is known of {whose}: {cause.text}"


def _is_over(door: BookedDoor, code: AccessCode, now: datetime) -> bool:
    """Say whether nothing more can come of the code.

    The window of a code that isn't confirmed may be the old one, which Seam still tries to change into the one that was
    asked for last.
    """
    asked_until = door.asked.ends_at if door.asked and door.state is not State.READY else code.window.ends_at
    return now >= max(code.window.ends_at, asked_until)
