"""Leaves a trace of what `POST /bookings` refuses: a count, a line in the log, and an entry for people.

The sender knows why its message was refused, but nobody on this side would: and a refused change or cancellation is a
guest at a locked door, or a code that stays valid.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared import metrics
from shared.clock import Clock
from shared.domain.messages.message import Problem
from shared.domain.messages.refused import refused_message
from shared.refused_messages import KEEP_SCRIPT, keep_arguments

# Seconds. A refusal is answered also where nobody can keep it.
_KEEP_WITHIN: Final = 2.0
_MOST_AT_ONCE: Final = 32

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class RefusedBookings:
    """Notes refusals. Never raises: a refusal that can't be kept is in the log alone."""

    def __init__(self, redis: Redis, *, clock: Clock) -> None:
        self._keep: Any = redis.register_script(KEEP_SCRIPT)
        self._clock = clock
        self._keeping = 0

    async def note(self, text: str, problems: Iterable[Problem]) -> None:
        """Count, log and keep a refused message; `text` is what it said, as far as it was read."""
        refused = refused_message(text, problems)
        metrics.BOOKINGS_REFUSED.add(str(refused.kind))
        log.warning(
            "booking.refused", booking_id=refused.booking_id, kind=str(refused.kind), problems=list(refused.problems)
        )
        if self._keeping >= _MOST_AT_ONCE:
            log.warning("refusal.not_kept", booking_id=refused.booking_id, error="too many at once")
            return
        self._keeping += 1
        try:
            keys, args = keep_arguments(refused, self._clock())
            async with asyncio.timeout(_KEEP_WITHIN):
                await self._keep(keys=keys, args=args)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("refusal.not_kept", booking_id=refused.booking_id, error=type(error).__name__)
        finally:
            self._keeping -= 1
