"""Messages that were replayed: whether they are done, and since when people know of them if they were parked again.

Without it their alert would close with the replay, and open again a moment later. An entry is in its stream until it is
done, and is parked again before it is taken out.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys
from shared.domain.entry_ids import is_before

_LOOKED_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What is kept of a replay: the message's id on the parked list, its first stream entry, and what was wrong.

    `cause` is the name of its `ParkedCause`.
    """

    parked_id: str
    source_id: str
    cause: str


@dataclass(frozen=True, slots=True)
class _Replayed:
    """A replay with the entry that it made. `is_done`: no worker has it before it any more."""

    name: str
    stream: str
    entry_id: str
    replay: Replay
    is_done: bool

    @property
    def may_be_parked_as(self) -> frozenset[tuple[str, str]]:
        """The stream and the source id of the parked message that it may become again."""
        return frozenset({(self.stream, self.replay.source_id), (self.stream, self.entry_id)})


class Replays:
    """The replays as they stood at one moment."""

    def __init__(self, replayed: Iterable[_Replayed]) -> None:
        self._all = tuple(replayed)
        self._first: dict[tuple[tuple[str, str], str], str] = {}
        for each in self._all:
            for parked_as in each.may_be_parked_as:
                known = self._first.setdefault((parked_as, each.replay.cause), each.replay.parked_id)
                if is_before(each.replay.parked_id, known):
                    self._first[parked_as, each.replay.cause] = each.replay.parked_id

    @property
    def names(self) -> frozenset[str]:
        """What they are stored by."""
        return frozenset(each.name for each in self._all)

    @property
    def waiting_streams(self) -> frozenset[str]:
        """The streams that have a replayed message which is not done yet."""
        return frozenset(each.stream for each in self._all if not each.is_done)

    def known_since(self, stream: str, source_id: str, cause: str) -> str:
        """Return the id under which a message was parked first, "" where it wasn't replayed, or is parked otherwise."""
        return self._first.get(((stream, source_id), cause), "")

    def over(self, parked: frozenset[tuple[str, str]]) -> list[str]:
        """Return the names of those that are done: their message was taken, and not parked again.

        `parked` has the stream and the source id of each parked message.
        """
        goes_on = parked.union(*(each.may_be_parked_as for each in self._all if not each.is_done))
        return [each.name for each in self._all if each.is_done and not each.may_be_parked_as & goes_on]


def text_of(replay: Replay) -> str:
    """Return what is stored of a replay, by the entry that it makes and its stream."""
    return json.dumps(asdict(replay), sort_keys=True)


class ReplayedMessages:
    """The replays in Redis; they are written in the same step that takes a message off the parked list."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def read(self) -> Replays:
        """Return the replays. To be read before the parked list: what is done by then is parked again by then."""
        kept: dict[str, str] = cast(Any, self._redis.hgetall(redis_keys.REPLAYED))
        names = list(kept)
        found: list[_Replayed] = []
        for start in range(0, len(names), _LOOKED_AT_ONCE):
            some = names[start : start + _LOOKED_AT_ONCE]
            pipeline = self._redis.pipeline(transaction=False)
            for entry_id, stream in map(_parts, some):
                pipeline.xrange(stream, entry_id, entry_id)
            for name, entries in zip(some, pipeline.execute(), strict=True):
                entry_id, stream = _parts(name)
                found.append(_Replayed(name, stream, entry_id, _replay(kept[name]), not entries))
        return Replays(found)

    def streams_since(self, replays: Replays) -> frozenset[str]:
        """Return the streams into which something was replayed after `replays` was read."""
        names = {str(name) for name in cast(Any, self._redis.hkeys(redis_keys.REPLAYED))}
        return frozenset(_parts(name)[1] for name in names - replays.names)

    def forget(self, names: Iterable[str]) -> None:
        """Remove replays that are over. Idempotent."""
        if gone := list(names):
            self._redis.hdel(redis_keys.REPLAYED, *gone)


def _replay(text: str) -> Replay:
    kept = json.loads(text)
    # A newer version may keep more.
    return Replay(parked_id=kept["parked_id"], source_id=kept["source_id"], cause=kept["cause"])


def _parts(name: str) -> tuple[str, str]:
    """Return the entry and the stream that a replay is stored by."""
    entry_id, _, stream = name.partition(" ")
    return entry_id, stream
