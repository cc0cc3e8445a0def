"""The access log of accepted events: one line for many events. A line for each cost more than accepting the event."""

import asyncio
from typing import Final

import structlog

from receiver.webhook_parsing import SeamEvent
from shared import metrics

# A line is written after so many seconds, or once it lists so many events.
_WRITE_AFTER: Final = 0.05
_MOST_EVENTS: Final = 100

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class AccessLog:
    """Writes one line for all events that were accepted within _WRITE_AFTER."""

    def __init__(self) -> None:
        self._events: list[SeamEvent] = []
        self._repeated = 0
        self._timer: asyncio.TimerHandle

    def add(self, event: SeamEvent, *, is_new: bool) -> None:
        """Add an event to the next line."""
        self._events.append(event)
        self._repeated += not is_new
        if len(self._events) == 1:
            self._timer = asyncio.get_running_loop().call_later(_WRITE_AFTER, self._write)
        elif len(self._events) >= _MOST_EVENTS:
            self._timer.cancel()
            self._write()

    def _write(self) -> None:
        """Write the line. Its two lists of ids are in the same order."""
        events, self._events = self._events, []
        repeated, self._repeated = self._repeated, 0
        metrics.WEBHOOKS.add("accepted", amount=len(events) - repeated)
        metrics.WEBHOOKS.add("duplicate", amount=repeated)
        log.info(
            "webhooks.accepted",
            count=len(events),
            repeated=repeated,
            event_types=sorted({event.event_type for event in events}),
            event_ids=[event.event_id for event in events],
            delivery_ids=[event.delivery_id for event in events],
        )
