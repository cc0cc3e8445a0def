"""Makes the code of one door, once: look at Seam, take quota, write the intent, call, record.

The order is the safety. Nothing is created before a look at Seam found no code of this booking. The intent is written
before the call, over exactly the record that was read before the look. After a call whose outcome is unknown the door
stays `creating`, and `worker.handlers.resolve_create_in_doubt` is the only way on.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog

from shared import metrics
from shared.clock import Clock
from shared.domain.booking import transitions
from shared.domain.booking.planning import Make
from shared.domain.booking.problem_catalogue import PlainReason, Reason
from shared.domain.booking.record import BookedDoor, Booking, Intent
from shared.domain.booking.retries import next_wait
from shared.domain.booking.seen_door import SeenDoor
from shared.domain.door.door import Door
from shared.ledger.bookings import BookingLedger
from shared.ledger.data_loss import LedgerEpoch
from shared.seam.access_codes import AccessCodes, name_of
from shared.seam.errors import NoSuchDevice, OutcomeUnknown, Refused, TryAgainLater
from worker.create_quota.quota import CreateQuota
from worker.create_quota.rate_limit import Admitted, Full, Later
from worker.handlers.create_results import CreateResults
from worker.handlers.find_code import FindCode

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class CreateCode:
    """Creates codes. May run twice, on two workers, or be killed anywhere."""

    def __init__(
        self,
        *,
        ledger: BookingLedger,
        codes: AccessCodes,
        find: FindCode,
        results: CreateResults,
        quota: CreateQuota,
        epoch: LedgerEpoch,
        waiting_retry_every: timedelta,
        settle: timedelta,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        """`settle` is how long after its intent a create may still be under way at Seam."""
        self._ledger = ledger
        self._codes = codes
        self._find = find
        self._results = results
        self._quota = quota
        self._epoch = epoch
        self._waiting_retry_every = waiting_retry_every
        self._settle = settle
        self._clock = clock
        self._new_id = new_id

    def make(
        self,
        seen: SeenDoor,
        door: Door,
        making: Make,
        *,
        learn: Callable[[Booking], Booking],
        match: Mapping[str, Any],
    ) -> Booking:
        """Create the code, or adopt the one that is there. Raises SeamError and StaleRead.

        `learn` adds what the door told; it is written with the first change.
        """
        booking = seen.booking
        settled_at = self._epoch.settled_at()
        counted_at = self._clock()
        on_door = self._codes.on_door(door.device_id)
        existing = self._find.for_window(making.window, booking, seen.door, on_door)
        strays = self._find.strays(booking, seen.door, on_door, existing)

        def with_strays(it: Booking) -> Booking:
            return transitions.add_residual_codes(learn(it), seen.key, strays)

        if existing is not None:
            adopt = self._results.issuing(seen, existing, making, revision=booking.revision, adopted=True)
            return self._ledger.transition(seen, lambda it: adopt(with_strays(it)))
        now = self._clock()
        if settled_at is not None and now < settled_at:
            return self._later(seen, settled_at, PlainReason.LEDGER_LOST, match, learn=with_strays)
        learned = with_strays(booking).door(seen.key)
        match self._quota.ask(booking, learned, door, on_door, counted_at=counted_at, now=now):
            case Later(at):
                return self._later(seen, at, PlainReason.DOOR_BUDGET, match, learn=with_strays)
            case Full():
                return self._full(seen, learned.check_in, door, match, learn=with_strays)
            case Admitted():
                intent = self._intent(making, now)
                written = self._write_intent(seen, learned, intent, match, learn=with_strays)
                if not (self._epoch.is_settled() and _is_still_wanted(written, seen)):
                    # The primary has changed since the look: this intent may stand beside one that was lost. Or
                    # somebody has changed the booking while its notices were published.
                    self._results.clear_intent(written, seen.key, intent)
                    raise transitions.StaleRead
                return self._create(seen, written, intent, making)

    def _intent(self, making: Make, now: datetime) -> Intent:
        return Intent(intent_id=self._new_id(), at=now, window=making.window, user_level_id=making.user_level_id)

    def _write_intent(
        self,
        seen: SeenDoor,
        learned: BookedDoor,
        intent: Intent,
        match: Mapping[str, Any],
        *,
        learn: Callable[[Booking], Booking],
    ) -> Booking:
        """Write the intent over the door as it was seen. Raises StaleRead."""
        return self._ledger.transition(
            seen,
            lambda it: transitions.record_intent(
                learn(it),
                learned,
                intent,
                revision=seen.booking.revision,
                facts={"match": match},
                now=intent.at,
                due_at=intent.at + self._settle,
            ),
        )

    def _create(self, seen: SeenDoor, written: Booking, intent: Intent, making: Make) -> Booking:
        """Send the create, and record what came of it. Raises SeamError and StaleRead.

        The code is for the door as it was `seen`; `written` is the booking with the intent.
        """
        booking, device_id = seen.booking, seen.door.device_id
        began = time.monotonic()
        try:
            report = self._codes.create(
                device_id=device_id,
                name=name_of(booking.booking_id, booking.label),
                window=intent.window,
                max_time_rounding=making.max_time_rounding,
            )
        except TryAgainLater:
            metrics.CREATES.add("try_again")
            self._results.clear_intent(written, seen.key, intent)
            raise
        except Refused as refusal:
            metrics.CREATES.add("refused")
            return self._refused(seen, written, intent, refusal)
        except OutcomeUnknown as unknown:
            metrics.CREATES.add("in_doubt")
            log.warning("create.in_doubt", booking_id=booking.booking_id, device_id=device_id, error=str(unknown))
            raise
        issue = self._results.issuing(seen, report, intent, revision=booking.revision, adopted=False)
        # The code exists, even if the booking was changed or cancelled meanwhile.
        after = self._ledger.record(written, issue, in_hand=seen.key)
        metrics.CREATE_SECONDS.observe(time.monotonic() - began)
        return after

    def _refused(self, seen: SeenDoor, written: Booking, intent: Intent, refusal: Refused) -> Booking:
        """Record that Seam made nothing, and give the door up. Raises StaleRead if something else is wanted by now."""
        cleared = SeenDoor(self._results.clear_intent(written, seen.key, intent), seen.key)
        revision = seen.booking.revision
        if cleared.booking.revision != revision or cleared.door.choice != seen.door.choice:
            raise transitions.StaleRead from refusal
        return self._ledger.transition(
            cleared,
            lambda it: transitions.fail(
                it,
                seen.key,
                revision=revision,
                reason=Reason.DEVICE_NOT_FOUND if isinstance(refusal, NoSuchDevice) else Reason.REFUSED_BY_SEAM,
                detail=f"Seam says: {refusal}.",
                facts={"error_type": refusal.error_type, "request_id": refusal.request_id},
                now=self._clock(),
            ),
        )

    def _later(
        self,
        seen: SeenDoor,
        until: datetime,
        reason: str,
        match: Mapping[str, Any],
        *,
        learn: Callable[[Booking], Booking],
    ) -> Booking:
        return self._ledger.transition(
            seen,
            lambda it: transitions.schedule(
                learn(it),
                seen.key,
                revision=seen.booking.revision,
                until=until,
                reason=reason,
                facts={"match": match},
                now=self._clock(),
            ),
        )

    def _full(
        self,
        seen: SeenDoor,
        check_in: datetime | None,
        door: Door,
        match: Mapping[str, Any],
        *,
        learn: Callable[[Booking], Booking],
    ) -> Booking:
        """Let the door wait until the lock has room for another code."""
        now = self._clock()
        until = next_wait(now=now, check_in=check_in, longest=self._waiting_retry_every)
        return self._ledger.transition(
            seen,
            lambda it: transitions.wait(
                learn(it),
                seen.key,
                revision=seen.booking.revision,
                reason=Reason.DOOR_FULL,
                detail=f"It takes {door.max_active_codes_supported} codes.",
                until=until,
                facts={"match": match},
                now=now,
            ),
        )


def _is_still_wanted(written: Booking, seen: SeenDoor) -> bool:
    """Say whether the booking, written since, still asks for the code that was planned for the door as it was seen."""
    before, door = seen.booking, written.door(seen.key)
    is_same = (written.revision, written.cancelled) == (before.revision, before.cancelled)
    return is_same and door.wanted and door.choice == seen.door.choice
