"""What has become of an access code: read it at Seam and record what that means for the guest."""

from datetime import datetime, timedelta
from typing import Final

from shared.clock import Clock
from shared.domain import lifecycle
from shared.domain.code_condition import Confirmed, InTrouble, StillToCome, condition_of
from shared.domain.records import AccessCode, BookedDoor, Booking, Change, Window, on_clock_of
from shared.ledger.bookings import BookingLedger
from worker.seam.access_codes import AccessCodes, CodeReport

# Seam programs a code about 60 minutes before its start (Seam docs, "Access codes": just-in-time programming).
PROGRAMMED_BEFORE: Final = timedelta(minutes=60)
# Webhooks bring the news; these looks are the net under them, so they may thin out until the code should be set.
_FIRST_LOOK_AFTER: Final = timedelta(seconds=15)
_LONGEST_PAUSE: Final = timedelta(hours=6)
_PAUSE_WHEN_LATE: Final = timedelta(minutes=2)


class CheckCode:
    """Reads one door's code at Seam and moves the door by what Seam says now, whatever events said before."""

    def __init__(self, *, ledger: BookingLedger, codes: AccessCodes, late_set_after: timedelta, clock: Clock) -> None:
        self._ledger = ledger
        self._codes = codes
        self._late_set_after = late_set_after
        self._clock = clock

    def check(self, booking: Booking, door: BookedDoor) -> Booking:
        """Look once, and record it. Raises SeamError, having recorded nothing."""
        code, now = door.code, self._clock()
        if code is None or now >= code.window.ends_at:
            return self._ledger.update(booking, lambda it: lifecycle.rests(it, door.key, now=now))
        report = self._codes.get(code.access_code_id)

        def transition(it: Booking) -> Change:
            # Whoever changed the code of this door meanwhile knows more than this look does.
            if it.door(door.key).code != code:
                raise lifecycle.Overtaken
            return self._transition(it, door, code, report, now)

        return self._ledger.update(booking, transition)

    def _transition(
        self,
        booking: Booking,
        door: BookedDoor,
        code: AccessCode,
        report: CodeReport | None,
        now: datetime,
    ) -> Change:
        if report is None:
            return lifecycle.loses_code(booking, door.key, now=now)
        condition = condition_of(
            status=report.status,
            has_pin=report.has_pin,
            pending=report.pending,
            errors=report.errors,
        )
        match condition:
            case Confirmed():
                odd = _difference(door, report)
                reason = "window_differs" if odd else ""
                return lifecycle.confirms(booking, door.key, reason=reason, detail=odd, now=now)
            case InTrouble(error_code, message, is_final):
                return lifecycle.unconfirmed(
                    booking,
                    door.key,
                    reason="code_problem",
                    detail=f"Seam says: {error_code}: {message}".strip(": "),
                    failed=is_final,
                    due_at=self._next_look(door, code, now),
                    now=now,
                )
            case StillToCome():
                return self._still_to_come(booking, door, code, report, now)

    def _still_to_come(
        self,
        booking: Booking,
        door: BookedDoor,
        code: AccessCode,
        report: CodeReport,
        now: datetime,
    ) -> Change:
        late_at = max(code.window.starts_at - PROGRAMMED_BEFORE, code.known_since) + self._late_set_after
        # A window that is being changed differs because it is being changed.
        odd = "" if "updating_time_frame" in report.pending else _difference(door, report)
        reason = "late_set" if now >= late_at else "window_differs" if odd else ""
        pending = ", ".join(report.pending)
        detail = (f"Pending at Seam: {pending}." if pending else "") if reason == "late_set" else odd
        due_at = min(self._next_look(door, code, now), late_at) if now < late_at else self._next_look(door, code, now)
        return lifecycle.unconfirmed(
            booking,
            door.key,
            reason=reason,
            detail=detail,
            failed=False,
            due_at=due_at,
            now=now,
        )

    def _next_look(self, door: BookedDoor, code: AccessCode, now: datetime) -> datetime:
        expected_at = code.window.starts_at - PROGRAMMED_BEFORE
        backed_off = now + min(_LONGEST_PAUSE, _FIRST_LOOK_AFTER * int(4 ** min(door.attempts, 8)))
        if now < expected_at:
            return min(backed_off, expected_at + _PAUSE_WHEN_LATE)
        return min(backed_off, now + _PAUSE_WHEN_LATE)


def _difference(door: BookedDoor, report: CodeReport) -> str:
    """Say in words how the code's window differs from what was asked; nothing where it doesn't."""
    asked, made = door.asked, report.window
    if asked is None or asked == made:
        return ""
    return f"Asked for {_span(asked)}, got {_span(on_clock_of(asked, made))}."


def _span(window: Window) -> str:
    return f"{window.starts_at:%Y-%m-%d %H:%M} to {window.ends_at:%Y-%m-%d %H:%M}"
