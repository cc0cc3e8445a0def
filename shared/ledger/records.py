"""Records with a version: read, change by a pure function, write if nobody else did meanwhile."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Generic, TypeVar

from pydantic import TypeAdapter
from redis import Redis

_SAVE: Final = (Path(__file__).parent / "save_record.lua").read_text()

T = TypeVar("T")


class Conflict(Exception):
    """Somebody else wrote the record since it was read."""


class RecordStore(Generic[T]):
    """Stores values of one type as JSON, each with a version. The type is checked on the way in and out."""

    def __init__(self, redis: Redis, record_type: type[T]) -> None:
        self._redis = redis
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
    ) -> int:
        """Write the record over `version`, and append to its history, atomically. Returns the new version.

        Raises Conflict, having written nothing, where the record isn't at `version` any more.
        """
        text = self._adapter.dump_json(record).decode()
        args: list[str | int] = [version, int(expires_at.timestamp() * 1000), text, *history]
        following = int(self._save(keys=[key] if history_key is None else [key, history_key], args=args))
        if following < 0:
            raise Conflict(key)
        return following
