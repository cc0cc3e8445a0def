"""Appending to, and acknowledging from, the streams of the contract.

An entry is taken out of its stream in the same step in which it is acknowledged. So a stream holds only unfinished
work, its length is the backlog, and memory stays flat.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys
from shared.contracts import EVENT_FIELD
from shared.domain.entry_ids import entry_id_at, following, is_before, place_of
from shared.replicas import Step, wait_for_replicas

GROUP: Final = "oracode"
# One name for all workers: an entry goes to one reader all the same, and no dead consumer is left behind.
CONSUMER: Final = "dispatcher"
# In an entry that was parked and is replayed: the id that it had before, "" where it had none. Bookings without a
# revision are in that order.
FIRST_ENTRY_FIELD: Final = "first_entry"
ORDERS_LOOKED_FOR_EVERY: Final = timedelta(seconds=5)
"""How often a worker looks for orders that were taken and aren't done. After RECLAIM_AFTER it takes them over."""
_ENTRY_ID: Final = re.compile(r"[0-9]{1,20}-[0-9]{1,20}", re.ASCII)
_MOST_AT_ONCE: Final = 200
# The value of a mark that says nothing but "seen".
SEEN: Final = "1"
APPEND_ONCE_SCRIPT: Final = (Path(__file__).parent / "append_once.lua").read_text(encoding="utf-8")


class EventStream:
    """Where `web` puts Seam's events; the worker adds those that never came by webhook."""

    def __init__(self, redis: Redis, stream: str) -> None:
        self._stream = stream
        self._append = redis.register_script(APPEND_ONCE_SCRIPT)

    def append_missing(self, events: Sequence[tuple[str, str]], received_at: str) -> list[bool]:
        """Append (event_id, event JSON without PINs) pairs; True for each that nobody had brought within three days.

        Atomic for each few hundred of them.
        """
        missing: list[bool] = []
        for start in range(0, len(events), _MOST_AT_ONCE):
            group = events[start : start + _MOST_AT_ONCE]
            keys = [self._stream, *(redis_keys.seen(self._stream, event_id) for event_id, _ in group)]
            life = int(redis_keys.SEEN_FOR.total_seconds())
            args: list[str | int] = [life, EVENT_FIELD, received_at, *(event for _, event in group)]
            missing += [answer == "1" for answer in self._append(keys=keys, args=args)]
        return missing


class OutcomeStream:
    """The stream that tells booking systems what became of their bookings."""

    def __init__(self, redis: Redis, stream: str) -> None:
        self._redis = redis
        self._stream = stream
        self._append = redis.register_script(APPEND_ONCE_SCRIPT)

    def publish(self, message_id: str, message: str) -> bool:
        """Append a message once: False where one of this id was appended within three days. Atomic."""
        keys = [self._stream, redis_keys.seen(self._stream, message_id)]
        args: list[str | int] = [int(redis_keys.SEEN_FOR.total_seconds()), "message", "", message]
        return bool(self._append(keys=keys, args=args) == "1")

    def trim(self, before: datetime) -> int:
        """Take out what is older than `before` and no consumer group still needs; return how many entries that were.

        A group needs what it has not been given, and what it was given and hasn't acknowledged.
        """
        if not self._redis.exists(self._stream):
            return 0
        oldest_needed = [entry_id_at(before)]
        for group in cast(Any, self._redis.xinfo_groups(self._stream)):
            pending = cast(Any, self._redis.xpending(self._stream, group["name"]))
            oldest_needed.append(pending["min"] or following(group["last-delivered-id"]))
        return int(
            cast(Any, self._redis.xtrim(self._stream, minid=min(oldest_needed, key=place_of), approximate=False))
        )


def is_entry_id(text: str) -> bool:
    """Say whether a text is the id of an entry, as the data server writes it."""
    return _ENTRY_ID.fullmatch(text) is not None


def arrival_of(entry_id: str, fields: Mapping[str, str]) -> str:
    """Return the id under which an entry first came into its stream: one that was parked and replayed keeps it."""
    first = fields.get(FIRST_ENTRY_FIELD, "")
    if is_entry_id(first) and is_before(first, entry_id):
        return first
    return entry_id


def ensure_group(redis: Redis, stream: str) -> None:
    """Create our consumer group at the stream's very start, and the stream, where they don't exist."""
    from redis.exceptions import ResponseError  # noqa: PLC0415 - only here

    try:
        redis.xgroup_create(stream, GROUP, id="0", mkstream=True)
    except ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise


def give_back(redis: Redis, stream: str, entry_ids: list[str]) -> None:
    """Leave entries pending as if they had been handed over once: nothing is known against them.

    They come again when they have been idle for long enough. Idempotent; one that somebody acknowledged stays so.
    """
    if entry_ids:
        redis.xclaim(stream, GROUP, CONSUMER, 0, cast(Any, entry_ids), retrycount=1, justid=True)


def acknowledge(redis: Redis, stream: str, entry_ids: list[str], *, step: Step) -> None:
    """Take entries whose outcome is recorded out of the group and the stream, in one transaction. Idempotent.

    The outcome is on SYNC_REPLICAS replicas first, also where another process recorded it. `step` began before the
    entries were read. Raises NotOnReplicas where the outcome may be lost, and then takes out none.
    """
    if entry_ids:
        wait_for_replicas(redis, step)
        pipeline = redis.pipeline(transaction=True)
        pipeline.xack(stream, GROUP, *entry_ids)
        pipeline.xdel(stream, *entry_ids)
        pipeline.execute()
