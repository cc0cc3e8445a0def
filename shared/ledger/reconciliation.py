"""How far Seam's own list of events was compared with what webhooks had brought, in Redis."""

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
    """Everything up to `cursor` was compared (None: nothing yet); `gap` is what webhooks lack at the moment.

    `compared` and `missed` count events since the ledger was begun.
    """

    cursor: datetime | None = None
    gap: Gap = field(default_factory=Gap)
    compared: int = 0
    missed: int = 0


class ReconciliationLedger:
    """One record. Two workers that write it at once compare the same events twice, which is harmless."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def load(self) -> Progress:
        """Return how far it has come."""
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
        """Write how far it has come, atomically."""
        if progress.cursor is None:
            return
        fields: dict[Any, Any] = {
            "cursor": progress.cursor.isoformat(),
            "gap": _GAP.dump_json(progress.gap).decode(),
            "compared": progress.compared,
            "missed": progress.missed,
        }
        self._redis.hset(redis_keys.RECONCILIATION, mapping=fields)
