"""Which bookings are looked for. Pure: a record says whether it fits."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.alerting.arrivals import first_check_in
from shared.domain.booking.record import Booking


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingFilter:
    """What is looked for. A booking must meet all conditions; an empty condition fits every booking.

    `word` is the beginning of the booking's id, or of a word of its label. `device_ids` None means any door.
    A check-in counts as the earliest moment that it can be. Both ends of the time are included.
    """

    state: str = ""
    reason: str = ""
    word: str = ""
    device_ids: tuple[str, ...] | None = None
    check_in_from: datetime | None = None
    check_in_to: datetime | None = None

    @property
    def check_ins(self) -> tuple[float, float]:
        """The first and the last check-in, in epoch seconds as the indexes have them; infinite where unlimited."""
        first = self.check_in_from.timestamp() if self.check_in_from is not None else float("-inf")
        last = self.check_in_to.timestamp() if self.check_in_to is not None else float("inf")
        return first, last

    @property
    def needs_candidates(self) -> bool:
        """Whether the index of states or of check-ins alone doesn't find the bookings."""
        return bool(self.word or self.device_ids is not None or self.reason)

    def fits(self, booking: Booking) -> bool:
        """Say whether a booking meets all conditions except `word`."""
        at = first_check_in(booking)
        devices = {door.device_id for door in booking.doors}
        return (
            self.state in ("", str(booking.state))
            and self.reason in ("", booking.reason)
            and (self.device_ids is None or not devices.isdisjoint(self.device_ids))
            and (self.check_in_from is None or (at is not None and at >= self.check_in_from))
            and (self.check_in_to is None or (at is not None and at <= self.check_in_to))
        )
