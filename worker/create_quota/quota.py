"""Asks for one create at a door: within Seam's limit a minute and the lock's own limit, the nearest arrival first."""

from datetime import datetime
from typing import Final

from shared.domain.alerting.arrivals import first_check_in
from shared.domain.booking.problem_catalogue import PlainReason
from shared.domain.booking.record import BookedDoor, Booking, State
from shared.domain.door.door import Door
from shared.ledger.bookings import BookingLedger
from shared.seam.access_codes import CodesOnDoor
from worker.create_quota.code_limit import CodeLimitWatch, room_of
from worker.create_quota.rate_limit import Admitted, CreateRateLimit, Full, Later

# With more room than this it needn't be known who else is being decided at the same moment.
_TIGHT: Final = 10


class CreateQuota:
    """Asks for a create within both limits. Of bookings that ask at the same time, the nearest arrival goes first."""

    def __init__(self, *, ledger: BookingLedger, rate_limit: CreateRateLimit, code_limit: CodeLimitWatch) -> None:
        self._ledger = ledger
        self._rate_limit = rate_limit
        self._code_limit = code_limit

    def ask(
        self,
        booking: Booking,
        booked: BookedDoor,
        door: Door,
        on_door: CodesOnDoor,
        *,
        counted_at: datetime,
        now: datetime,
    ) -> Admitted | Later | Full:
        """Ask for one create for `booked`, whose check-in is known; `on_door` was read at `counted_at`."""
        alive = on_door.alive_at(now)
        room = room_of(door, alive=alive)
        check_in = booked.check_in or now
        is_tight = room is not None and 0 < room <= _TIGHT
        answer = self._rate_limit.ask(
            door.device_id,
            f"{booking.booking_id}#{booked.part}",
            check_in=check_in,
            room=room,
            counted_at=counted_at,
            rivals=self._rivals(booking, door.device_id, check_in) if is_tight else 0,
            now=now,
        )
        # A code can't be taken back, so people must hear of a lock that gets full before the next create.
        self._code_limit.note(door, alive=_in_use_after(answer, door, alive), now=now)
        return answer

    def _rivals(self, booking: Booking, device_id: str, check_in: datetime) -> int:
        """Count the bookings that arrive earlier at this door and are being decided at this very moment."""
        return sum(
            door.device_id == device_id and door.wanted and door.code is None and _is_being_decided(door)
            for other in self._ledger.of_door(device_id)
            if other.booking_id != booking.booking_id and not other.cancelled
            if (arrives := first_check_in(other)) is not None and arrives < check_in
            for door in other.doors
        )


def _in_use_after(answer: Admitted | Later | Full, door: Door, alive: int) -> int:
    match answer:
        case Admitted():
            return alive + 1
        case Full():
            return door.max_active_codes_supported or alive
        case Later():
            return alive


def _is_being_decided(door: BookedDoor) -> bool:
    """Say whether a door is being decided now, or was put off for a nearer arrival a moment ago."""
    gave_way = door.state is State.SCHEDULED and door.reason == PlainReason.DOOR_BUDGET
    return door.state is State.RECEIVED or gave_way
