"""PagerDuty by its Events API v2: an incident for each problem, resolved when the problem ends.

Problems that are told together are one incident: nobody is paged twenty times for one building. Sending an event twice
changes nothing, because its `dedup_key` is the same.
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

import httpx

from shared.domain.alerting.severity import Severity
from shared.seam.client import retry_after
from worker.alerts.channel import NotDelivered
from worker.alerts.http_post import exchange
from worker.alerts.message import AlertItem, AlertMessage, one_line

_LONGEST_SUMMARY: Final = 1_024
_LONGEST_KEY: Final = 255
_LEVELS: Final = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.PAGE: "critical"}
_TAKEN: Final = 202


class PagerDuty:
    """One PagerDuty service, by the routing key of its integration."""

    def __init__(self, name: str, *, url: str, routing_key: str, client: httpx.Client) -> None:
        self._name = name
        self._url = url
        self._routing_key = routing_key
        self._client = client

    @property
    def name(self) -> str:
        """The channel's name."""
        return self._name

    def send(self, message: AlertMessage) -> str:
        """Send one event for each incident that the message is about. Raises NotDelivered."""
        for thread, items in message.threads.items():
            if not message.is_open and any(item.status == "open" for item in items):
                continue
            event = {"routing_key": self._routing_key, **incident_event(message, thread, items)}
            body = json.dumps(event).encode()
            answer = exchange(self._client, self._url, body, {"content-type": "application/json"})
            if answer.status != _TAKEN:
                raise NotDelivered(f"HTTP {answer.status}", retry_after=retry_after(answer.headers))
        return f"HTTP {_TAKEN}"


def incident_event(message: AlertMessage, thread: str, items: Sequence[AlertItem]) -> dict[str, Any]:
    """Return the event for one incident: `trigger` while one of its problems is open, else `resolve`."""
    key = thread if len(thread) <= _LONGEST_KEY else sha256(thread.encode()).hexdigest()
    still_open = [item for item in items if item.status == "open"]
    if not still_open:
        return {"event_action": "resolve", "dedup_key": key}
    level = max((item.severity for item in still_open), key=lambda each: each.rank)
    more = f" (and {len(still_open) - 1} more)" if len(still_open) > 1 else ""
    first = still_open[0]
    return {
        "event_action": "trigger",
        "dedup_key": key,
        "client": "oracode-codes",
        "payload": {
            "summary": one_line(f"{first.subject}{more}: {first.happened}", _LONGEST_SUMMARY),
            "source": first.subject[:_LONGEST_KEY],
            "severity": _LEVELS[level],
            "timestamp": message.at.isoformat(),
            "class": first.problem,
            "group": message.group,
            "custom_details": {name: text for name, text in message.facts if text},
        },
    }
