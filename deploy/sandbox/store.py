"""Documents in memory, written through to SQLite.

Memory answers every read; the file exists so that a sandbox that was killed goes on where it was.
`synchronous=OFF` is enough for that: it survives the death of the process, not of the machine.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, key)
)
"""
_UPSERT = """
INSERT INTO documents (kind, key, body) VALUES (?, ?, ?)
ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body
"""


class Store:
    """The file behind all collections; without a path, nothing is kept."""

    def __init__(self, path: Path | None = None) -> None:
        """Open or create the file.

        Raises:
            sqlite3.Error: the path can't be opened as a database.

        """
        self._connection: sqlite3.Connection | None = None
        self._depth = 0
        if path is not None:
            self._connection = sqlite3.connect(path, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = OFF")
            self._connection.execute(_SCHEMA)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Write everything inside in one transaction; also when it ends in an exception."""
        connection = self._connection
        if connection is None or self._depth:
            yield
            return
        self._depth += 1
        connection.execute("BEGIN")
        try:
            yield
        finally:
            self._depth -= 1
            connection.execute("COMMIT")

    def rows(self, kind: str) -> list[tuple[str, bytes]]:
        """Return the keys and bodies of one kind, in the order of their first insertion."""
        if self._connection is None:
            return []
        query = "SELECT key, body FROM documents WHERE kind = ? ORDER BY rowid"
        return self._connection.execute(query, (kind,)).fetchall()

    def write(self, kind: str, key: str, body: bytes) -> None:
        """Insert or replace one document."""
        if self._connection is not None:
            self._connection.execute(_UPSERT, (kind, key, body))

    def erase(self, kind: str, key: str) -> None:
        """Remove one document, if it is there."""
        if self._connection is not None:
            self._connection.execute("DELETE FROM documents WHERE kind = ? AND key = ?", (kind, key))

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def is_durable(self) -> bool:
        """Whether there is a file at all."""
        return self._connection is not None


class Collection(Generic[T]):
    """All values of one type by key, in insertion order."""

    def __init__(self, store: Store, kind: str, model: type[T]) -> None:
        """Load what the store holds of this kind."""
        self._store = store
        self._kind = kind
        self._adapter: TypeAdapter[T] = TypeAdapter(model)
        self._values = {key: self._adapter.validate_json(body) for key, body in store.rows(kind)}

    def put(self, key: str, value: T) -> None:
        """Insert or replace."""
        self._values[key] = value
        if self._store.is_durable:
            self._store.write(self._kind, key, self._adapter.dump_json(value))

    def remove(self, key: str) -> None:
        """Remove, if it is there."""
        if self._values.pop(key, None) is not None:
            self._store.erase(self._kind, key)

    def get(self, key: str) -> T | None:
        """Return one value, or None."""
        return self._values.get(key)

    def values(self) -> list[T]:
        """Return all values in insertion order."""
        return list(self._values.values())

    def forget_oldest(self, number: int) -> None:
        """Remove the first `number` values."""
        for key in list(islice(self._values, number)):
            self.remove(key)

    def __len__(self) -> int:
        return len(self._values)
