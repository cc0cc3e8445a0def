"""Decides for one door of a booking what is to be done now, and does it or records when it will be."""

from collections.abc import Callable
from functools import partial

from shared.clock import Clock
from shared.domain.booking import transitions
from shared.domain.booking.ended_on_purpose import is_ended_on_purpose
from shared.domain.booking.planning import (
    Alter,
    Keep,
    LeaveOut,
    Make,
    Over,
    Plan,
    PlanningRules,
    Postpone,
    Refuse,
    Split,
    Wait,
)
from shared.domain.booking.problem_catalogue import PlainReason, Reason
from shared.domain.booking.record import Booking, Change
from shared.domain.booking.seen_door import SeenDoor
from shared.ledger.bookings import BookingLedger
from shared.seam.doors import Doors
from worker.handlers.change_code import ChangeCode
from worker.handlers.create_code import CreateCode

Transition = Callable[[Booking], Change]


class PlanDoor:
    """Plans one door. May run twice, on two workers, or be killed at any line."""

    def __init__(
        self,
        *,
        ledger: BookingLedger,
        doors: Doors,
        make: CreateCode,
        change: ChangeCode,
        rules: PlanningRules,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._doors = doors
        self._make = make
        self._change = change
        self._rules = rules
        self._clock = clock

    def plan(self, seen: SeenDoor) -> Booking:
        """Take the door as far as it goes now. Raises SeamError (nothing was made) and StaleRead."""
        booking, booked = seen.booking, seen.door
        # After a wait, a failure or a choice of a slot the door is read anew: the remembered one may be the reason.
        door = self._doors.read(booked.device_id, fresh=bool(booked.reason) or booked.choice is not None)
        plan = self._rules.plan(booking, booked, door, self._clock())
        if plan is None:
            return booking
        match plan.decision:
            case Make() as making:
                return self._make.make(
                    seen, door, making, learn=partial(_learned, key=seen.key, plan=plan), match=plan.match
                )
            case Alter(window):
                return self._change.alter(seen, window, learn=partial(_learned, key=seen.key, plan=plan))
            case Split(parts):
                return self._split(seen, parts)
            case decision:
                return self._learn(seen, plan, self._recording(seen, decision, plan))

    def _split(self, seen: SeenDoor, parts: int) -> Booking:
        revision, now = seen.booking.revision, self._clock()
        return self._ledger.transition(
            seen, lambda it: transitions.split_stay(it, seen.key, revision=revision, parts=parts, now=now)
        )

    def _learn(self, seen: SeenDoor, plan: Plan, transition: Transition) -> Booking:
        """Write what the door told together with `transition`. Raises StaleRead."""
        return self._ledger.transition(seen, lambda it: transition(_learned(it, key=seen.key, plan=plan)))

    def _recording(
        self,
        seen: SeenDoor,
        decision: LeaveOut | Wait | Refuse | Over | Postpone | Keep,
        plan: Plan,
    ) -> Transition:
        key, revision, now = seen.key, seen.booking.revision, self._clock()
        facts = {"match": plan.match}
        match decision:
            case LeaveOut():
                return lambda it: transitions.leave_out(it, key, revision=revision, now=now)
            case Wait(reason, advice, until, offers):
                return lambda it: transitions.wait(
                    it,
                    key,
                    revision=revision,
                    reason=reason,
                    detail=advice,
                    until=until,
                    facts=facts,
                    now=now,
                    offers=offers,
                )
            case Refuse(reason, advice, offers):
                return lambda it: transitions.fail(
                    it, key, revision=revision, reason=reason, detail=advice, facts=facts, now=now, offers=offers
                )
            case Over():
                reason = Reason.ALREADY_OVER if self._is_news(seen) else ""
                erase_at = self._ledger.erase_at(seen.booking)
                return lambda it: transitions.end_stay(it, key, reason=reason, erase_at=erase_at, now=now)
            case Postpone(until):
                return lambda it: transitions.schedule(
                    it, key, revision=revision, until=until, reason=PlainReason.LEAD_TIME, facts=facts, now=now
                )
            case Keep(window):
                return lambda it: transitions.keep_code(it, key, revision=revision, asked=window, now=now)

    def _is_news(self, seen: SeenDoor) -> bool:
        """Say whether people must hear that a stay is over.

        The earlier codes of a split stay may be over when it comes; the stay itself isn't. And who has ended a booking
        by past times on purpose knows it.
        """
        return not seen.door.part and not is_ended_on_purpose(self._ledger.history_of(seen.booking))


def _learned(booking: Booking, *, key: str, plan: Plan) -> Booking:
    """Return the booking with what the door told while it was planned."""
    return transitions.record_door_facts(
        booking,
        key,
        name=plan.door_name,
        check_in=plan.check_in,
        check_out=plan.check_out,
        time_zone=plan.time_zone,
    )
