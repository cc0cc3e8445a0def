"""Decides for one door of a booking what is to be done now, and does it or records when it will be."""

from collections.abc import Callable
from datetime import timedelta

from shared.clock import Clock
from shared.domain import lifecycle
from shared.domain.matching import MatchPolicy
from shared.domain.planning import Alter, Keep, Make, Over, Plan, Postpone, Refuse, Wait, plan_for
from shared.domain.records import BookedDoor, Booking, Change
from shared.ledger.bookings import BookingLedger
from worker.handlers.change_code import ChangeCode
from worker.handlers.make_code import MakeCode
from worker.seam.doors import Doors

Transition = Callable[[Booking], Change]


class PlanDoor:
    """Plans one door. May run twice, on two workers, or be killed at any line."""

    def __init__(
        self,
        *,
        ledger: BookingLedger,
        doors: Doors,
        make: MakeCode,
        change: ChangeCode,
        policy: MatchPolicy,
        lead_time: timedelta,
        waiting_retry_every: timedelta,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._doors = doors
        self._make = make
        self._change = change
        self._policy = policy
        self._lead_time = lead_time
        self._waiting_retry_every = waiting_retry_every
        self._clock = clock

    def plan(self, booking: Booking, booked: BookedDoor) -> Booking:
        """Take the door as far as it goes now. Raises SeamError (nothing was made) and lifecycle.Overtaken."""
        if booking.stay is None:
            return booking
        # Whoever has waited, or failed, wants to know how the door stands now, not how it stood.
        door = self._doors.read(booked.device_id, fresh=bool(booked.reason))
        plan = plan_for(
            booking.stay,
            booked,
            door,
            policy=self._policy,
            lead_time=booking.lead_time or self._lead_time,
            longest_wait=self._waiting_retry_every,
            now=self._clock(),
        )
        match plan.decision:
            case Make() as making:
                booking = self._learn(booking, booked, plan, Change)
                # The fence of the intent: the door as this very write left it, which stood as it was when it was read.
                fresh = booking.door(booked.device_id)
                return self._make.make(booking, fresh, door, making, match=plan.match)
            case Alter(window):
                return self._change.alter(booking, booked, window)
            case decision:
                return self._learn(booking, booked, plan, self._recording(booking, booked, decision, plan))

    def _learn(self, booking: Booking, booked: BookedDoor, plan: Plan, transition: Transition) -> Booking:
        """Write what the door told together with `transition`.

        Raises Overtaken if the door isn't as it was when the decision was taken on it.
        """

        def both(it: Booking) -> Change:
            if it.door(booked.device_id) != booked:
                raise lifecycle.Overtaken
            return transition(
                lifecycle.knows_door(
                    it,
                    booked.device_id,
                    name=plan.door_name,
                    check_in=plan.check_in,
                    check_out=plan.check_out,
                    time_zone=plan.time_zone,
                )
            )

        return self._ledger.update(booking, both)

    def _recording(
        self, booking: Booking, booked: BookedDoor, decision: Wait | Refuse | Over | Postpone | Keep, plan: Plan
    ) -> Transition:
        device_id, revision, now = booked.device_id, booking.revision, self._clock()
        facts = {"match": plan.match}
        match decision:
            case Wait(reason, advice, until):
                return lambda it: lifecycle.waits(
                    it, device_id, revision=revision, reason=reason, detail=advice, until=until, facts=facts, now=now
                )
            case Refuse(reason, advice):
                return lambda it: lifecycle.fails(
                    it, device_id, revision=revision, reason=reason, detail=advice, facts=facts, now=now
                )
            case Over():
                return lambda it: lifecycle.ends(it, device_id, reason="already_over", now=now)
            case Postpone(until):
                return lambda it: lifecycle.schedules(
                    it, device_id, revision=revision, until=until, reason="lead_time", facts=facts, now=now
                )
            case Keep(window):
                return lambda it: lifecycle.keeps(it, device_id, revision=revision, asked=window, now=now)
