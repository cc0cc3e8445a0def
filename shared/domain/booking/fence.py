"""The fence of a decision on a door: the decision is written only while the door is still as it was seen."""

from dataclasses import dataclass

from shared.domain.booking.record import BookedDoor, Booking


@dataclass(frozen=True, slots=True)
class SeenDoor:
    """A door of a booking as the ledger had it. Make it of what was read from the ledger or written there, as it is.

    What a read at Seam told since is no part of it. A booking with that added gives a `BookedDoor`, which is no fence.
    """

    booking: Booking
    key: str

    @property
    def door(self) -> BookedDoor:
        """The door itself. Raises KeyError where the booking has no such door."""
        return self.booking.door(self.key)
