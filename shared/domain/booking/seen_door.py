"""The fence of a decision: the door as it was read. The decision is written only if the door is unchanged since."""

from dataclasses import dataclass

from shared.domain.booking.record import BookedDoor, Booking


@dataclass(frozen=True, slots=True)
class SeenDoor:
    """A door of a booking, exactly as it was read from the ledger or written there.

    Never make one from a booking with facts of Seam added (`record_door_facts`): it would never equal what is stored.
    """

    booking: Booking
    key: str

    @property
    def door(self) -> BookedDoor:
        """The door itself. Raises KeyError if the booking has no such door."""
        return self.booking.door(self.key)
