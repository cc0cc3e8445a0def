"""Records with a version: read, change by a pure function, write if nobody else did meanwhile.

A record that a newer process wrote is read as far as it is known here, and keeps the rest: `shared.domain.versions`.
"""

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, cast

import structlog
from pydantic import TypeAdapter, ValidationError
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import NoScriptError

from shared import redis_keys
from shared.domain.versions import OfNewerVersion, Versioned, is_incompatible, is_newer, schema_in, unknown_fields
from shared.replicas import check_reached, queue_wait, sync_replicas_of, wait_for_replicas

# Two workers that write one record at once collide once or twice; more means that something is wrong.
MOST_CONFLICTS: Final = 50
_PAUSE_AFTER: Final = 3
_LONGEST_PAUSE: Final = 0.1  # seconds
# A story that never ends is a loop somewhere: the newest lines tell which, and memory stays bounded.
MOST_LINES: Final = 1_000
_SAVE: Final = (Path(__file__).parent / "save_record_and_due_times.lua").read_text(encoding="utf-8")

T = TypeVar("T", bound=Versioned)
IndexPlace = tuple[str, str, float | None]

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Conflict(Exception):
    """Somebody else wrote the record since it was read."""


@dataclass(frozen=True, slots=True)
class Stored(Generic[T]):
    """A record as it was read: None and version 0 where there is none."""

    record: T | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Write(Generic[T]):
    """What is to be written over a record, all of it in one atomic step.

    `history` is appended to the list at `history_key`. `due` are members of the due-set with their times (epoch
    milliseconds; None takes the member out); their claims are forgotten. `places` are the record's places in indexes:
    (key of a sorted set, member, score; None takes the member out).
    `together_with` may queue more commands for the same round trip. They run before the write, in their order, and
    whether or not the write succeeds.
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
    ) -> None:
        """Store values of `record_type`, without the fields that are to be `exclude`d.

        What `is_promised` to somebody counts as written once SYNC_REPLICAS replicas have it.
        """
        self._redis = redis
        self._replicas = sync_replicas_of(redis) if is_promised else 0
        self._exclude = set(exclude)
        self._adapter: TypeAdapter[T] = TypeAdapter(record_type)
        self._name = record_type.__name__
        defaults = {each.name: each.default for each in fields(cast(Any, record_type))}
        self._schema = str(defaults["schema"])
        self._script = redis.register_script(_SAVE)

    def load(self, key: str) -> Stored[T]:
        """Return the record and its version. Raises OfNewerVersion where only a newer process can read it."""
        version, text = self._redis.hmget(key, "version", "record")
        if version is None or text is None:
            return Stored(None, 0)
        return Stored(self.decoded(text), int(version))

    def load_many(self, keys: list[str], *, passes_over_newer: bool = False) -> list[T | None]:
        """Return the records of all `keys`, in their order, in one round trip.

        One that only a newer version can read raises OfNewerVersion; or, passed over, it is logged and None here.
        """
        pipeline = self._redis.pipeline(transaction=False)
        for key in keys:
            pipeline.hget(key, "record")
        found: list[T | None] = []
        for text in pipeline.execute():
            try:
                found.append(self.decoded(text) if text else None)
            except OfNewerVersion as error:
                if not passes_over_newer:
                    raise
                # An error, since lists of records leave this one out.
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
        """Change the record as it stands now, and return it as it is afterwards. Atomic.

        `change` returns what to write, or None to leave the record as it is. It is called again, with the newer record,
        for as long as somebody else writes first; what it raises goes through, and nothing is written. `seen` is the
        record as the caller read or wrote it last: if nobody wrote since, that saves reading it.
        Raises Conflict where somebody else was first MOST_CONFLICTS times in a row.
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
                    # Many writers of one record, such as a booking on a hundred doors: they spread out.
                    time.sleep(random.random() * _LONGEST_PAUSE)  # noqa: S311 - no secret
                before = self.load(key)
        raise Conflict(key)

    def save(self, key: str, write: Write[T], *, version: int) -> int:
        """Write over `version` and return the new one. Raises Conflict, with nothing of the record written.

        Atomic. For callers that must not overwrite a newer version; all others use `update`. Raises NotOnReplicas where
        the record is written, but may be lost in a failover: then the step is to be tried again.
        """
        keys = [key, redis_keys.DUE, redis_keys.CLAIMS, *(key for key, _, _ in write.places)]
        keys += [write.history_key] if write.history_key else []
        times = [part for member, at in write.due for part in (member, "" if at is None else at)]
        args: list[str | int] = [
            version,
            int(write.expires_at.timestamp() * 1000),
            self.encoded(write.record),
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
            # A server that was restarted has forgotten its scripts; this loads it again.
            saved = self._script(keys=keys, args=args)
            if self._replicas and int(saved) >= 0:
                wait_for_replicas(self._redis)
                return int(saved)
        if isinstance(saved, Exception):
            raise saved
        if int(saved) < 0:
            raise Conflict(key)
        if self._replicas:
            check_reached(reached, self._replicas)
        return int(saved)

    def decoded(self, text: str | bytes) -> T:
        """Return the record that JSON holds. Raises OfNewerVersion; pydantic.ValidationError where it is damaged."""
        try:
            record = self._adapter.validate_json(text)
        except ValidationError:
            schema = _schema_of(text)
            if is_newer(schema, self._schema):
                raise OfNewerVersion(self._name, schema, self._schema) from None
            raise
        # All but the records of a rolling restart are of our own version, and cost no more than this comparison.
        if record.schema == self._schema or not is_newer(record.schema, self._schema):
            return record
        if is_incompatible(record.schema, self._schema):
            raise OfNewerVersion(self._name, record.schema, self._schema)
        return cast(T, _with_unknown_fields(record, json.loads(text)))

    def encoded(self, record: T) -> str:
        """Return the record as JSON; what a newer process had added stands where it stood, under its version."""
        if record.schema != self._schema:
            if is_newer(record.schema, self._schema):
                known = self._adapter.dump_python(record, mode="json", exclude=self._exclude)
                return json.dumps(_completed(record, known), separators=(",", ":"))
            record = cast(T, replace(cast(Any, record), schema=self._schema))
        return self._adapter.dump_json(record, exclude=self._exclude).decode()


def _schema_of(text: str | bytes) -> str:
    """Return the version of a record that we can't read; "" where it is no JSON at all."""
    try:
        return schema_in(json.loads(text))
    except ValueError:
        return ""


def _with_unknown_fields(value: Any, content: Any) -> Any:
    """Return a value, each object in it with what its own JSON holds besides what we know of it."""
    if is_dataclass(value) and isinstance(content, dict):
        names = {each.name for each in fields(value)}
        parts = {name: _with_unknown_fields(getattr(value, name), content[name]) for name in names & content.keys()}
        unknown = unknown_fields(content, names)
        if unknown and "unknown_fields" in names:
            parts["unknown_fields"] = unknown
        return replace(cast(Any, value), **parts)
    if isinstance(value, tuple) and isinstance(content, list):
        return tuple(_with_unknown_fields(each, part) for each, part in zip(value, content, strict=True))
    if isinstance(value, Mapping) and isinstance(content, dict):
        return {name: _with_unknown_fields(each, content[name]) for name, each in value.items()}
    return value


def _completed(value: Any, known: Any) -> Any:
    """Return the JSON of a value with what `_with_unknown_fields` had found of it."""
    if is_dataclass(value):
        parts = {name: _completed(getattr(value, name), part) for name, part in known.items()}
        return {**parts, **dict(getattr(value, "unknown_fields", ()))}
    if isinstance(value, tuple) and isinstance(known, list):
        return [_completed(each, part) for each, part in zip(value, known, strict=True)]
    if isinstance(value, Mapping) and isinstance(known, dict):
        return {name: _completed(value[name], part) for name, part in known.items()}
    return known
