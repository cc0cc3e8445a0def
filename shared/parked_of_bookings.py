"""The parked messages of a booking, for people: the kind of each, its problems, and what holds for now.

For the console, the command line and `GET /bookings/{id}`.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain.booking.parked_effect import effect_for_now, kind_for
from shared.domain.booking.record import Booking
from shared.domain.messages.parked_kind import ParkedKind
from shared.parked import ParkedEntry, ParkedList, kind_of
from shared.streams import is_entry_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedOfBooking:
    """One parked message of a booking, without its text.

    `stands` says in words what holds for now, such as "it is not cancelled: the code stays valid, from …".
    """

    parked_id: str
    parked_at: str
    kind: ParkedKind
    problems: tuple[str, ...]
    stands: str


def told_of(entry: ParkedEntry, booking: Booking | None) -> ParkedOfBooking:
    """Return the parked message for people; `booking` is its booking as the ledger has it."""
    parked = entry.parked
    kind = kind_of(parked) if parked.kind else kind_for(kind_of(parked), booking)
    arrival = parked.source_id if is_entry_id(parked.source_id) else ""
    return ParkedOfBooking(
        parked_id=entry.parked_id,
        parked_at=parked.parked_at,
        kind=kind,
        problems=parked.problems,
        stands=effect_for_now(kind, booking, arrival),
    )


class ParkedOfBookings:
    """The parked messages of many bookings. The list is read again only once it has changed. Thread-safe."""

    def __init__(self, parked: ParkedList) -> None:
        self._parked = parked
        self._lock = threading.Lock()
        self._mark: tuple[int, str] | None = None
        self._ids: dict[str, tuple[str, ...]] = {}

    def ids_of(self, booking_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return the ids of the parked messages of those of the bookings that have some, oldest first."""
        mark = self._parked.mark()
        with self._lock:
            if self._mark != mark:
                # Without their texts: ten thousand of those would fill this process.
                named = self._parked.by_booking()
                self._ids = {name: tuple(entry.parked_id for entry in entries) for name, entries in named.items()}
                self._mark = mark
            return {name: self._ids[name] for name in booking_ids if name in self._ids}
