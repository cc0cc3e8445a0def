"""Counts how often this process waits for an answer from the data server."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from redis.connection import AbstractConnection


@dataclass(slots=True)
class RoundTrips:
    """The number of round trips. A pipeline is one, whatever is in it."""

    count: int = 0


@contextmanager
def round_trips() -> Iterator[RoundTrips]:
    """Count the round trips of all threads of this process."""
    trips, send = RoundTrips(), AbstractConnection.send_packed_command

    def counted(connection: AbstractConnection, *args: Any, **options: Any) -> Any:
        trips.count += 1
        return send(connection, *args, **options)  # type: ignore[no-untyped-call]

    with patch.object(AbstractConnection, "send_packed_command", counted):
        yield trips
