"""The log of calls to the sandbox's API, and the counts that tests ask for."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.store import Collection, Store

KEPT = 50_000
_EVICTED_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One API call; `status` 0 means that the connection was closed without an answer."""

    seq: int
    at: datetime
    method: str
    path: str
    operation: str
    params: JsonObject
    device_id: str | None
    access_code_id: str | None
    status: int
    request_id: str
    fault: str | None
    seconds: float


class RequestLog:
    """The newest calls, and counts of all of them."""

    def __init__(self, store: Store) -> None:
        """Load the calls and count them."""
        self._kept = Collection(store, "requests", LoggedRequest)
        self._by_outcome: Counter[tuple[str, int]] = Counter()
        self._creates: Counter[str] = Counter()
        self._in_flight: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._most_at_once: Counter[tuple[str, str]] = Counter()
        self._seq = 0
        for logged in self._kept.values():
            self._count(logged)

    def next_seq(self) -> int:
        """Return the next call's number."""
        self._seq += 1
        return self._seq

    def add(self, logged: LoggedRequest) -> None:
        """Keep a call; from time to time the oldest make room."""
        self._kept.put(str(logged.seq), logged)
        self._count(logged)
        if len(self._kept) >= KEPT + _EVICTED_AT_ONCE:
            self._kept.forget_oldest(_EVICTED_AT_ONCE)

    def everything(self) -> list[LoggedRequest]:
        """Return the kept calls, oldest first."""
        return self._kept.values()

    @contextmanager
    def in_flight(self, operation: str, device_id: str | None) -> Iterator[None]:
        """Count a call as running."""
        key = (operation, device_id or "")
        self._in_flight[key] += 1
        self._most_at_once[key] = max(self._most_at_once[key], self._in_flight[key])
        try:
            yield
        finally:
            self._in_flight[key] -= 1

    def counts(self) -> JsonObject:
        """Return the counts, as ``GET /sandbox/stats`` shows them."""
        by_path: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for (path, status), number in sorted(self._by_outcome.items()):
            by_path[path][str(status)] = number
        most = {
            device_id: number
            for (operation, device_id), number in self._most_at_once.items()
            if operation == "access_codes.create" and device_id
        }
        return {
            "requests": sum(self._by_outcome.values()),
            "by_path_and_status": dict(by_path),
            "create_calls_by_door": dict(self._creates),
            "most_concurrent_creates_by_door": most,
        }

    def _count(self, logged: LoggedRequest) -> None:
        self._seq = max(self._seq, logged.seq)
        self._by_outcome[logged.path, logged.status] += 1
        if logged.operation == "access_codes.create" and logged.device_id is not None:
            self._creates[logged.device_id] += 1
