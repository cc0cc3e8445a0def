"""Makes the code of one door, once: look at Seam, take quota, write the intent, call, record.

The order is the safety. Nothing is created before a look at Seam found no code of this booking; the intent is written
before the call, over exactly the record that was read before the look; after a call whose outcome is unknown the door
stays `creating`, and `look` is the only way on.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog

from shared import metrics
from shared.clock import Clock
from shared.domain.booking import transitions
from shared.domain.booking.door_state import Creating, state_of
from shared.domain.booking.planning import Make
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import AccessCode, BookedDoor, Booking, Intent, on_clock_of
from shared.domain.booking.retries import next_wait
from shared.domain.door.door import Door
from shared.ledger.bookings import BookingLedger, Transition
from shared.ledger.data_loss import LedgerEpoch
from shared.seam.access_codes import AccessCodes, CodeReport, name_of
from shared.seam.errors import NoSuchDevice, OutcomeUnknown, Refused, TryAgainLater
from worker.create_quota.quota import AskQuota
from worker.create_quota.rate_limit import Admitted, Full, Later
from worker.handlers.find_code import FindCode

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class CreateCode:
    """Creates codes and finds out about creates in doubt. Both may run twice, on two workers, or be killed anywhere."""

    def __init__(
        self,
        *,
        ledger: BookingLedger,
        codes: AccessCodes,
        find: FindCode,
        room: AskQuota,
        epoch: LedgerEpoch,
        waiting_retry_every: timedelta,
        settle: timedelta,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._ledger = ledger
        self._codes = codes
        self._find = find
        self._room = room
        self._generation = epoch
        self._waiting_retry_every = waiting_retry_every
        self._settle = settle
        self._clock = clock
        self._new_id = new_id

    def make(
        self,
        booking: Booking,
        booked: BookedDoor,
        door: Door,
        making: Make,
        *,
        learn: Callable[[Booking], Booking],
        match: Mapping[str, Any],
    ) -> Booking:
        """Create the code, or adopt the one that is there. Raises SeamError and StaleRead.

        `booked` must be the door as the ledger had it before this call: it is the fence for the intent. `learn` adds
        what the door told; it is written with the first change.
        """
        settled_at = self._generation.settled_at()
        counted_at = self._clock()
        on_door = self._codes.on_door(door.device_id)
        existing = self._find.for_window(making.window, booking, booked, on_door)
        strays = self._find.strays(booking, booked, on_door, existing)

        def with_strays(it: Booking) -> Booking:
            return transitions.add_residual_codes(learn(it), booked.key, strays)

        if existing is not None:
            adopt = self._issuing(booking, booked, existing, making, revision=booking.revision, adopted=True)
            return self._ledger.transition(booking, booked, lambda it: adopt(with_strays(it)))
        now = self._clock()
        if settled_at is not None and now < settled_at:
            return self._later(booking, booked, settled_at, "ledger_lost", match, learn=with_strays)
        learned = with_strays(booking).door(booked.key)
        match self._room.ask(booking, learned, door, on_door, counted_at=counted_at, now=now):
            case Later(at):
                return self._later(booking, booked, at, "door_budget", match, learn=with_strays)
            case Full():
                return self._full(booking, booked, learned.check_in, door, match, learn=with_strays)
            case Admitted():
                intent = self._intent(making, now)
                booking = self._write_intent(booking, booked, learned, intent, match, learn=with_strays)
                if not self._generation.is_settled():
                    # The primary has changed since the look: this intent may stand beside one that was lost.
                    self._clear_intent(booking, booked, intent)
                    raise transitions.StaleRead
                return self._create(booking, booked, intent, making)

    def look(self, booking: Booking, booked: BookedDoor) -> Booking:
        """Find out what became of an open intent. Raises SeamError; the intent then stays open."""
        state = state_of(booked)
        if not isinstance(state, Creating):
            return booking
        intent = state.intent
        on_door = self._codes.on_door(booked.device_id)
        made = self._find.made_by(intent, booking, booked, on_door)
        if made is not None:
            adopt = self._issuing(booking, booked, made, intent, revision=booked.planned_revision, adopted=True)
            return self._ledger.record(booking, adopt, in_hand=booked)
        settled_at = intent.at + self._settle
        if self._clock() < settled_at:
            # The call may still be under way at Seam: not found yet is not "never made".
            return self._look_again(booking, booked, settled_at)
        return self._clear_intent(booking, booked, intent)

    def _intent(self, making: Make, now: datetime) -> Intent:
        return Intent(intent_id=self._new_id(), at=now, window=making.window, user_level_id=making.user_level_id)

    def _write_intent(
        self,
        booking: Booking,
        booked: BookedDoor,
        learned: BookedDoor,
        intent: Intent,
        match: Mapping[str, Any],
        *,
        learn: Callable[[Booking], Booking],
    ) -> Booking:
        return self._ledger.transition(
            booking,
            booked,
            lambda it: transitions.record_intent(
                learn(it),
                learned,
                intent,
                revision=booking.revision,
                facts={"match": match},
                now=intent.at,
                due_at=intent.at + self._settle,
            ),
        )

    def _create(self, booking: Booking, booked: BookedDoor, intent: Intent, making: Make) -> Booking:
        """Send the create, and record what came of it. Raises SeamError and StaleRead."""
        began = time.monotonic()
        try:
            report = self._codes.create(
                device_id=booked.device_id,
                name=name_of(booking.booking_id, booking.label),
                window=intent.window,
                max_time_rounding=making.max_time_rounding,
            )
        except TryAgainLater:
            metrics.CREATES.add("try_again")
            self._clear_intent(booking, booked, intent)
            raise
        except Refused as refusal:
            metrics.CREATES.add("refused")
            return self._refused(booking, booked, intent, refusal)
        except OutcomeUnknown as unknown:
            metrics.CREATES.add("in_doubt")
            log.warning(
                "create.in_doubt", booking_id=booking.booking_id, device_id=booked.device_id, error=str(unknown)
            )
            raise
        issue = self._issuing(booking, booked, report, intent, revision=booking.revision, adopted=False)
        # The code exists, even if the booking was changed or cancelled meanwhile.
        after = self._ledger.record(booking, issue, in_hand=booked)
        metrics.CREATE_SECONDS.observe(time.monotonic() - began)
        return after

    def _refused(self, booking: Booking, booked: BookedDoor, intent: Intent, refusal: Refused) -> Booking:
        """Record that Seam made nothing, and give the door up. Raises StaleRead if something else is wanted by now."""
        after = self._clear_intent(booking, booked, intent)
        door = after.door(booked.key)
        if after.revision != booking.revision or door.choice != booked.choice:
            raise transitions.StaleRead from refusal
        return self._ledger.transition(
            after,
            door,
            lambda it: transitions.fail(
                it,
                booked.key,
                revision=booking.revision,
                reason=Reason.DEVICE_NOT_FOUND if isinstance(refusal, NoSuchDevice) else Reason.REFUSED_BY_SEAM,
                detail=f"Seam says: {refusal}.",
                facts={"error_type": refusal.error_type, "request_id": refusal.request_id},
                now=self._clock(),
            ),
        )

    def _clear_intent(self, booking: Booking, booked: BookedDoor, intent: Intent) -> Booking:
        return self._ledger.record(
            booking,
            lambda it: transitions.clear_intent(it, booked.key, intent_id=intent.intent_id, now=self._clock()),
            in_hand=booked,
        )

    def _look_again(self, booking: Booking, booked: BookedDoor, at: datetime) -> Booking:
        return self._ledger.transition(
            booking,
            booked,
            lambda it: transitions.record_failed_attempt(
                it,
                booked.key,
                reason=Reason.IN_DOUBT,
                detail="Not found yet.",
                until=at,
                tell=False,
                now=self._clock(),
            ),
        )

    def _issuing(
        self,
        booking: Booking,
        booked: BookedDoor,
        report: CodeReport,
        asked: Make | Intent,
        *,
        revision: int | None,
        adopted: bool,
    ) -> Transition:
        """Return the transition that records the code of a report as the door's, for what was `asked`."""
        now = self._clock()
        code = AccessCode(
            access_code_id=report.access_code_id,
            # Where Seam names no times, a look at the code tells so.
            window=on_clock_of(asked.window, report.window or asked.window),
            known_since=now,
            user_level_id=report.user_level_id,
        )
        metrics.CREATES.add("adopted" if adopted else "issued")
        log.info(
            "code.adopted" if adopted else "code.issued",
            booking_id=booking.booking_id,
            device_id=booked.device_id,
            access_code_id=code.access_code_id,
        )
        return lambda it: transitions.record_code(
            it,
            booked.key,
            code,
            # The code is recorded in any case. If another slot was chosen since, the door is planned again.
            revision=revision if it.door(booked.key).choice == booked.choice else None,
            asked=asked.window,
            user_level_id=asked.user_level_id or None,
            request_id=report.request_id,
            adopted=adopted,
            now=now,
        )

    def _later(
        self,
        booking: Booking,
        booked: BookedDoor,
        until: datetime,
        reason: str,
        match: Mapping[str, Any],
        *,
        learn: Callable[[Booking], Booking],
    ) -> Booking:
        return self._ledger.transition(
            booking,
            booked,
            lambda it: transitions.schedule(
                learn(it),
                booked.key,
                revision=booking.revision,
                until=until,
                reason=reason,
                facts={"match": match},
                now=self._clock(),
            ),
        )

    def _full(
        self,
        booking: Booking,
        booked: BookedDoor,
        check_in: datetime | None,
        door: Door,
        match: Mapping[str, Any],
        *,
        learn: Callable[[Booking], Booking],
    ) -> Booking:
        """Let the door wait for room. `booked` is the fence: the door as the ledger has it, not as it was learned."""
        now = self._clock()
        until = next_wait(now=now, check_in=check_in, longest=self._waiting_retry_every)
        return self._ledger.transition(
            booking,
            booked,
            lambda it: transitions.wait(
                learn(it),
                booked.key,
                revision=booking.revision,
                reason=Reason.DOOR_FULL,
                detail=f"It takes {door.max_active_codes_supported} codes.",
                until=until,
                facts={"match": match},
                now=now,
            ),
        )
