"""The ledger against Seam, door by door and code by code: what one has and the other hasn't.

Nothing is created here, and nothing deleted. Whatever differs is given to the worker, which looks before it does
anything: a code of a booking that the ledger lacks is adopted, one that Seam lacks is reported.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from shared.clock import Clock
from shared.domain import lifecycle
from shared.domain.records import AccessCode, BookedDoor, Booking
from shared.ledger.bookings import BookingLedger, codes_of
from shared.ledger.due import DueSet, door_item
from worker.seam.access_codes import AccessCodes, CodeReport


class Kind(StrEnum):
    """How the ledger and Seam differ about a code."""

    GONE = "gone"
    """The ledger has it, Seam hasn't."""
    OTHER_WINDOW = "other window"
    """Both have it, for different times."""
    NOT_RECORDED = "not recorded"
    """Seam has it, named for a booking of the ledger that doesn't know it."""
    NO_BOOKING = "no booking"
    """Seam has it, and it belongs to no booking of the ledger: made by hand, or its booking was never replayed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One code about which the two disagree."""

    kind: Kind
    device_id: str
    access_code_id: str
    booking_id: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences, and how many codes agree."""

    differences: tuple[Difference, ...]
    agreeing: int


class CompareLedger:
    """Compares, and makes the doors concerned due."""

    def __init__(self, *, ledger: BookingLedger, due: DueSet, codes: AccessCodes, clock: Clock) -> None:
        self._ledger = ledger
        self._due = due
        self._codes = codes
        self._clock = clock

    def __call__(self) -> Comparison:
        """Go through every door of the ledger. Raises SeamError; what was found until then is under way already."""
        of_door: dict[str, list[tuple[Booking, BookedDoor]]] = defaultdict(list)
        for booking in self._ledger.all():
            for door in booking.doors:
                of_door[door.device_id].append((booking, door))
        found: list[Difference] = []
        agreeing = 0
        for device_id, booked in of_door.items():
            reports = {report.access_code_id: report for report in self._codes.on_door(device_id).reports}
            differences = list(self._on_door(device_id, booked, reports))
            agreeing += len(reports) - sum(each.access_code_id in reports for each in differences)
            found += differences
        return Comparison(tuple(found), agreeing)

    def _on_door(
        self, device_id: str, booked: list[tuple[Booking, BookedDoor]], reports: dict[str, CodeReport]
    ) -> Iterator[Difference]:
        now = self._clock()
        known: set[str] = set()
        for booking, door in booked:
            for code in codes_of(door):
                known.add(code.access_code_id)
                difference = _compared(booking, door, code, reports.get(code.access_code_id))
                if difference is not None and code.window.ends_at > now:
                    self._due.set([(door_item(booking.booking_id, door.key), now)])
                    yield difference
        for report in reports.values():
            if report.access_code_id in known or report.window.ends_at <= now:
                continue
            owners = [(booking, door) for booking, door in booked if report.is_of(booking.booking_id)]
            for booking, door in owners:
                if door.state in lifecycle.PLANNED_AGAIN:
                    self._ledger.update(booking, partial(lifecycle.wakes, key=door.key, now=now))
                    self._due.set([(door_item(booking.booking_id, door.key), now)])
            yield Difference(
                kind=Kind.NOT_RECORDED if owners else Kind.NO_BOOKING,
                device_id=device_id,
                access_code_id=report.access_code_id,
                booking_id=owners[0][0].booking_id if owners else None,
                text=f"From {report.window.starts_at:%Y-%m-%d %H:%M} to {report.window.ends_at:%Y-%m-%d %H:%M} UTC.",
            )


def _compared(booking: Booking, door: BookedDoor, code: AccessCode, report: CodeReport | None) -> Difference | None:
    if report is not None and report.window == code.window:
        return None
    text = "" if report is None else f"Seam: {report.window.starts_at} to {report.window.ends_at}."
    return Difference(
        kind=Kind.GONE if report is None else Kind.OTHER_WINDOW,
        device_id=door.device_id,
        access_code_id=code.access_code_id,
        booking_id=booking.booking_id,
        text=text,
    )
