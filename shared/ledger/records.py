"""Records with a version: read one, change it by a pure function, and write it unless another process wrote it first.

How the records of a newer process are read and written: `shared.ledger.newer_version_records`.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import structlog
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import NoScriptError

from shared import redis_keys
from shared.domain.times.epoch import milliseconds
from shared.domain.versions import NewerVersionNeeded, Versioned
from shared.ledger.newer_version_records import RecordJson
from shared.replicas import check_reached, queue_wait, sync_replicas_of

# Two workers that write one record at once collide once or twice; more means that something is wrong.
MOST_CONFLICTS: Final = 50
_PAUSE_AFTER: Final = 3
_LONGEST_PAUSE: Final = 0.1  # seconds
# A longer story means that something loops. The newest lines show what it is, and memory stays bounded.
MOST_LINES: Final = 1_000
# A booking of one door has about 1,500 characters; parsed, it takes four times as much.
_LARGEST_REMEMBERED: Final = 4_096
_SAVE: Final = (Path(__file__).parent / "save_record_and_due_times.lua").read_text(encoding="utf-8")

T = TypeVar("T", bound=Versioned)
IndexPlace = tuple[str, str, float | None]

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Conflict(Exception):
    """Another process wrote the record since it was read. The caller reads it again."""


@dataclass(frozen=True, slots=True)
class Stored(Generic[T]):
    """A record as it was read. If there is none: None, and version 0."""

    record: T | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Write(Generic[T]):
    """What replaces a record, all of it in one atomic step.

    `history` is appended to the list at `history_key`. `due` are members of the due-set with their times (epoch
    milliseconds; None takes the member out); their counts of claims are reset. `places` are the record's places in
    indexes: (key of a sorted set, member, score; None takes the member out). `together_with` may queue more commands
    for the same round trip. They run before the write, also if the write then fails.
    """

    record: T
    expires_at: datetime
    history_key: str | None = None
    history: Sequence[str] = ()
    due: Sequence[tuple[str, int | None]] = ()
    places: Sequence[IndexPlace] = ()
    together_with: Callable[[Pipeline], None] = lambda _: None


class RecordStore(Generic[T]):
    """Stores values of one type as JSON, each with a version. The type is checked on the way in and out."""

    def __init__(
        self,
        redis: Redis,
        record_type: type[T],
        *,
        exclude: frozenset[str] = frozenset(),
        is_promised: bool = False,
        remembered: int = 0,
    ) -> None:
        """Store values of `record_type`, without the fields in `exclude`.

        With `is_promised` a write counts once SYNC_REPLICAS replicas have it. `remembered` is for processes that read
        the same records again and again: it is how many stay parsed, except large ones. They are keyed by their text,
        so a record that was changed is parsed again.
        """
        self._redis = redis
        self._replicas = sync_replicas_of(redis) if is_promised else 0
        self._json = RecordJson(record_type, exclude=exclude)
        self._remembered: Callable[[str | bytes], T] = (
            lru_cache(remembered)(self._json.decoded) if remembered else self._json.decoded
        )
        self._script = redis.register_script(_SAVE)

    def load(self, key: str) -> Stored[T]:
        """Return the record and its version. Raises NewerVersionNeeded if only a newer process can read it."""
        version, text = self._redis.hmget(key, "version", "record")
        if version is None or text is None:
            return Stored(None, 0)
        return Stored(self._decoded(text), int(version))

    def load_many(self, keys: list[str], *, passes_over_newer: bool = False) -> list[T | None]:
        """Return the records of all `keys`, in their order, in one round trip.

        A record that only a newer version can read raises NewerVersionNeeded. With `passes_over_newer` it is logged,
        and is None in the list.
        """
        pipeline = self._redis.pipeline(transaction=False)
        for key in keys:
            pipeline.hget(key, "record")
        found: list[T | None] = []
        for text in pipeline.execute():
            try:
                found.append(self._decoded(text) if text else None)
            except NewerVersionNeeded as error:
                if not passes_over_newer:
                    raise
                # Logged as an error: lists of records lack this one.
                log.error("record.passed_over", reason=str(error))  # noqa: TRY400 - it is no crash
                found.append(None)
        return found

    def update(
        self,
        key: str,
        change: Callable[[Stored[T]], Write[T] | None],
        *,
        seen: Stored[T] | None = None,
    ) -> Stored[T]:
        """Apply `change` to the record as it is now, and return the result. Atomic.

        `change` returns what to write, or None to leave the record as it is. If another process writes first, it is
        called again with the newer record. Its errors are passed on, and nothing is written. `seen` is the record as
        the caller read or wrote it last: if that is still the newest, the record needn't be read.
        Raises Conflict if another process was first MOST_CONFLICTS times in a row; NewerVersionNeeded; NotOnReplicas.
        """
        before = seen or self.load(key)
        for conflicts in range(MOST_CONFLICTS):
            write = change(before)
            if write is None:
                return before
            try:
                return Stored(write.record, self.save(key, write, version=before.version))
            except Conflict:
                if conflicts >= _PAUSE_AFTER:
                    # One record may have many writers, such as a booking on a hundred doors: each waits a random time.
                    time.sleep(random.random() * _LONGEST_PAUSE)  # noqa: S311 - no secret
                before = self.load(key)
        raise Conflict(key)

    def save(self, key: str, write: Write[T], *, version: int) -> int:
        """Replace the record if it still has `version`, and return the new version. Atomic.

        Raises Conflict if it has another version: then nothing of the record is written. For callers that must not
        apply their change to a newer record; all others use `update`. Raises NotOnReplicas if the record is written,
        but may be lost in a failover: then the caller tries the step again.
        """
        keys = [key, redis_keys.DUE, redis_keys.CLAIMS, *(key for key, _, _ in write.places)]
        keys += [write.history_key] if write.history_key else []
        times = [part for member, at in write.due for part in (member, "" if at is None else at)]
        args: list[str | int] = [
            version,
            milliseconds(write.expires_at),
            self._json.encoded(write.record),
            MOST_LINES,
            len(write.due),
            len(write.places),
            *times,
            *(part for _, member, score in write.places for part in (member, "" if score is None else repr(score))),
            *write.history,
        ]
        pipeline = self._redis.pipeline(transaction=False)
        write.together_with(pipeline)
        pipeline.evalsha(self._script.sha, len(keys), *keys, *args)
        if self._replicas:
            queue_wait(pipeline, self._replicas)
        answers = pipeline.execute(raise_on_error=False)
        reached = answers.pop() if self._replicas else None
        *others, saved = answers
        for other in others:
            if isinstance(other, Exception):
                raise other
        if isinstance(saved, NoScriptError):
            # A server that was restarted has lost its scripts. This loads the script again.
            saved, reached = self._saved_by_text(keys, args)
        if isinstance(saved, Exception):
            raise saved
        if int(saved) < 0:
            raise Conflict(key)
        if self._replicas:
            check_reached(reached, self._replicas)
        return int(saved)

    def _saved_by_text(self, keys: Sequence[str], args: Sequence[str | int]) -> tuple[Any, Any]:
        """Run the script by its text; return its answer and that of WAIT. Sent together, they reach one server."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.eval(_SAVE, len(keys), *keys, *args)
        if self._replicas:
            queue_wait(pipeline, self._replicas)
        saved, *reached = pipeline.execute(raise_on_error=False)
        return saved, reached[0] if reached else None

    def _decoded(self, text: str | bytes) -> T:
        return self._remembered(text) if len(text) <= _LARGEST_REMEMBERED else self._json.decoded(text)
