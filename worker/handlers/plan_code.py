"""From a booked door to an access code: read the door, match, look at Seam, write the intent, create, record.

The order is the safety. Nothing is created before a look at Seam found no code of this booking; the intent is written
before the call, over exactly the record that was read before the look; after a call whose outcome is unknown the door
stays `creating`, and this module's other entry, `look`, is the only way on.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, TypedDict

import structlog

from shared.clock import Clock
from shared.domain import lifecycle
from shared.domain.matching import Match, MatchPolicy, Outcome, match
from shared.domain.records import AccessCode, BookedDoor, Booking, Change, Intent, Window, on_clock_of
from shared.domain.retries import next_wait
from shared.domain.stay_times import instants_of
from shared.domain.suggestions import suggest
from shared.ledger.bookings import BookingLedger
from worker.budget import CreateBudget
from worker.seam.access_codes import AccessCodes, CodeReport, name_of
from worker.seam.doors import Doors
from worker.seam.errors import OutcomeUnknown, Refused, TryAgainLater

# Seam rounds by up to an hour; a code of ours in doubt that lies this near to what was asked is the one we asked for.
_NEAR: Final = timedelta(minutes=60)
_MOST_ADVICE: Final = 3
# What can't get better by waiting, only by a person.
_FINAL: Final = (Outcome.TOO_LONG, Outcome.INVALID_BOOKING)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class _Fence(TypedDict):
    revision: int
    now: datetime


class PlanCode:
    """Plans and makes the code of one door. Both entries may run twice, on two workers, or be killed at any line."""

    def __init__(
        self,
        *,
        ledger: BookingLedger,
        doors: Doors,
        codes: AccessCodes,
        budget: CreateBudget,
        policy: MatchPolicy,
        lead_time: timedelta,
        waiting_retry_every: timedelta,
        settle: timedelta,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._ledger = ledger
        self._doors = doors
        self._codes = codes
        self._budget = budget
        self._policy = policy
        self._lead_time = lead_time
        self._waiting_retry_every = waiting_retry_every
        self._settle = settle
        self._clock = clock
        self._new_id = new_id

    def plan(self, booking: Booking, door: BookedDoor) -> Booking:
        """Take the door as far as it goes now. Raises SeamError (nothing was made) and lifecycle.Overtaken."""
        if booking.stay is None:
            return booking
        is_waiting = bool(door.reason)
        seam_door = self._doors.read(door.device_id, fresh=is_waiting)
        found = match(booking.stay, seam_door, self._policy)
        zone = found.time_zone or seam_door.time_zone
        check_in, check_out = instants_of(booking.stay, zone)

        def knowing(transition: Callable[[Booking], Change]) -> Callable[[Booking], Change]:
            return lambda now_it: transition(
                lifecycle.knows_door(
                    now_it,
                    door.device_id,
                    name=seam_door.name,
                    check_in=check_in,
                    check_out=check_out,
                    time_zone=zone,
                )
            )

        window = _window(found)
        if door.code is not None and door.code.window != window:
            return self._update(booking, lambda it: lifecycle.retires(it, door.device_id, **self._fence(booking)))
        if window is None:
            advice = " ".join(
                each.text for each in suggest(booking.stay, seam_door, self._policy, found)[:_MOST_ADVICE]
            )
            return self._update(booking, knowing(self._no_match(booking, door, found, advice, check_in)))
        if door.code is not None:
            return self._update(
                booking,
                knowing(lambda it: lifecycle.keeps(it, door.device_id, asked=window, **self._fence(booking))),
            )
        opens_at = check_in - (booking.lead_time or self._lead_time)
        if self._clock() < opens_at:
            later = self._later(booking, door, opens_at, "lead_time", found)
            return self._update(booking, knowing(later))
        booking = self._update(booking, knowing(Change))
        return self._make(booking, booking.door(door.device_id), found, window)

    def look(self, booking: Booking, door: BookedDoor) -> Booking:
        """Find out what became of an open intent. Raises SeamError; the intent then stays open."""
        intent = door.intent
        if intent is None:
            return booking
        reports = self._codes.of_booking(device_id=door.device_id, booking_id=booking.booking_id)
        made = _adoptable(reports, door, intent.window, tolerance=_NEAR)
        if made is not None:
            return self._record(booking, door, made, asked=intent.window, revision=door.planned_revision, adopted=True)
        now = self._clock()
        if now < intent.at + self._settle:
            # The call may still be under way at Seam: not found yet is not "never made".
            again = intent.at + self._settle
            return self._update(
                booking,
                lambda it: lifecycle.stumbles(
                    it,
                    door.device_id,
                    reason="in_doubt",
                    detail="Not found yet.",
                    until=again,
                    tell=False,
                    now=now,
                ),
            )
        return self._update(
            booking,
            lambda it: lifecycle.nothing_made(it, door.device_id, intent_id=intent.intent_id, now=now),
        )

    def _make(self, booking: Booking, door: BookedDoor, found: Match, window: Window) -> Booking:
        reports = self._codes.of_booking(device_id=door.device_id, booking_id=booking.booking_id)
        existing = _adoptable(reports, door, window, tolerance=timedelta())
        if existing is not None:
            return self._record(booking, door, existing, asked=window, revision=booking.revision, adopted=True)
        now = self._clock()
        intent = Intent(
            intent_id=self._new_id(),
            at=now,
            window=window,
            user_level_id=found.slot.user_level_id if found.slot else "",
        )
        room_at = self._budget.take(door.device_id, intent.intent_id, now)
        if room_at is not None:
            return self._update(booking, self._later(booking, door, room_at, "door_budget", found))
        booking = self._update(
            booking,
            lambda it: lifecycle.intends(
                it,
                door,
                intent,
                revision=booking.revision,
                facts={"match": dict(found.as_json())},
                now=now,
                due_at=now + self._settle,
            ),
        )
        return self._create(booking, door, intent, found)

    def _create(self, booking: Booking, door: BookedDoor, intent: Intent, found: Match) -> Booking:
        def undone(it: Booking) -> Change:
            return lifecycle.nothing_made(it, door.device_id, intent_id=intent.intent_id, now=self._clock())

        try:
            report = self._codes.create(
                device_id=door.device_id,
                name=name_of(booking.booking_id, booking.label),
                window=intent.window,
                max_time_rounding=found.max_time_rounding or "1hour",
            )
        except TryAgainLater:
            self._update(booking, undone)
            raise
        except Refused as refusal:
            self._update(booking, undone)
            detail, facts = f"Seam says: {refusal}.", {"error_type": refusal.error_type}
            return self._update(
                booking,
                lambda it: lifecycle.fails(
                    it,
                    door.device_id,
                    reason="refused_by_seam",
                    detail=detail,
                    facts=facts,
                    **self._fence(booking),
                ),
            )
        except OutcomeUnknown as unknown:
            log.warning(
                "create.in_doubt",
                booking_id=booking.booking_id,
                device_id=door.device_id,
                error=str(unknown),
            )
            raise
        return self._record(booking, door, report, asked=intent.window, revision=booking.revision, adopted=False)

    def _record(
        self,
        booking: Booking,
        door: BookedDoor,
        report: CodeReport,
        *,
        asked: Window,
        revision: int | None,
        adopted: bool,
    ) -> Booking:
        now = self._clock()
        code = AccessCode(
            access_code_id=report.access_code_id,
            window=on_clock_of(asked, report.window),
            known_since=now,
            user_level_id=report.user_level_id,
        )
        log.info(
            "code.adopted" if adopted else "code.issued",
            booking_id=booking.booking_id,
            device_id=door.device_id,
        )
        return self._update(
            booking,
            lambda it: lifecycle.issues(
                it,
                door.device_id,
                code,
                revision=revision,
                asked=asked,
                adopted=adopted,
                now=now,
            ),
        )

    def _no_match(
        self, booking: Booking, door: BookedDoor, found: Match, detail: str, check_in: datetime
    ) -> Callable[[Booking], Change]:
        now = self._clock()
        reason, facts = str(found.outcome), {"match": dict(found.as_json())}
        if found.outcome in _FINAL:
            return lambda it: lifecycle.fails(
                it,
                door.device_id,
                reason=reason,
                detail=detail,
                facts=facts,
                **self._fence(booking),
            )
        until = next_wait(now=now, check_in=check_in, longest=self._waiting_retry_every)
        return lambda it: lifecycle.waits(
            it,
            door.device_id,
            reason=reason,
            detail=detail,
            until=until,
            facts=facts,
            **self._fence(booking),
        )

    def _later(
        self, booking: Booking, door: BookedDoor, until: datetime, reason: str, found: Match
    ) -> Callable[[Booking], Change]:
        return lambda it: lifecycle.schedules(
            it,
            door.device_id,
            until=until,
            reason=reason,
            facts={"match": dict(found.as_json())},
            **self._fence(booking),
        )

    def _fence(self, booking: Booking) -> _Fence:
        return {"revision": booking.revision, "now": self._clock()}

    def _update(self, booking: Booking, transition: Callable[[Booking], Change]) -> Booking:
        return self._ledger.update(booking.booking_id, transition)


def _window(found: Match) -> Window | None:
    return Window(found.starts_at, found.ends_at) if found.starts_at is not None and found.ends_at is not None else None


def _adoptable(
    reports: list[CodeReport], door: BookedDoor, window: Window, *, tolerance: timedelta
) -> CodeReport | None:
    """Return the code that is the one for `window`: the nearest within `tolerance`, and no known earlier one."""
    residual = {code.access_code_id for code in door.residual}
    near = [
        (distance, report.access_code_id, report)
        for report in reports
        if report.access_code_id not in residual and (distance := _distance(report.window, window)) <= tolerance
    ]
    return min(near, default=(None, None, None), key=lambda each: each[:2])[2]


def _distance(one: Window, other: Window) -> timedelta:
    return max(abs(one.starts_at - other.starts_at), abs(one.ends_at - other.ends_at))
