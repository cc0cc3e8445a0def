"""Notes what `POST /bookings` refuses: it counts it, logs it, and stores an entry for people.

The sender is told why its message was refused, but our own people aren't. After a refused change a guest may be at a
locked door, and after a refused cancellation a code stays valid.
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

# Seconds. After that the refusal is answered without an entry.
_KEEP_WITHIN: Final = 2.0
_MOST_AT_ONCE: Final = 32

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class RefusedBookings:
    """Notes refusals. Never raises: a refusal that can't be stored is only logged."""

    def __init__(self, redis: Redis, *, clock: Clock) -> None:
        self._keep: Any = redis.register_script(KEEP_SCRIPT)
        self._clock = clock
        self._keeping = 0

    async def note(self, text: str, problems: Iterable[Problem]) -> None:
        """Count, log and store a refusal. `text` is the message, as far as it was read; its values aren't stored."""
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
