"""A door that Seam knows no more although guests are to come: what people are told, and how much it hurries. Pure.

Its lock may open all the same: codes that it has need no Seam. But nothing of it can be made, changed or confirmed.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from shared.domain.chosen_slots import short
from shared.domain.records import AlertNotice, BookedDoor, Booking, State
from shared.domain.stay_times import check_in_of, surely_over_at
from shared.domain.troubles import TROUBLES

PROBLEM: Final = "door_gone"
# What a booking says by itself, in an alert of its own.
_TELLS_BY_ITSELF: Final = "device_not_found"


def door_gone_key(device_id: str) -> str:
    """Return the alert's key."""
    return f"door/{device_id}/gone"


def door_gone(device_id: str, bookings: Iterable[Booking], now: datetime, *, was_told: bool) -> AlertNotice | None:
    """Return the alert for a door that is gone; None where nobody is to come for whom it has to be told.

    A booking that never found the door says so itself; but once this was told, it goes on until no stay is left.
    """
    hit = [(booking, door) for booking in bookings for door in booking.doors if _is_hit(booking, door, device_id, now)]
    if not hit or (not was_told and all(door.reason == _TELLS_BY_ITSELF for _, door in hit)):
        return None
    trouble = TROUBLES[PROBLEM]
    # Whoever is inside has a code that the lock knows; whoever has none waits, also after check-in.
    waiting = [
        (check_in, door)
        for booking, door in hit
        if (check_in := check_in_of(booking.stay, door)) is not None and (check_in.latest > now or door.code is None)
    ]
    check_in, nearest = min(waiting, key=lambda each: each[0].at, default=(None, hit[0][1]))
    return AlertNotice(
        at=now,
        raised=True,
        key=door_gone_key(device_id),
        problem=PROBLEM,
        subject=f"Door {short(nearest.name)} ({device_id})" if nearest.name else f"Door {device_id}",
        happened=trouble.happened,
        next_step=trouble.next_step,
        actor=trouble.actor,
        look_closer="oracode arrivals",
        check_in=check_in.at if check_in else None,
        wall_check_in=check_in.wall if check_in else None,
        time_zone=nearest.time_zone,
        check_out=max(over_at for booking, door in hit if (over_at := _over_at(booking, door)) is not None),
        device_id=device_id,
    )


def _is_hit(booking: Booking, door: BookedDoor, device_id: str, now: datetime) -> bool:
    if door.device_id != device_id or not door.wanted or booking.cancelled or door.state is State.ENDED:
        return False
    over_at = _over_at(booking, door)
    return over_at is not None and over_at > now


def _over_at(booking: Booking, door: BookedDoor) -> datetime | None:
    return door.check_out or (surely_over_at(booking.stay) if booking.stay is not None else None)
