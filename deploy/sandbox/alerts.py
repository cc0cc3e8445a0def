"""A sink for alerts: it takes what ops channels would take, and keeps it for people and tests."""

from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from pydantic_core import from_json

from deploy.sandbox.clock import Clock
from deploy.sandbox.store import Collection, Store

KEPT = 5_000


@dataclass(frozen=True, slots=True)
class Alert:
    """One message to a channel; `parsed` is the body as JSON, where it is JSON."""

    seq: int
    at: datetime
    channel: str
    headers: dict[str, str]
    body: str
    parsed: Any = None


class Alerts:
    """The newest alerts, oldest first."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Load the alerts."""
        self._kept = Collection(store, "alerts", Alert)
        self._clock = clock
        self._seq = count(max((alert.seq for alert in self._kept.values()), default=0) + 1)

    def add(self, channel: str, headers: dict[str, str], body: bytes) -> Alert:
        """Keep a message; the oldest makes room."""
        text = body.decode(errors="replace")
        try:
            parsed = from_json(body)
        except ValueError:
            parsed = None
        alert = Alert(next(self._seq), self._clock(), channel, headers, text, parsed)
        self._kept.put(str(alert.seq), alert)
        if len(self._kept) > KEPT:
            self._kept.forget_oldest(1)
        return alert

    def everything(self) -> list[Alert]:
        """Return the kept alerts, oldest first."""
        return self._kept.values()

    def clear(self) -> int:
        """Forget all; return how many there were."""
        alerts = self._kept.values()
        for alert in alerts:
            self._kept.remove(str(alert.seq))
        return len(alerts)
