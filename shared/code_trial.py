"""What a test of a door makes: a code for the next stay on a slot. For `oracode codes test` and for the console.

Seam advises a test after a door's slots were changed (Seam help, "Oracode time slot configuration"). A test is a
booking, and is handled like every booking. Its id is made from the door, the slot and the stay: the same test ordered
twice is one booking and one code.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from shared.domain.booking.record import OVER, Booking
from shared.domain.door.door import Door
from shared.domain.matching.manual_choice import called, short
from shared.domain.matching.next_stay import NextStay
from shared.domain.messages.message import BookingMessage
from shared.domain.messages.parse import parse_booking_message
from shared.domain.stay.instants import instants_of
from shared.domain.stay.stay import WallTime
from shared.ledger.booking_reader import BookingReader, UnknownBooking

SOURCE: Final = "/oracode/codes-test"
_LABEL: Final = "Test code"
_MOST_GUESTS_NAMED: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The code to be made: for `stay` on `door`. The lock holds `taken` codes already."""

    booking_id: str
    door: Door
    stay: NextStay
    taken: int
    guests: tuple[str, ...]
    before: Booking | None

    @property
    def is_full(self) -> bool:
        """Whether the lock takes no more codes."""
        most = self.door.max_active_codes_supported
        return most is not None and self.taken >= most

    @property
    def window(self) -> str:
        """The times from which and until which the code works, on the lock's clock."""
        starts_at, ends_at = (f"{at:%a %Y-%m-%d %H:%M}" for at in (self.stay.starts_at, self.stay.ends_at))
        return f"{starts_at} to {ends_at} {self.stay.time_zone}"

    def lines(self) -> Iterator[str]:
        """Yield lines with everything that a person must know before the code is made."""
        slot, most = self.stay.slot, self.door.max_active_codes_supported
        yield f"This makes a code on {short(self.door.name)} ({self.door.device_id}):"
        yield f"  slot {called(slot.name)}, {slot.check_in} to {slot.check_out}"
        yield f"  from {self.window}"
        places = f"one of the lock's {most} places" if most is not None else "a place in the lock"
        yield f"It can't be taken back: it opens the door until then, and uses {places}; {self.taken} in use now."
        for issue in self.door.issues:
            yield f"Seam reports of this door: {issue.text}."
        if self.guests:
            more = len(self.guests) - _MOST_GUESTS_NAMED
            names = ", ".join(self.guests[:_MOST_GUESTS_NAMED]) + (f" and {more} more" if more > 0 else "")
            yield f"Booked on this door in that time: {names}. The test code opens their door, too."


def planned(door: Door, stay: NextStay, ledger: BookingReader, *, taken: int) -> Trial:
    """Return what will be made, with the ledger's facts about it and about the door's guests."""
    booking_id = _id_for(door, stay)
    return Trial(
        booking_id=booking_id,
        door=door,
        stay=stay,
        taken=taken,
        guests=tuple(_guests(ledger, door.device_id, booking_id, stay)),
        before=known(ledger, booking_id),
    )


def known(ledger: BookingReader, booking_id: str) -> Booking | None:
    """Return the booking; None if there is none yet."""
    try:
        return ledger.get(booking_id)
    except UnknownBooking:
        return None


def message_of(trial: Trial, revision: int) -> tuple[str, BookingMessage]:
    """Return the booking message that has the code made, and its parsed form."""
    stay = trial.stay.stay
    data = {
        "booking_id": trial.booking_id,
        "revision": revision,
        "device_ids": [trial.door.device_id],
        "check_in": _wall(stay.check_in),
        "check_out": _wall(stay.check_out),
        "granularity": stay.granularity,
        "slot": trial.stay.reference,
        "label": _LABEL,
    }
    kind = "booking.updated" if revision else "booking.created"
    envelope = {"specversion": "1.0", "id": f"{trial.booking_id}/{revision}", "source": SOURCE, "type": kind}
    text = json.dumps({**envelope, "data": data})
    return text, parse_booking_message(text)


def _wall(moment: object) -> str:
    if not isinstance(moment, WallTime):
        raise TypeError("a stay of a slot is told on the lock's clock")
    return moment.at.isoformat()


def _id_for(door: Door, stay: NextStay) -> str:
    """Return the booking's id: always the same for this door, slot and stay."""
    named = (door.device_id, stay.reference, stay.starts_at.isoformat(), stay.ends_at.isoformat())
    mark = hashlib.sha256("\n".join(named).encode()).hexdigest()[:8]
    name = re.sub(r"[^A-Za-z0-9]+", "-", door.name)[:24].strip("-") or "door"
    return f"TEST-{name}-{stay.starts_at:%Y-%m-%d}-{mark}"


def _guests(ledger: BookingReader, device_id: str, booking_id: str, stay: NextStay) -> Iterator[str]:
    """Yield the ids of other bookings that have the door at that time."""
    for booking in ledger.of_door(device_id):
        if booking.booking_id == booking_id or booking.cancelled or booking.stay is None:
            continue
        for door in booking.doors:
            if door.device_id == device_id and door.wanted and door.state not in OVER:
                check_in, check_out = instants_of(booking.stay, door.time_zone or stay.time_zone)
                if check_in < stay.ends_at and stay.starts_at < check_out:
                    yield booking.booking_id
                    break
