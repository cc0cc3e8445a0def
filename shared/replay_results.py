"""What became of messages that were replayed, kept for a week.

Two records, since two steps write them. The step that takes a message off the parked list notes which entry it is in
its stream now (`replay_parked.lua`). The step that takes that entry out of the stream notes the result first: a process
that is killed in between does both again.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from redis import Redis

from shared import redis_keys
from shared.domain import versions
from shared.domain.entry_ids import moment_of
from shared.domain.versions import is_incompatible, schema_in
from shared.parked_orders import ParkedOrder, ParkedOrders
from shared.streams import FIRST_ENTRY_FIELD

_READ_AT_ONCE: Final = 200


class ReplayEnd(StrEnum):
    """What a replayed message came to."""

    APPLIED = "applied"
    """A booking was made or changed by it."""
    UNCHANGED = "unchanged"
    """It was used, and its booking stays as it was."""
    RECORDED = "recorded"
    """An event of Seam: it was recorded, and what it is about is looked at."""
    PARKED = "parked"
    """It can't be used: it is parked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """What a replayed message came to. `end` is a `ReplayEnd`, or a word of a newer version.

    `why` says why nothing was changed. `parked_id` is the id under which the message is parked again, and `problems`
    say why: they stay when somebody discards it. `booking_id` is the booking that it names or was recorded for, if any.
    """

    end: str
    booking_id: str = ""
    revision: int | None = None
    parked_id: str = ""
    why: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A message that was replayed, and its entry. `result` is None while the entry `waits` in its stream.

    It is None, too, where the entry is gone and nobody noted why: a process of another version took it. `given` is the
    order that counted: its `by` is empty where the message went back without one, as its unit is in the doors file now.
    """

    stream: str
    entry_id: str
    given: ParkedOrder
    is_mended: bool
    waits: bool
    result: ReplayResult | None

    @property
    def by(self) -> str:
        """Who replayed it."""
        return self.given.by

    @property
    def replayed_at(self) -> datetime:
        """When it went back, by the data server's clock."""
        return moment_of(self.entry_id)


class ReplayResults:
    """The results in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def note(self, stream: str, results: Mapping[str, ReplayResult]) -> None:
        """Note results by the ids of their entries, before these are taken out of their stream. The last one counts."""
        if not results:
            return
        pipeline = self._redis.pipeline(transaction=False)
        for entry_id, result in results.items():
            text = json.dumps({"schema": versions.REPLAY, **asdict(result)})
            pipeline.set(redis_keys.replay_result(stream, entry_id), text, ex=redis_keys.REPLAYS_FOR)
        pipeline.execute()

    def of(self, parked_ids: Iterable[str]) -> dict[str, Replayed]:
        """Return those of these parked messages that were replayed within a week, by their ids on the parked list."""
        wanted = list(parked_ids)
        found: dict[str, Replayed] = {}
        for start in range(0, len(wanted), _READ_AT_ONCE):
            found |= self._of_some(wanted[start : start + _READ_AT_ONCE])
        return found

    def wait(self, parked_ids: Iterable[str]) -> bool:
        """Say whether at least one of these messages was replayed, and waits in its stream."""
        return any(it.waits for it in self.of(parked_ids).values())

    def _of_some(self, parked_ids: list[str]) -> dict[str, Replayed]:
        pipeline = self._redis.pipeline(transaction=False)
        for parked_id in parked_ids:
            pipeline.hgetall(redis_keys.replay_note(parked_id))
        notes = {name: note for name, note in zip(parked_ids, pipeline.execute(), strict=True) if note}
        for note in notes.values():
            # The entry first: where it is gone, its result is there.
            pipeline.xrange(note["stream"], note["entry_id"], note["entry_id"])
            pipeline.get(redis_keys.replay_result(note["stream"], note["entry_id"]))
        answers = pipeline.execute()
        entries, results = answers[::2], answers[1::2]
        return {
            name: _replayed(note, result, is_there=bool(entry))
            for (name, note), entry, result in zip(notes.items(), entries, results, strict=True)
        }


def is_replayed(entry: Mapping[str, str]) -> bool:
    """Say whether an entry of a stream was parked before."""
    return FIRST_ENTRY_FIELD in entry


def counted_order(replays: ReplayResults, orders: ParkedOrders, parked_id: str) -> ParkedOrder | None:
    """Return the order that took a message off the list; None while it is there, or where nobody noted one."""
    if replayed := replays.of([parked_id]).get(parked_id):
        return replayed.given
    discarded = orders.discarded([parked_id]).get(parked_id)
    return discarded.given if discarded is not None else None


def told_of_replay(given: ParkedOrder) -> str:
    """Return what is kept of a replay beside its entry and stream."""
    told = {"by": given.by, "is_mended": bool(given.text), "order": given.order, "text": given.text}
    return json.dumps({"schema": versions.REPLAY, **told})


def _replayed(note: Mapping[str, str], result: str | None, *, is_there: bool) -> Replayed:
    told: dict[str, Any] = json.loads(note["told"])
    read = _result(result) if result is not None else None
    given = ParkedOrder(by=told["by"], is_discard=False, order=told.get("order", ""), text=told.get("text", ""))
    return Replayed(
        stream=note["stream"],
        entry_id=note["entry_id"],
        given=given,
        is_mended=told["is_mended"],
        waits=is_there and read is None,
        result=read,
    )


def _result(text: str) -> ReplayResult | None:
    """Return a stored result; None where a newer version means something else by it."""
    kept: dict[str, Any] = json.loads(text)
    if is_incompatible(schema_in(kept), versions.REPLAY):
        return None
    known = {name: kept[name] for name in ReplayResult.__dataclass_fields__ if name in kept}
    return ReplayResult(**{**known, "problems": tuple(known.get("problems", ()))})
