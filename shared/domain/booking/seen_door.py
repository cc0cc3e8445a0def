"""A door as a decision saw it. The decision is written only if the door hasn't changed since (optimistic locking)."""

from dataclasses import dataclass

from shared.domain.booking.record import BookedDoor, Booking


@dataclass(frozen=True, slots=True)
class SeenDoor:
    """A door of a booking as the ledger had it: made from what was read from the ledger or written there, unchanged.

    It holds nothing that Seam told since: a `BookedDoor` that has that added protects no write.
    """

    booking: Booking
    key: str

    @property
    def door(self) -> BookedDoor:
        """The door itself. Raises KeyError if the booking has no such door."""
        return self.booking.door(self.key)
