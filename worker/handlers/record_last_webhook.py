"""Records when a webhook last brought an event. That shows that `web` works, also if it gives no signs of life.

Events that no webhook brought are added by the reconciliation (`worker.handlers.reconcile`), a minute after they
happened at the earliest, or RECONCILE_EVERY where that is shorter. So what is in the stream sooner came by webhook.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from shared.domain import entry_ids
from shared.domain.alerting.missed_heartbeats import WEBHOOK
from shared.domain.code.story import moment_of
from shared.ledger.heartbeats import Heartbeats

_AT_ONCE: Final = timedelta(seconds=20)
_NOTED_EVERY: Final = timedelta(seconds=10)


class RecordLastWebhook:
    """Records the heartbeat `webhook`: at most every ten seconds, by the clock of the data server."""

    def __init__(self, beats: Heartbeats) -> None:
        self._beats = beats

    def __call__(self, events: Mapping[str, Mapping[str, Any]]) -> None:
        """Look at events as they are taken from their stream, by the ids of their entries. Raises RedisError."""
        at = max(
            (at for entry_id, event in events.items() if _came_at_once(event, at := entry_ids.moment_of(entry_id))),
            default=None,
        )
        if at is not None:
            self._beats.beat(WEBHOOK, at, at_most_every=_NOTED_EVERY)


def _came_at_once(event: Mapping[str, Any], appended_at: datetime) -> bool:
    happened_at = moment_of(event)
    return happened_at is not None and abs(appended_at - happened_at) < _AT_ONCE
