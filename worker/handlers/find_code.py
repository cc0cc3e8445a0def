"""Finds a booking's code at Seam: the look before every create, and the only way out of a doubt.

Where one source may lag, two are asked: the list of the door's codes, and the events of the time in question. A code
that the ledger knows as another booking's is never taken, even if the names are alike.
"""

from datetime import datetime, timedelta
from typing import Final

from shared.clock import Clock
from shared.domain.booking.record import AccessCode, BookedDoor, Booking, Intent, Window
from shared.domain.code.removal import may_not_be_adopted
from shared.ledger.booking_indexes import codes_of
from shared.ledger.bookings import BookingLedger
from shared.ledger.data_loss import REBUILT_FOR, YOUNG_FOR, LedgerEpoch
from shared.seam.access_codes import AccessCodes, CodeReport, CodesOnDoor

# Seam rounds by up to an hour: a code whose window is this near to the one of an open intent is taken for its code.
_NEAR: Final = timedelta(minutes=60)


class FindCode:
    """Looks for codes; changes nothing."""

    def __init__(self, *, ledger: BookingLedger, codes: AccessCodes, epoch: LedgerEpoch, clock: Clock) -> None:
        self._ledger = ledger
        self._codes = codes
        self._epoch = epoch
        self._clock = clock

    def for_window(
        self, window: Window, booking: Booking, booked: BookedDoor, on_door: CodesOnDoor
    ) -> CodeReport | None:
        """Look everywhere for a code of the booking that is the one for this window. Raises SeamError.

        A code that the ledger knows must have exactly the window: else it belongs to an earlier revision. A code that
        the ledger doesn't know is from before the ledger was lost. Its window may have been moved since, or the door's
        slots, so one that is as near as Seam rounds is taken: a second code would be worse than odd times.
        """
        ours = self._of_booking(booking, booked, on_door)
        found = adoptable(ours, booked, window, tolerance=timedelta())
        for code in booked.residual:
            # A known code that the list lacks isn't gone: the list may lag behind.
            if found is None and code.window == window and not may_not_be_adopted(code):
                found = self._codes.get(code.access_code_id)
        if found is None:
            found = adoptable(unknown_to(booking, ours), booked, window, tolerance=_NEAR)
        if found is None and not booked.part:
            found = _without_times(unknown_to(booking, ours))
        if found is None and self._epoch.is_young(REBUILT_FOR):
            unmanaged = self._codes.unmanaged_on_door(booked.device_id).of_booking(booking.booking_id)
            unmanaged = unknown_to(booking, self._not_of_others(booking, unmanaged))
            found = adoptable(unmanaged, booked, window, tolerance=_NEAR)
        if found is None and self._epoch.is_young():
            since = self._clock() - YOUNG_FOR
            found = self._by_events(booking, booked, window, on_door, since=since, tolerance=_NEAR)
        return found

    def strays(
        self, booking: Booking, booked: BookedDoor, on_door: CodesOnDoor, found: CodeReport | None
    ) -> tuple[AccessCode, ...]:
        """Return codes of the booking that open the door, and that the ledger doesn't know: it lost them.

        None for one of several consecutive codes: the others have the same name.
        """
        if booked.part:
            return ()
        now = self._clock()
        ours = unknown_to(booking, self._not_of_others(booking, on_door.of_booking(booking.booking_id)))
        return tuple(
            AccessCode(
                access_code_id=report.access_code_id,
                window=report.window,
                known_since=now,
                user_level_id=report.user_level_id,
            )
            for report in ours
            if report.window is not None
            and report.window.ends_at > now
            and (found is None or report.access_code_id != found.access_code_id)
        )

    def made_by(self, intent: Intent, booking: Booking, booked: BookedDoor, on_door: CodesOnDoor) -> CodeReport | None:
        """Look for the code that an open intent's call made; Seam may have rounded its window. Raises SeamError."""
        ours = self._of_booking(booking, booked, on_door)
        made = adoptable(ours, booked, intent.window, tolerance=_NEAR) or _without_times(unknown_to(booking, ours))
        if made is None:
            made = self._by_events(booking, booked, intent.window, on_door, since=intent.at, tolerance=_NEAR)
        return made

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
        """Ask the events of the same time: the list of codes may lag behind."""
        created = self._codes.created_since(booked.device_id, since - timedelta(minutes=1), listed=on_door)
        ours = [report for report in created if report.is_of(booking.booking_id)]
        ours = _without_replaced(self._not_of_others(booking, ours), booked)
        near = adoptable(ours, booked, window, tolerance=tolerance)
        return near or (None if booked.part else _without_times(unknown_to(booking, ours)))

    def _of_booking(self, booking: Booking, booked: BookedDoor, on_door: CodesOnDoor) -> list[CodeReport]:
        """Return the listed codes of the booking that it may take: none that goes, or was replaced."""
        return _without_replaced(self._not_of_others(booking, on_door.of_booking(booking.booking_id)), booked)

    def _not_of_others(self, booking: Booking, reports: list[CodeReport]) -> list[CodeReport]:
        """Return the codes that the ledger doesn't know as another booking's.

        Also one that somebody removed from the lock: as long as Seam has it, Seam may set it again.
        """
        owners = self._ledger.owner_of([report.access_code_id for report in reports])
        return [
            report
            for report, owner in zip(reports, owners, strict=True)
            if owner is None or owner.booking_id == booking.booking_id
        ]


def _without_replaced(reports: list[CodeReport], booked: BookedDoor) -> list[CodeReport]:
    """Return the codes that may be taken: not those that Seam is deleting, nor those that a person had replaced."""
    going = {code.access_code_id for code in booked.residual if may_not_be_adopted(code)}
    return [report for report in reports if report.access_code_id not in going]


def unknown_to(booking: Booking, reports: list[CodeReport]) -> list[CodeReport]:
    """Return the codes that no door of the booking has, or had before."""
    known = {code.access_code_id for door in booking.doors for code in codes_of(door)}
    return [report for report in reports if report.access_code_id not in known]


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
        if report.window is not None
        and (distance := _distance(report.window, window))
        <= (timedelta() if report.access_code_id in residual else tolerance)
    ]
    return min(near, default=(None, None, None), key=lambda each: each[:2])[2]


def _without_times(reports: list[CodeReport]) -> CodeReport | None:
    """Return a code for which Seam names no times.

    Of a booking's codes that nobody knows, it is taken for the one in doubt: a second key to the door would be worse. A
    look at the code then tells that its times aren't known.
    """
    return min((each for each in reports if each.window is None), default=None, key=lambda each: each.access_code_id)


def _distance(one: Window, other: Window) -> timedelta:
    return max(abs(one.starts_at - other.starts_at), abs(one.ends_at - other.ends_at))
