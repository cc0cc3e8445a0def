"""Records with a version: read, change by a pure function, write if nobody else did meanwhile."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Generic, TypeVar

from pydantic import TypeAdapter
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import NoScriptError

# A story that never ends is a loop somewhere: the newest lines tell which, and memory stays bounded.
MOST_LINES: Final = 1_000
_SAVE: Final = (Path(__file__).parent / "save_record.lua").read_text()

T = TypeVar("T")


class Conflict(Exception):
    """Somebody else wrote the record since it was read."""


class RecordStore(Generic[T]):
    """Stores values of one type as JSON, each with a version. The type is checked on the way in and out."""

    def __init__(self, redis: Redis, record_type: type[T], *, exclude: frozenset[str] = frozenset()) -> None:
        """Store values of `record_type`, without the fields that are to be `exclude`d."""
        self._redis = redis
        self._exclude = set(exclude)
        self._adapter: TypeAdapter[T] = TypeAdapter(record_type)
        self._save = redis.register_script(_SAVE)

    def load(self, key: str) -> tuple[T | None, int]:
        """Return the record and its version; (None, 0) where there is none."""
        version, text = self._redis.hmget(key, "version", "record")
        if version is None or text is None:
            return None, 0
        return self._adapter.validate_json(text), int(version)

    def load_many(self, keys: list[str]) -> list[T | None]:
        """Return the records of all `keys`, in their order, in one round trip."""
        pipeline = self._redis.pipeline(transaction=False)
        for key in keys:
            pipeline.hget(key, "record")
        return [self._adapter.validate_json(text) if text else None for text in pipeline.execute()]

    def save(
        self,
        key: str,
        record: T,
        *,
        version: int,
        expires_at: datetime,
        history_key: str | None = None,
        history: Sequence[str] = (),
        together_with: Callable[[Pipeline], None] = lambda _: None,
    ) -> int:
        """Write the record over `version`, and append to its history, atomically. Returns the new version.

        `together_with` may queue more commands for the same round trip; they run before the write, in their order, and
        whether or not it succeeds. Raises Conflict, having written nothing of the record, where it isn't at `version`
        any more.
        """
        text = self._adapter.dump_json(record, exclude=self._exclude).decode()
        keys = [key] if history_key is None else [key, history_key]
        args: list[str | int] = [version, int(expires_at.timestamp() * 1000), text, MOST_LINES, *history]
        pipeline = self._redis.pipeline(transaction=False)
        together_with(pipeline)
        pipeline.evalsha(self._save.sha, len(keys), *keys, *args)
        *others, saved = pipeline.execute(raise_on_error=False)
        for other in others:
            if isinstance(other, Exception):
                raise other
        if isinstance(saved, NoScriptError):
            # A server that was restarted has forgotten its scripts; this loads it again.
            saved = self._save(keys=keys, args=args)
        if isinstance(saved, Exception):
            raise saved
        if int(saved) < 0:
            raise Conflict(key)
        return int(saved)
