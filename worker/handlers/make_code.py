"""Makes the code of one door, once: look at Seam, take room, write the intent, call, record.

The order is the safety. Nothing is created before a look at Seam found no code of this booking; the intent is written
before the call, over exactly the record that was read before the look; after a call whose outcome is unknown the door
stays `creating`, and `look` is the only way on.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from shared.clock import Clock
from shared.domain import lifecycle
from shared.domain.doors import Door
from shared.domain.planning import Make
from shared.domain.records import AccessCode, BookedDoor, Booking, Change, Intent, Window, on_clock_of
from shared.domain.retries import next_wait
from shared.ledger.bookings import BookingLedger
from shared.ledger.generation import YOUNG_FOR, Generation
from worker.admission import Admission, Admitted, Full, Later
from worker.capacity import CapacityWatch
from worker.seam.access_codes import AccessCodes, CodeReport, CodesOnDoor, name_of
from worker.seam.errors import OutcomeUnknown, Refused, TryAgainLater

# Seam rounds by up to an hour; a code of ours in doubt that lies this near to what was asked is the one we asked for.
_NEAR: Final = timedelta(minutes=60)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class MakeCode:
    """Creates codes and finds out about creates in doubt. Both may run twice, on two workers, or be killed anywhere."""

    def __init__(
        self,
        *,
        ledger: BookingLedger,
        codes: AccessCodes,
        admission: Admission,
        capacity: CapacityWatch,
        generation: Generation,
        waiting_retry_every: timedelta,
        settle: timedelta,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._ledger = ledger
        self._codes = codes
        self._admission = admission
        self._capacity = capacity
        self._generation = generation
        self._waiting_retry_every = waiting_retry_every
        self._settle = settle
        self._clock = clock
        self._new_id = new_id

    def make(
        self, booking: Booking, booked: BookedDoor, door: Door, making: Make, *, match: Mapping[str, Any]
    ) -> Booking:
        """Create the code, or adopt the one that is there. Raises SeamError, lifecycle.Overtaken.

        `booked` must be the door as the ledger had it before this call: it is the fence for the intent.
        """
        settled_at = self._generation.settled_at()
        on_door = self._codes.on_door(door.device_id)
        existing = self._existing(booking, booked, making.window, on_door)
        if existing is not None:
            return self._record(booking, booked, existing, asked=making.window, revision=booking.revision, adopted=True)
        now = self._clock()
        if settled_at is not None and now < settled_at:
            return self._later(booking, booked, settled_at, "ledger_lost", match)
        room = self._capacity.room(door, alive=on_door.alive_at(now), now=now)
        admission = self._admission.ask(
            door.device_id, f"{booking.booking_id}#{booked.part}", check_in=booked.check_in or now, room=room, now=now
        )
        match admission:
            case Later(at):
                return self._later(booking, booked, at, "door_budget", match)
            case Full():
                return self._full(booking, booked, door, match)
            case Admitted():
                pass
        intent = Intent(intent_id=self._new_id(), at=now, window=making.window, user_level_id=making.user_level_id)
        booking = self._ledger.update(
            booking,
            lambda it: lifecycle.intends(
                it,
                booked,
                intent,
                revision=booking.revision,
                facts={"match": match},
                now=now,
                due_at=now + self._settle,
            ),
        )
        return self._create(booking, booked, intent, making)

    def look(self, booking: Booking, booked: BookedDoor) -> Booking:
        """Find out what became of an open intent. Raises SeamError; the intent then stays open."""
        intent = booked.intent
        if intent is None:
            return booking
        on_door = self._codes.on_door(booked.device_id)
        reports = self._not_of_others(booking, on_door.of_booking(booking.booking_id))
        made = adoptable(reports, booked, intent.window, tolerance=_NEAR)
        if made is None:
            made = self._by_events(booking, booked, intent.window, on_door, since=intent.at, tolerance=_NEAR)
        if made is not None:
            return self._record(
                booking, booked, made, asked=intent.window, revision=booked.planned_revision, adopted=True
            )
        now = self._clock()
        if now < intent.at + self._settle:
            # The call may still be under way at Seam: not found yet is not "never made".
            again = intent.at + self._settle
            return self._ledger.update(
                booking,
                lambda it: lifecycle.stumbles(
                    it,
                    booked.key,
                    reason="in_doubt",
                    detail="Not found yet.",
                    until=again,
                    tell=False,
                    now=now,
                ),
            )
        return self._ledger.update(
            booking,
            lambda it: lifecycle.nothing_made(it, booked.key, intent_id=intent.intent_id, now=now),
        )

    def _existing(
        self, booking: Booking, booked: BookedDoor, window: Window, on_door: CodesOnDoor
    ) -> CodeReport | None:
        """Look everywhere for a code of the booking that has exactly this window."""
        ours = self._not_of_others(booking, on_door.of_booking(booking.booking_id))
        found = adoptable(ours, booked, window, tolerance=timedelta())
        for code in booked.residual:
            # A code that we know and the list lacks isn't gone: the list may lag behind.
            if found is None and code.window == window:
                found = self._codes.get(code.access_code_id)
        if found is None and self._generation.is_young():
            since = self._clock() - YOUNG_FOR
            found = self._by_events(booking, booked, window, on_door, since=since, tolerance=timedelta())
        return found

    def _by_events(
        self,
        booking: Booking,
        booked: BookedDoor,
        window: Window,
        on_door: CodesOnDoor,
        *,
        since: datetime,
        tolerance: timedelta,
    ) -> CodeReport | None:
        """Ask the other witness: a list may lag behind, the events of the same time may not."""
        created = self._codes.created_since(booked.device_id, since - timedelta(minutes=1), listed=on_door)
        ours = [report for report in created if report.is_of(booking.booking_id)]
        return adoptable(self._not_of_others(booking, ours), booked, window, tolerance=tolerance)

    def _not_of_others(self, booking: Booking, reports: list[CodeReport]) -> list[CodeReport]:
        """Return those that the ledger doesn't know as another booking's, however alike the names are."""
        owners = self._ledger.owner_of([report.access_code_id for report in reports])
        return [
            report
            for report, owner in zip(reports, owners, strict=True)
            if owner is None or owner.booking_id == booking.booking_id
        ]

    def _create(self, booking: Booking, booked: BookedDoor, intent: Intent, making: Make) -> Booking:
        def undone(it: Booking) -> Change:
            return lifecycle.nothing_made(it, booked.key, intent_id=intent.intent_id, now=self._clock())

        try:
            report = self._codes.create(
                device_id=booked.device_id,
                name=name_of(booking.booking_id, booking.label),
                window=intent.window,
                max_time_rounding=making.max_time_rounding,
            )
        except TryAgainLater:
            self._ledger.update(booking, undone)
            raise
        except Refused as refusal:
            self._ledger.update(booking, undone)
            detail, facts = f"Seam says: {refusal}.", {"error_type": refusal.error_type}
            return self._ledger.update(
                booking,
                lambda it: lifecycle.fails(
                    it,
                    booked.key,
                    revision=booking.revision,
                    reason="refused_by_seam",
                    detail=detail,
                    facts=facts,
                    now=self._clock(),
                ),
            )
        except OutcomeUnknown as unknown:
            log.warning(
                "create.in_doubt", booking_id=booking.booking_id, device_id=booked.device_id, error=str(unknown)
            )
            raise
        return self._record(booking, booked, report, asked=intent.window, revision=booking.revision, adopted=False)

    def _record(
        self,
        booking: Booking,
        booked: BookedDoor,
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
            device_id=booked.device_id,
            access_code_id=code.access_code_id,
        )
        return self._ledger.update(
            booking,
            lambda it: lifecycle.issues(it, booked.key, code, revision=revision, asked=asked, adopted=adopted, now=now),
        )

    def _later(
        self, booking: Booking, booked: BookedDoor, until: datetime, reason: str, match: Mapping[str, Any]
    ) -> Booking:
        return self._ledger.update(
            booking,
            lambda it: lifecycle.schedules(
                it,
                booked.key,
                revision=booking.revision,
                until=until,
                reason=reason,
                facts={"match": match},
                now=self._clock(),
            ),
        )

    def _full(self, booking: Booking, booked: BookedDoor, door: Door, match: Mapping[str, Any]) -> Booking:
        now = self._clock()
        until = next_wait(now=now, check_in=booked.check_in, longest=self._waiting_retry_every)
        return self._ledger.update(
            booking,
            lambda it: lifecycle.waits(
                it,
                booked.key,
                revision=booking.revision,
                reason="door_full",
                detail=f"It takes {door.max_active_codes_supported} codes.",
                until=until,
                facts={"match": match},
                now=now,
            ),
        )


def adoptable(
    reports: list[CodeReport], booked: BookedDoor, window: Window, *, tolerance: timedelta
) -> CodeReport | None:
    """Return the code that is the one for `window`: the nearest within `tolerance`.

    A known earlier code only counts if its window is exactly the wanted one: a stay cancelled and booked again.
    """
    residual = {code.access_code_id for code in booked.residual}
    near = [
        (distance, report.access_code_id, report)
        for report in reports
        if (distance := _distance(report.window, window))
        <= (timedelta() if report.access_code_id in residual else tolerance)
    ]
    return min(near, default=(None, None, None), key=lambda each: each[:2])[2]


def _distance(one: Window, other: Window) -> timedelta:
    return max(abs(one.starts_at - other.starts_at), abs(one.ends_at - other.ends_at))
