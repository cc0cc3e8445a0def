"""How far Seam's list of events was compared with the events that came by webhook."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, cast

from pydantic import TypeAdapter
from redis import Redis

from shared import redis_keys
from shared.domain.code.webhook_gap import Gap

_GAP: Final = TypeAdapter(Gap)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Events up to `cursor` were compared (None: none yet); `gap` are the events that webhooks didn't bring.

    `compared` and `missed` count events since the ledger was begun.
    """

    cursor: datetime | None = None
    gap: Gap = field(default_factory=Gap)
    compared: int = 0
    missed: int = 0


class ReconciliationLedger:
    """Stores the progress in one record. If two workers write it at once, events are compared twice, without harm."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def load(self) -> Progress:
        """Return the progress."""
        found: dict[str, str] = cast(Any, self._redis.hgetall(redis_keys.RECONCILIATION))
        if "cursor" not in found:
            return Progress()
        return Progress(
            cursor=datetime.fromisoformat(found["cursor"]),
            gap=_GAP.validate_json(found["gap"]),
            compared=int(found["compared"]),
            missed=int(found["missed"]),
        )

    def save(self, progress: Progress) -> None:
        """Store the progress, atomically."""
        if progress.cursor is None:
            return
        fields: dict[Any, Any] = {
            "cursor": progress.cursor.isoformat(),
            "gap": _GAP.dump_json(progress.gap).decode(),
            "compared": progress.compared,
            "missed": progress.missed,
        }
        self._redis.hset(redis_keys.RECONCILIATION, mapping=fields)
