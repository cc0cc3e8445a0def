"""What was ordered for many parked messages at once, kept for a week: the page that says what became of it needs it.

It is stored before the orders are given, so a console that is killed in between leaves nothing that can't be found.
"""

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys
from shared.domain import versions
from shared.domain.versions import NewerVersionNeeded, is_incompatible, schema_in

_ID_BYTES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOrder:
    """One order for many. `matching` counts all that matched; of more than a thousand only the first are in `ids`."""

    action: str
    by: str
    why: str
    ordered_at: datetime
    matching: int
    ids: tuple[str, ...]


class BulkOrders:
    """The orders in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def keep(self, order: BulkOrder) -> str:
        """Store an order; return the id by which it is found, which nobody can guess."""
        bulk_id = secrets.token_hex(_ID_BYTES)
        content = {"schema": versions.BULK_ORDER, **asdict(order), "ordered_at": order.ordered_at.isoformat()}
        self._redis.set(redis_keys.bulk_order(bulk_id), json.dumps(content), ex=redis_keys.REPLAYS_FOR)
        return bulk_id

    def get(self, bulk_id: str) -> BulkOrder | None:
        """Return an order; None where there is none of this id. Raises NewerVersionNeeded."""
        text = cast(Any, self._redis.get(redis_keys.bulk_order(bulk_id)))
        if text is None:
            return None
        kept = json.loads(text)
        if is_incompatible(schema_in(kept), versions.BULK_ORDER):
            raise NewerVersionNeeded("an order for many", schema_in(kept), versions.BULK_ORDER)
        return BulkOrder(
            action=kept["action"],
            by=kept["by"],
            why=kept["why"],
            ordered_at=datetime.fromisoformat(kept["ordered_at"]),
            matching=kept["matching"],
            ids=tuple(kept["ids"]),
        )
