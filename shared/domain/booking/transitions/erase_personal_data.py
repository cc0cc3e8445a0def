"""Erases a guest's data from a booking, long after its stay (`shared.domain.booking.retention` says when).

`BookingLedger.erase_personal_data` calls it, and deletes the events of the booking's codes.
"""

from dataclasses import replace
from datetime import datetime

from shared.domain.booking.record import OVER, Booking, Change, HistoryEntry
from shared.domain.booking.transitions.change import change_door, with_door


def erase_personal_data(booking: Booking, key: str, *, now: datetime) -> Change:
    """Erase the label once the last door of the booking is over. Each door calls this when its own time has come."""
    door = replace(booking.door(key), due_at=None)
    others = (other for other in booking.doors if other.key != key)
    is_last = all(other.state in OVER for other in others)
    if not is_last:
        return Change(replace(booking, doors=with_door(booking, door)))
    text = "The stay is long over: the booking's label is forgotten."
    forgotten = replace(booking, label=None, is_forgotten=True)
    return change_door(forgotten, door, now, HistoryEntry(at=now, what="booking.forgotten", text=text))
