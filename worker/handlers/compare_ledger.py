"""The ledger against Seam, door by door and code by code: what one has and the other hasn't.

Nothing is created here, and nothing deleted. Every difference is given to the worker, which looks at Seam before it
does anything. It adopts a booking's code that the ledger lacks, and reports one that Seam lacks. A door that can't be
compared is a finding of its own, and the others are compared all the same.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Final

from shared.clock import Clock
from shared.domain.booking import transitions
from shared.domain.booking.record import AccessCode, BookedDoor, Booking, State
from shared.ledger.booking_indexes import codes_of
from shared.ledger.bookings import BookingLedger
from shared.ledger.due_set import DueSet, door_item
from shared.seam.access_codes import AccessCodes, CodeReport
from shared.seam.errors import NoSuchDevice, SeamError, Unauthorized, Unreachable

# One failure may be the fault of that door. So many in a row are Seam's, and asking for the rest would only take long.
_MOST_UNREACHABLE: Final = 3
_MOST_NAMED: Final = 5


class Kind(StrEnum):
    """How the ledger and Seam differ about a code or a whole door."""

    GONE = "gone"
    """The ledger has it, Seam hasn't."""
    UNMANAGED = "unmanaged"
    """The ledger has it, and Seam knows it still, but doesn't manage it any more."""
    OTHER_WINDOW = "other window"
    """Both have it, for different times."""
    NOT_RECORDED = "not recorded"
    """Seam has it, named for a booking of the ledger that doesn't know it."""
    NO_BOOKING = "no booking"
    """Seam has it, and it belongs to no booking of the ledger: made by hand, or its booking was never replayed."""
    UNKNOWN_DOOR = "unknown door"
    """Bookings of the ledger that aren't over are on a door that Seam doesn't know."""
    NOT_READ = "not read"
    """Seam knows the door, but it could not be read, so nothing is known of its codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One code about which the two disagree, or one door (then without a code) that could not be compared."""

    kind: Kind
    device_id: str
    access_code_id: str | None = None
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
        """Go through every door of the ledger; a door that can't be read is a finding.

        Raises Unauthorized, and Unreachable where it isn't a single door's matter; what was found until then is under
        way already.
        """
        of_door: dict[str, list[tuple[Booking, BookedDoor]]] = defaultdict(list)
        for booking in self._ledger.all():
            for door in booking.doors:
                of_door[door.device_id].append((booking, door))
        return self._compare(of_door)

    def of_doors(self, device_ids: Collection[str]) -> Comparison:
        """Go through these doors alone, also where the ledger has no booking on them. Raises as above."""
        of_door: dict[str, list[tuple[Booking, BookedDoor]]] = {device_id: [] for device_id in device_ids}
        for booking in self._ledger.of_doors(of_door):
            for door in booking.doors:
                if door.device_id in of_door:
                    of_door[door.device_id].append((booking, door))
        return self._compare(of_door)

    def _compare(self, of_door: Mapping[str, list[tuple[Booking, BookedDoor]]]) -> Comparison:
        found: list[Difference] = []
        agreeing = unreachable = 0
        for device_id, booked in of_door.items():
            try:
                differences, agree = self._door(device_id, booked)
            except Unauthorized:
                raise
            except NoSuchDevice:
                found += _unknown_door(device_id, booked, self._clock())
                unreachable = 0
            except SeamError as error:
                unreachable = unreachable + 1 if isinstance(error, Unreachable) else 0
                if unreachable >= min(_MOST_UNREACHABLE, len(of_door)):
                    raise
                found.append(Difference(kind=Kind.NOT_READ, device_id=device_id, text=f"It could not be read: {error}"))
            else:
                found += differences
                agreeing += agree
                unreachable = 0
        return Comparison(tuple(found), agreeing)

    def _door(self, device_id: str, booked: list[tuple[Booking, BookedDoor]]) -> tuple[list[Difference], int]:
        """Return what differs on one door, and how many codes agree. Raises SeamError."""
        reports = {report.access_code_id: report for report in self._codes.on_door(device_id).reports}
        differences = list(self._on_door(device_id, booked, reports))
        return differences, len(reports) - sum(each.access_code_id in reports for each in differences)

    def _on_door(
        self, device_id: str, booked: list[tuple[Booking, BookedDoor]], reports: dict[str, CodeReport]
    ) -> Iterator[Difference]:
        now = self._clock()
        known: set[str] = set()
        for booking, door in booked:
            for code in codes_of(door):
                known.add(code.access_code_id)
                if code.window.ends_at <= now:
                    continue
                difference = self._compared(booking, door, code, reports.get(code.access_code_id))
                if difference is not None:
                    self._due.set([(door_item(booking.booking_id, door.key), now)])
                    yield difference
        for report in reports.values():
            if report.access_code_id in known or report.window is None or report.window.ends_at <= now:
                continue
            owners = [(booking, door) for booking, door in booked if report.is_of(booking.booking_id)]
            for booking, door in owners:
                if door.state in transitions.WITHOUT_A_CODE:
                    self._ledger.record(booking, partial(transitions.wake, key=door.key, now=now))
                    self._due.set([(door_item(booking.booking_id, door.key), now)])
            yield Difference(
                kind=Kind.NOT_RECORDED if owners else Kind.NO_BOOKING,
                device_id=device_id,
                access_code_id=report.access_code_id,
                booking_id=owners[0][0].booking_id if owners else None,
                text=f"From {report.window.starts_at:%Y-%m-%d %H:%M} to {report.window.ends_at:%Y-%m-%d %H:%M} UTC.",
            )

    def _compared(
        self, booking: Booking, door: BookedDoor, code: AccessCode, report: CodeReport | None
    ) -> Difference | None:
        if report is not None and report.window == code.window:
            return None
        if report is not None:
            made = f"{report.window.starts_at} to {report.window.ends_at}" if report.window else "no times"
            kind, text = Kind.OTHER_WINDOW, f"Seam: {made}."
        else:
            # Seam lists only what it manages; a code that it doesn't may open the door all the same.
            kind, text = (
                Kind.UNMANAGED if self._codes.is_unmanaged(code.access_code_id, door.device_id) else Kind.GONE,
                "",
            )
        return Difference(
            kind=kind,
            device_id=door.device_id,
            access_code_id=code.access_code_id,
            booking_id=booking.booking_id,
            text=text,
        )


def _unknown_door(device_id: str, booked: list[tuple[Booking, BookedDoor]], now: datetime) -> Iterator[Difference]:
    """Yield a finding for a door that a stay still needs; none for a stay that is over."""
    hit = list(dict.fromkeys(booking.booking_id for booking, door in booked if _is_to_come(door, now)))
    if hit:
        more = f" and {len(hit) - _MOST_NAMED} more" if len(hit) > _MOST_NAMED else ""
        text = f"Seam knows no such door; on it: {', '.join(hit[:_MOST_NAMED])}{more}."
        yield Difference(kind=Kind.UNKNOWN_DOOR, device_id=device_id, text=text)


def _is_to_come(door: BookedDoor, now: datetime) -> bool:
    is_open = door.state not in (State.CANCELLED, State.ENDED)
    return is_open or any(code.window.ends_at > now for code in codes_of(door))
