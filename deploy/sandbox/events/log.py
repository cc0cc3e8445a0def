"""The event log: what happened, as Seam's "Events" resource tells it.

An event is the same object in ``/events/list``, ``/events/get`` and the body of a webhook. PINs are
in clear in it, as they are at Seam.
"""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from deploy.sandbox.clock import Clock
from deploy.sandbox.encoding import JsonObject, format_timestamp
from deploy.sandbox.ids import WORKSPACE_ID
from deploy.sandbox.store import Collection, Store


@dataclass(frozen=True, slots=True)
class Event:
    """An event and the instant it was recorded, by which lists are ordered."""

    event_id: str
    event_type: str
    created_at: datetime
    body: JsonObject


class EventLog:
    """All events in the order of their creation; tells listeners of each new one."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Load the events."""
        self._kept = Collection(store, "events", Event)
        self._clock = clock
        self._ordered = self._kept.values()
        self._listeners: list[Callable[[Event], None]] = []

    def __len__(self) -> int:
        return len(self._ordered)

    def subscribe(self, listener: Callable[[Event], None]) -> None:
        """Call a function with every event from now on."""
        self._listeners.append(listener)

    def emit(self, event_type: str, /, **fields: Any) -> Event:
        """Record an event; the fields go into it as they are.

        `occurred_at` and `created_at` are now, but never before those of the event before.
        """
        now = self._clock()
        if self._ordered:
            now = max(now, self._ordered[-1].created_at)
        body: JsonObject = {
            "event_id": str(uuid4()),
            "event_type": event_type,
            "workspace_id": WORKSPACE_ID,
            "created_at": format_timestamp(now),
            "occurred_at": format_timestamp(now),
            **fields,
        }
        event = Event(str(body["event_id"]), event_type, now, body)
        self._ordered.append(event)
        self._kept.put(event.event_id, event)
        for listener in self._listeners:
            listener(event)
        return event

    def find(self, event_id: str) -> Event | None:
        """Return one event."""
        return self._kept.get(event_id)

    def everything(self) -> list[Event]:
        """Return all events, oldest first."""
        return list(self._ordered)

    def between(self, since: datetime, until: datetime | None = None) -> list[Event]:
        """Return the events between two instants, both exclusive, oldest first."""
        start = bisect_right(self._ordered, since, key=lambda event: event.created_at)
        found = self._ordered[start:]
        if until is None:
            return found
        return [event for event in found if event.created_at < until]

    def latest(self, event_type: str, device_id: str) -> Event | None:
        """Return the newest event of a type at a device."""
        for event in reversed(self._ordered):
            if event.event_type == event_type and event.body.get("device_id") == device_id:
                return event
        return None
