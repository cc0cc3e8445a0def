"""Which order took a parked message off the list, and which orders came too late. Kept for a week.

Several people may order something of one message before a worker acts. The order that is carried out first counts. The
others do nothing, and each is noted as too late: the message's page tells those who gave them.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys
from shared.domain import versions
from shared.domain.entry_ids import place_of
from shared.domain.versions import is_incompatible, schema_in

_MARK_LENGTH: Final = 32
# Of very many late orders the first are shown.
_MOST_LATE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedOrder:
    """A replay or a discard of one parked message.

    `order` is the id of its entry in `ops-commands`: "" where it was given on the command line, or nobody noted it.
    `text` is the mark (`mark_of`) of the text that replaces the message; "" where the message goes back as it is.
    """

    by: str
    is_discard: bool
    order: str = ""
    reason: str = ""
    text: str = ""

    def is_carried_out_by(self, counted: "ParkedOrder") -> bool:
        """Say whether what this order asks for was done, by itself or by another one."""
        return counted.order == self.order or self.asks_for_the_same(counted)

    def asks_for_the_same(self, other: "ParkedOrder") -> bool:
        """Say whether it makes no difference which of the two is carried out."""
        return (self.is_discard, self.text) == (other.is_discard, other.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarded:
    """A message that was discarded: by which order, and when by the data server's clock."""

    given: ParkedOrder
    discarded_at: datetime


def mark_of(message: str) -> str:
    """Return what tells a corrected text from another one, without saying anything of it; "" for no text."""
    return hashlib.sha256(message.encode("utf-8", "replace")).hexdigest()[:_MARK_LENGTH] if message else ""


def text_of(given: ParkedOrder) -> str:
    """Return what is stored of an order."""
    return json.dumps({"schema": versions.REPLAY, **asdict(given)})


class ParkedOrders:
    """The orders in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def note_late(self, parked_id: str, given: ParkedOrder) -> None:
        """Note that an order came when another one had taken the message off the list. Idempotent."""
        key = redis_keys.late_orders(parked_id)
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.hset(key, given.order, text_of(given))
        pipeline.expire(key, redis_keys.REPLAYS_FOR)
        pipeline.execute()

    def late(self, parked_ids: Iterable[str]) -> dict[str, tuple[ParkedOrder, ...]]:
        """Return the orders that came too late, oldest first, of those of these messages that have some."""
        found = self._hashes(parked_ids, redis_keys.late_orders)
        return {name: tuple(_late_of(kept))[:_MOST_LATE] for name, kept in found.items()}

    def discarded(self, parked_ids: Iterable[str]) -> dict[str, Discarded]:
        """Return those of these messages that were discarded within a week. A worker of 0.2.0 notes no discard."""
        found = self._hashes(parked_ids, redis_keys.discard_note)
        return {name: note for name, kept in found.items() if (note := _discarded(kept)) is not None}

    def _hashes(self, parked_ids: Iterable[str], key: Any) -> dict[str, dict[str, str]]:
        wanted = list(parked_ids)
        if not wanted:
            return {}
        pipeline = self._redis.pipeline(transaction=False)
        for parked_id in wanted:
            pipeline.hgetall(key(parked_id))
        answers = cast(Any, pipeline.execute())
        return {name: kept for name, kept in zip(wanted, answers, strict=True) if kept}


def _late_of(kept: Mapping[str, str]) -> Iterable[ParkedOrder]:
    for order_id in sorted(kept, key=place_of):
        given = _given(kept[order_id])
        if given is not None:
            yield given


def _discarded(kept: Mapping[str, str]) -> Discarded | None:
    given = _given(kept["told"])
    if given is None:
        return None
    return Discarded(given=given, discarded_at=datetime.fromtimestamp(int(kept["at"]), UTC))


def _given(text: str) -> ParkedOrder | None:
    """Return a stored order; None where a newer version means something else by it."""
    kept: dict[str, Any] = json.loads(text)
    if is_incompatible(schema_in(kept), versions.REPLAY):
        return None
    return ParkedOrder(**{name: kept[name] for name in ParkedOrder.__dataclass_fields__ if name in kept})
