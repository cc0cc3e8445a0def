"""Takes one door of a booking as far as it goes now: the one place where steps, failures and due times meet."""

import random
from collections.abc import Callable, Mapping
from typing import Final

import structlog
from redis.exceptions import RedisError

from shared import tracing
from shared.clock import Clock
from shared.domain.booking import transitions
from shared.domain.booking.known_doors import KnownDoor, is_known, recalled
from shared.domain.booking.next_step import Step, next_step
from shared.domain.booking.record import BookedDoor, Booking, Change
from shared.domain.booking.retries import GiveUp, Retry, decide, next_try
from shared.domain.booking.seen_door import SeenDoor
from shared.domain.booking.stay_times import arrival_of
from shared.domain.versions import NewerVersionNeeded
from shared.ledger.bookings import BookingLedger, UnknownBooking
from shared.seam.errors import SeamError, TryAgainLater
from worker.handlers.change_code import ChangeCode
from worker.handlers.check_code import CheckCode
from worker.handlers.plan_door import PlanDoor
from worker.handlers.resolve_create_in_doubt import ResolveCreateInDoubt
from worker.handlers.seam_error_kinds import describe, failure_of

# A door takes at most plan, create, read back and end in one go. More steps would be a loop: the due-set takes over.
_MOST_STEPS: Final = 8

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class AdvanceDoor:
    """The task behind `doors.advance`. May be called at any time, any number of times, for any door."""

    def __init__(
        self,
        *,
        ledger: BookingLedger,
        plan: PlanDoor,
        resolve: ResolveCreateInDoubt,
        change: ChangeCode,
        check: CheckCode,
        recall: Callable[[str], KnownDoor],
        clock: Clock,
    ) -> None:
        """Use `recall` for what is known of a door that can't be read."""
        self._ledger = ledger
        self._recall = recall
        self._clock = clock
        self._steps: Mapping[Step, Callable[[SeenDoor], Booking]] = {
            Step.RESOLVE_CREATE: resolve.look,
            Step.PLAN: plan.plan,
            Step.CHECK: check.check,
            Step.REVOKE_CODE: change.revoke,
            Step.END: self._end,
            Step.ERASE: self._erase,
        }

    def __call__(self, booking_id: str, key: str, *, prompted: bool = False, seen: Booking | None = None) -> None:
        """Take every step that is due for the door of this key.

        `prompted`: an event says that the code is worth a look now. `seen`: the booking as it was just written, which
        saves reading it; the first write finds out if it has changed since.
        """
        booking = seen
        has_failed = False
        try:
            # What a worker that died had still to publish is published now.
            booking = self._ledger.publish(booking or self._ledger.get(booking_id))
            trace = tracing.booking_trace(booking_id, booking.revision)
            with tracing.span("advance door", links=[trace], attributes={"booking_id": booking_id, "door": key}):
                for _ in range(_MOST_STEPS):
                    door = booking.door(key)
                    step = next_step(booking, door, self._clock(), prompted=prompted)
                    # A try to close the door that failed is repeated when it is due. No other step is its own next one.
                    if step is Step.NOTHING or has_failed:
                        break
                    with tracing.span(step.name.lower()):
                        taken = self._take(step, SeenDoor(booking, key))
                    if taken is None:
                        # Another process was quicker, perhaps with an older answer of Seam: what prompted this look is
                        # still to be looked at.
                        booking = self._ledger.get(booking_id)
                        continue
                    booking = taken
                    has_failed = step is Step.REVOKE_CODE and booking.door(key).attempts > door.attempts
                    # A code that was just made or found is read back at once.
                    prompted = step in (Step.PLAN, Step.RESOLVE_CREATE)
        except (UnknownBooking, KeyError):
            log.info("door.gone", booking_id=booking_id, door=key)
        self._ledger.release(booking_id, key, seen=booking)

    def _take(self, step: Step, seen: SeenDoor) -> Booking | None:
        """Take a step, and record what follows where it fails. None where the door has changed since it was seen."""
        booking = seen.booking
        try:
            return self._steps[step](seen)
        except transitions.StaleRead:
            return None
        except (RedisError, OSError, UnknownBooking, NewerVersionNeeded):
            # The data server is away or was emptied: the due-set, or the booking's next message, brings it back. Or it
            # is for a process of a newer version.
            raise
        except Exception as error:
            names = {"booking_id": booking.booking_id, "device_id": seen.door.device_id, "step": step.name.lower()}
            if isinstance(error, SeamError):
                log.warning("seam.call_failed", **names, kind=type(error).__name__, error=str(error))
            else:
                log.exception("step.crashed", **names)
            return self._after_failure(booking, seen.key, error)

    def _after_failure(self, tried: Booking, key: str, error: Exception) -> Booking:
        """Record what follows for the door. `tried` is the booking that the step was for: a newer one starts anew."""
        booking = self._ledger.get(tried.booking_id)
        failed = booking.door(key)
        if booking.revision != tried.revision or failed.choice != tried.door(key).choice:
            return booking
        known = self._known(failed)
        door, now = recalled(failed, known), self._clock()
        check_in = arrival_of(booking.stay, door)
        failure, reason = failure_of(error)
        decision = decide(
            failure,
            attempt=door.attempts + 1,
            now=now,
            check_in=check_in,
            jitter=random.random(),  # noqa: S311 - spreads retries, guards nothing
            retry_after=error.retry_after if isinstance(error, TryAgainLater) else None,
        )
        # A create in doubt, and a code that exists, are never given up: somebody may stand at that door with it.
        if isinstance(decision, GiveUp) and (door.intent is not None or door.code is not None):
            again = next_try(attempt=door.attempts + 1, now=now, check_in=check_in, jitter=0.0)
            decision = Retry(again.at, tell=True)
        detail = describe(error)

        def transition(it: Booking) -> Change:
            it = transitions.recall_door_facts(it, key, known)
            if isinstance(decision, Retry):
                until, tell = decision.at, decision.tell
                return transitions.record_failed_attempt(
                    it, key, reason=reason, detail=detail, until=until, tell=tell, now=now
                )
            return transitions.fail(it, key, revision=tried.revision, reason=reason, detail=detail, facts={}, now=now)

        try:
            return self._ledger.transition(SeenDoor(booking, key), transition)
        except transitions.StaleRead:
            return self._ledger.get(booking.booking_id)

    def _known(self, door: BookedDoor) -> KnownDoor:
        """Return what others know of a door that its booking has never read itself."""
        return KnownDoor() if is_known(door) else self._recall(door.device_id)

    def _end(self, seen: SeenDoor) -> Booking:
        now, erase_at = self._clock(), self._ledger.erase_at(seen.booking)
        return self._ledger.transition(seen, lambda it: transitions.end_stay(it, seen.key, erase_at=erase_at, now=now))

    def _erase(self, seen: SeenDoor) -> Booking:
        return self._ledger.erase_personal_data(seen.booking, seen.key)
