"""What the log says of accepted events: a line for all of a moment, for a line each cost more than accepting them."""

import asyncio
from typing import Final

import structlog

# Seconds that a line waits for more events, and of how many it tells.
_A_MOMENT: Final = 0.05
_LONGEST_LINE: Final = 100

Accepted = tuple[str, str, str]
"""Of an event: its id, its type, and the delivery that brought it."""

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class AcceptedLines:
    """One log line for all events of a moment: a line each cost more than accepting them."""

    def __init__(self) -> None:
        self._events: list[Accepted] = []
        self._repeated = 0
        self._timer: asyncio.TimerHandle

    def tell(self, accepted: Accepted, *, is_new: bool) -> None:
        """Keep an event for the next line."""
        self._events.append(accepted)
        self._repeated += not is_new
        if len(self._events) == 1:
            self._timer = asyncio.get_running_loop().call_later(_A_MOMENT, self._write)
        elif len(self._events) >= _LONGEST_LINE:
            self._timer.cancel()
            self._write()

    def _write(self) -> None:
        """Write the line: its lists are in the same order."""
        events, self._events = self._events, []
        repeated, self._repeated = self._repeated, 0
        event_ids, event_types, delivery_ids = zip(*events, strict=True)
        log.info(
            "webhooks.accepted",
            count=len(events),
            repeated=repeated,
            event_types=sorted(set(event_types)),
            event_ids=event_ids,
            delivery_ids=delivery_ids,
        )
