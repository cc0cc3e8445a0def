"""The parked list: what could not be understood, with the reason, kept for a person to replay or discard.

A Redis stream, so that entries have an order and an id of their own. Parking comes before acknowledging: a kill between
the two parks an entry twice, never loses it, and `source_id` lets a person see that it is the same.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys
from shared.domain import versions
from shared.redaction import mask_digits
from shared.streams import FIRST_ENTRY_FIELD, is_entry_id

# A flood of bad messages must not fill the memory that good ones need; the newest are kept.
MOST_PARKED: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """One parked message. `stream` is where it came from and goes back to, `field` the entry's field there."""

    stream: str
    field: str
    source_id: str
    message: str
    problems: tuple[str, ...]
    parked_at: str


_PARKED_ID: Final = re.compile(r"[0-9]{1,20}-[0-9]{1,20}", re.ASCII)
_NAMES: Final = {each.name for each in fields(Parked)}


@dataclass(frozen=True, slots=True)
class ParkedEntry:
    """A parked message with the id by which people name it."""

    parked_id: str
    parked: Parked


def is_parked_id(text: str) -> bool:
    """Say whether this may be the id of a parked message: that of an entry of a stream."""
    return _PARKED_ID.fullmatch(text) is not None


def fields_of(parked: Parked) -> dict[Any, Any]:
    """Return the stream entry that keeps `parked`. It is never rewritten: an older reader loses nothing of it."""
    return {"parked": json.dumps(asdict(parked)), "schema": versions.PARKED}


def kept_text(text: str | None) -> str:
    """Return what is kept of a message: an object as it is, to be replayed; free text with its digits masked."""
    if text is None:
        return ""
    return text if text.lstrip().startswith("{") else mask_digits(text)


class ParkedList:
    """The parked messages in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def park(self, parked: Parked) -> str:
        """Keep a message aside and return its id."""
        entry_id = self._redis.xadd(redis_keys.PARKED, fields_of(parked), maxlen=MOST_PARKED, approximate=True)
        return str(entry_id)

    def list(self) -> Iterator[ParkedEntry]:
        """Yield all parked messages, oldest first."""
        for entry_id, entry in cast(Any, self._redis.xrange(redis_keys.PARKED)):
            yield _entry(entry_id, entry)

    def newest(self, most: int) -> Iterator[ParkedEntry]:
        """Yield up to `most` parked messages, newest first."""
        for entry_id, entry in cast(Any, self._redis.xrevrange(redis_keys.PARKED, count=most)):
            yield _entry(entry_id, entry)

    def get(self, parked_id: str) -> ParkedEntry | None:
        """Return one parked message, None where there is none of this id."""
        found = cast(Any, self._redis.xrange(redis_keys.PARKED, parked_id, parked_id))
        return _entry(*found[0]) if found else None

    def count(self) -> int:
        """Return how many messages are parked."""
        return int(cast(Any, self._redis.xlen(redis_keys.PARKED)))

    def replay(self, entry: ParkedEntry) -> None:
        """Put the message back at the end of its stream and take it off the list, in one transaction.

        It keeps its place in the order of arrival: what came after it and was applied meanwhile is newer.
        """
        pipeline = self._redis.pipeline(transaction=True)
        place: dict[Any, Any] = (
            {FIRST_ENTRY_FIELD: entry.parked.source_id} if is_entry_id(entry.parked.source_id) else {}
        )
        pipeline.xadd(entry.parked.stream, {entry.parked.field: entry.parked.message, **place})
        pipeline.xdel(redis_keys.PARKED, entry.parked_id)
        pipeline.execute()

    def discard(self, entry: ParkedEntry) -> None:
        """Take the message off the list for good."""
        self._redis.xdel(redis_keys.PARKED, entry.parked_id)


def _entry(entry_id: str, entry: dict[str, str]) -> ParkedEntry:
    kept = json.loads(entry["parked"])
    known = {name: kept[name] for name in _NAMES & kept.keys()}
    return ParkedEntry(entry_id, Parked(**{**known, "problems": tuple(kept["problems"])}))
