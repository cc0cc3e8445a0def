"""Renders a page once for all tabs that ask for it at the same moment.

When something changes, every open tab fetches its page again, all at once. Making the board of a large house costs tens
of milliseconds; twenty tabs would wait for each other. A page is used again for a second at most, and only while the
ledger shows no change. Each change that is made in this console ends it at once. The API reads anew for each request.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, cast

from receiver.console.operations import Call, Operation
from receiver.console.ports import Ports
from shared import redis_keys

_LONGEST: Final = 1.0
_MOST_PAGES: Final = 64

Mark = tuple[str, ...]


@dataclass(slots=True)
class _Slot:
    lock: threading.Lock = field(default_factory=threading.Lock)
    mark: Mark = ()
    made_at: float = float("-inf")
    page: str = ""


class ViewCache:
    """Pages by operation, address, query, and the name and role of the token. Thread-safe."""

    def __init__(self, ports: Ports, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._ports = ports
        self._clock = clock
        self._lock = threading.Lock()
        self._slots: dict[tuple[Any, ...], _Slot] = {}

    def read(self, operation: Operation, call: Call, make: Callable[[], str]) -> str:
        """Return the page of this request, made by `make` if it has to be. Raises what that raises, and RedisError."""
        whose = (call.token.name, call.token.role)
        slot = self._slot((operation.name, tuple(sorted(call.path.items())), call.query, *whose))
        with slot.lock:
            # Before it is made: a change meanwhile has the next request make it anew.
            mark = self._mark()
            if slot.mark != mark or self._clock() - slot.made_at > _LONGEST:
                began = self._clock()
                slot.page = make()
                slot.mark, slot.made_at = mark, began
            return slot.page

    def forget(self) -> None:
        """Use no page again: somebody did something."""
        with self._lock:
            self._slots = {}

    def _slot(self, key: tuple[Any, ...]) -> _Slot:
        with self._lock:
            if key not in self._slots and len(self._slots) >= _MOST_PAGES:
                self._slots = {}
            return self._slots.setdefault(key, _Slot())

    def _mark(self) -> Mark:
        """Return what changes with every booking, alert and parked message. One round trip."""
        pipeline = self._ports.redis.pipeline(transaction=False)
        for index in (redis_keys.BOOKINGS_BY_CHANGE, redis_keys.ALERTS):
            pipeline.zrange(index, 0, 0, desc=True, withscores=True)
        pipeline.xlen(redis_keys.PARKED)
        pipeline.xrevrange(redis_keys.PARKED, count=1)
        bookings, alerts, parked, newest = cast(Any, pipeline.execute())
        return (str(bookings), str(alerts), str(parked), str(newest and newest[0][0]))
