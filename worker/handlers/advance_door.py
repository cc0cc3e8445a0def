"""Takes one door of a booking as far as it goes now: the one place where steps, failures and due times meet."""

import random
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from shared.clock import Clock
from shared.domain import lifecycle
from shared.domain.next_step import Step, next_step
from shared.domain.records import BookedDoor, Booking
from shared.domain.retries import next_try
from shared.ledger.bookings import BookingLedger, UnknownBooking
from worker.handlers.check_code import CheckCode
from worker.handlers.plan_code import PlanCode
from worker.handlers.tell import Tell
from worker.seam.errors import (
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    SeamError,
    TryAgainLater,
    Unauthorized,
)

# A door goes through plan, create, read back and end in one go at most; more is a loop, and the due-set takes over.
_MOST_STEPS: Final = 8

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class AdvanceDoor:
    """The task behind `doors.advance`. May be called at any time, any number of times, for any door."""

    def __init__(self, *, ledger: BookingLedger, plan: PlanCode, check: CheckCode, tell: Tell, clock: Clock) -> None:
        self._ledger = ledger
        self._tell = tell
        self._clock = clock
        self._steps: Mapping[Step, Callable[[Booking, BookedDoor], Booking]] = {
            Step.LOOK: plan.look,
            Step.PLAN: plan.plan,
            Step.CHECK: check.check,
            Step.WITHDRAW: self._withdraw,
            Step.END: self._end,
        }

    def __call__(self, booking_id: str, device_id: str, *, prompted: bool = False) -> None:
        """Take every step that is due. `prompted`: an event says that the code is worth a look now."""
        try:
            booking = self._ledger.get(booking_id)
            for _ in range(_MOST_STEPS):
                booking = self._tell(booking)
                door = booking.door(device_id)
                step = next_step(booking, door, self._clock(), prompted=prompted)
                if step is Step.NOTHING:
                    break
                booking = self._take(step, booking, door)
                # A code that was just made or found is read back at once.
                prompted = step in (Step.PLAN, Step.LOOK)
        except (UnknownBooking, KeyError):
            log.info("door.forgotten", booking_id=booking_id, device_id=device_id)
        self._ledger.set_due_time(booking_id, device_id)

    def _take(self, step: Step, booking: Booking, door: BookedDoor) -> Booking:
        try:
            return self._steps[step](booking, door)
        except lifecycle.Overtaken:
            return self._ledger.get(booking.booking_id)
        except SeamError as error:
            log.warning(
                "seam.call_failed",
                booking_id=booking.booking_id,
                device_id=door.device_id,
                step=step.name.lower(),
                kind=type(error).__name__,
                error=str(error),
            )
            return self._stumble(self._ledger.get(booking.booking_id), door.device_id, error)

    def _stumble(self, booking: Booking, device_id: str, error: SeamError) -> Booking:
        door, now = booking.door(device_id), self._clock()
        if isinstance(error, Refused) and door.intent is None and door.code is None:
            reason = "device_not_found" if isinstance(error, NotFound) else "refused_by_seam"
            try:
                return self._ledger.update(
                    booking.booking_id,
                    lambda it: lifecycle.fails(
                        it,
                        device_id,
                        revision=booking.revision,
                        reason=reason,
                        detail=f"Seam says: {error}.",
                        facts={},
                        now=now,
                    ),
                )
            except lifecycle.Overtaken:
                return self._ledger.get(booking.booking_id)
        retry_after = error.retry_after if isinstance(error, TryAgainLater) else None
        retry = next_try(
            attempt=door.attempts + 1,
            now=now,
            check_in=door.check_in,
            jitter=random.random(),  # noqa: S311 - spreads retries, guards nothing
            retry_after=retry_after,
        )
        return self._ledger.update(
            booking.booking_id,
            lambda it: lifecycle.stumbles(
                it,
                device_id,
                reason=_reason(error),
                detail=str(error),
                until=retry.at,
                tell=retry.tell or isinstance(error, Unauthorized),
                now=now,
            ),
        )

    def _withdraw(self, booking: Booking, door: BookedDoor) -> Booking:
        now = self._clock()
        return self._ledger.update(booking.booking_id, lambda it: lifecycle.withdraws(it, door.device_id, now=now))

    def _end(self, booking: Booking, door: BookedDoor) -> Booking:
        now = self._clock()
        return self._ledger.update(booking.booking_id, lambda it: lifecycle.ends(it, door.device_id, now=now))


def _reason(error: SeamError) -> str:
    match error:
        case OutcomeUnknown():
            return "in_doubt"
        case RateLimited():
            return "rate_limited"
        case Unauthorized():
            return "seam_unauthorized"
        case _:
            return "seam_unavailable"
