"""How many creates a door may still get this minute, counted by all workers together.

Seam allows 10 creates a minute a device (Seam docs, "Rate limits"). Whoever is over is *due* later; nothing sleeps.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from redis import Redis

from shared import redis_keys

CREATES_A_WINDOW: Final = 10
WINDOW: Final = timedelta(seconds=60)
_TAKE: Final = (Path(__file__).parent / "budget.lua").read_text()


class CreateBudget:
    """The budgets of all doors, in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._take = redis.register_script(_TAKE)

    def take(self, device_id: str, member: str, now: datetime) -> datetime | None:
        """Take one create out of the door's budget: None if there was room, else when there will be. Atomic."""
        args: list[str | int] = [
            int(now.timestamp() * 1000),
            int(WINDOW.total_seconds() * 1000),
            CREATES_A_WINDOW,
            member,
            int(redis_keys.BUDGET_FOR.total_seconds()),
        ]
        milliseconds = int(self._take(keys=[redis_keys.door_budget(device_id)], args=args))
        return now + timedelta(milliseconds=milliseconds) if milliseconds > 0 else None
