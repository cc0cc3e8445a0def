"""When the parts of a booking are due: its doors, its outbox, and the codes that are being deleted. Pure.

A write of the booking puts these times into the due-set in the same atomic step (`shared.ledger.records`).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from shared.domain.booking.record import Booking
from shared.domain.code.removal import next_look_at
from shared.domain.times.epoch import milliseconds
from shared.ledger.due_set import DueItem, door_item, removal_item

OUTBOX: Final = ""
"""In place of a door's key: the booking's outbox, which may be due even if no door is."""


def due_times(
    before: Booking | None,
    booking: Booking,
    is_in_hand: Callable[[str], bool],
    *,
    now: datetime,
    lease: timedelta,
    is_published_here: bool,
) -> list[tuple[str, int | None]]:
    """Return the members of the due-set that the write changes, with their times (milliseconds; None takes it out).

    A door with a new time is put at that time. A door that the caller goes on working on (`is_in_hand`, by its key) is
    due after one lease at the earliest, so that no other worker takes it. A booking whose outbox is emptied leaves the
    due-set; one whose outbox the caller doesn't publish is due at once.
    """
    times_before = {door.key: door.due_at for door in before.doors} if before else {}
    times: list[tuple[DueItem, datetime | None]] = []
    for door in booking.doors:
        item, due_at = door_item(booking.booking_id, door.key), door.due_at
        if is_in_hand(door.key):
            times.append((item, max(due_at, now + lease) if due_at else None))
        elif door.key not in times_before or times_before[door.key] != due_at:
            times.append((item, due_at))
    removals_before = {door.key: next_look_at(door) for door in before.doors} if before else {}
    for door in booking.doors:
        look_at = next_look_at(door)
        if removals_before.get(door.key) != look_at:
            times.append((removal_item(booking.booking_id, door.key), look_at))
    if before is not None and before.outbox and not booking.outbox:
        times.append((door_item(booking.booking_id, OUTBOX), None))
    if not is_published_here and booking.outbox and not (before and before.outbox):
        times.append((door_item(booking.booking_id, OUTBOX), now))
    return [(item.encoded(), milliseconds(at) if at is not None else None) for item, at in times]
