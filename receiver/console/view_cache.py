"""What a page shows is read once for all tabs that want the same at the same moment.

When something changes every open tab fetches its page again, all at once. Reading the board of a large house costs tens
of milliseconds; twenty tabs would wait for each other. A view is used again for a second at most, and only while the
ledger shows no change; whatever somebody does in this console ends it at once. The API reads anew for each request.
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
_MOST_VIEWS: Final = 64

Mark = tuple[Any, ...]


@dataclass(slots=True)
class _Slot:
    lock: threading.Lock = field(default_factory=threading.Lock)
    mark: Mark = ()
    made_at: float = float("-inf")
    view: Any = None


class ViewCache:
    """Views by operation, address, query and whose token it is. Thread-safe."""

    def __init__(self, ports: Ports, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._ports = ports
        self._clock = clock
        self._lock = threading.Lock()
        self._slots: dict[tuple[Any, ...], _Slot] = {}

    def read(self, operation: Operation, call: Call) -> Any:
        """Return what the operation answers. Raises what it raises, and RedisError."""
        slot = self._slot((operation.name, tuple(sorted(call.path.items())), call.query, call.token.name))
        with slot.lock:
            # Before it is read: a change meanwhile makes the next request read again.
            mark = self._mark()
            if slot.mark != mark or self._clock() - slot.made_at > _LONGEST:
                began = self._clock()
                slot.view = operation.handle(call)
                slot.mark, slot.made_at = mark, began
            return slot.view

    def forget(self) -> None:
        """Use no view again: somebody did something."""
        with self._lock:
            self._slots = {}

    def _slot(self, key: tuple[Any, ...]) -> _Slot:
        with self._lock:
            if key not in self._slots and len(self._slots) >= _MOST_VIEWS:
                self._slots = {}
            return self._slots.setdefault(key, _Slot())

    def _mark(self) -> Mark:
        """Return what changes with every booking, alert and parked message."""
        pipeline = self._ports.redis.pipeline(transaction=False)
        for index in (redis_keys.BOOKINGS_BY_CHANGE, redis_keys.ALERTS):
            pipeline.zrange(index, 0, 0, desc=True, withscores=True)
        bookings, alerts = cast(Any, pipeline.execute())
        return (str(bookings), str(alerts), self._ports.parked.mark())
