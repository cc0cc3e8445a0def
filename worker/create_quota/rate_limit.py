"""Which booking may create a code on a door now: Seam's limit a minute, the lock's room, the nearest arrival first.

Seam allows 10 creates a minute a device (Seam docs, "Rate limits"). All workers run the same script. A booking that has
to wait gets the time at which it asks again; nothing sleeps.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

from redis import Redis

from shared import redis_keys
from shared.domain.times.epoch import milliseconds
from shared.seam.limits import CREATES_A_MINUTE

WINDOW: Final = timedelta(seconds=60)
_ASK: Final = (Path(__file__).parent / "rate_limit.lua").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Admitted:
    """The create may be sent: it is counted for this minute."""


@dataclass(frozen=True, slots=True)
class Later:
    """Ask again `at`: the creates of this minute are used up, or nearer arrivals that are being decided go first."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Full:
    """The lock holds no more codes, or its room is for bookings with an earlier check-in."""


class CreateRateLimit:
    """The limits of all doors, in Redis."""

    def __init__(self, redis: Redis, *, patience: timedelta) -> None:
        """`patience` is how long a booking that finds the lock full keeps its place in the door's queue."""
        self._ask = redis.register_script(_ASK)
        self._patience = patience

    def ask(
        self,
        device_id: str,
        member: str,
        *,
        check_in: datetime,
        room: int | None,
        counted_at: datetime,
        rivals: int,
        now: datetime,
    ) -> Admitted | Later | Full:
        """Ask for one create. Atomic.

        `room` is how many more codes the lock took at `counted_at`, None if it doesn't say. `rivals` is how many
        bookings with an earlier check-in are being decided at this moment.

        `member` names the booking and its code. If it has to wait, it keeps its place in the queue until it is due, and
        half a minute longer.
        """
        args: list[str | int] = [
            milliseconds(now),
            int(WINDOW.total_seconds() * 1000),
            CREATES_A_MINUTE,
            member,
            milliseconds(check_in),
            -1 if room is None else max(0, room),
            int(self._patience.total_seconds() * 1000),
            int(max(redis_keys.CREATE_QUEUE_FOR, 2 * self._patience).total_seconds()),
            str(uuid4()),
            milliseconds(counted_at),
            rivals,
        ]
        keys = [
            redis_keys.door_spent(device_id),
            redis_keys.door_queue(device_id),
            redis_keys.door_asked(device_id),
        ]
        verdict, *wait = self._ask(keys=keys, args=args)
        match verdict:
            case "admitted":
                return Admitted()
            case "full":
                return Full()
            case _:
                return Later(now + timedelta(milliseconds=int(wait[0])))
