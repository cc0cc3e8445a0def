"""The event stream of a page: says what changed, and the page fetches that part again.

One look at the data server a second serves all open pages. Nothing of a booking is in it but its id.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import structlog
from redis.exceptions import RedisError
from starlette.concurrency import run_in_threadpool

from receiver.console.ports import Ports

LOOK_EVERY: Final = 1.0
MOST_STREAMS: Final = 200
_BEAT_EVERY: Final = 15.0
# Clocks of workers differ, so a change that is marked a little earlier than the last one seen is new, too.
_OVERLAP: Final = 5.0
_MOST_NAMED: Final = 100
_MOST_BEHIND: Final = 20

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class ChangeFinder:
    """Finds what changed since the last look. Not thread-safe; one look at a time."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._since = ports.clock().timestamp()
        self._seen: dict[tuple[str, str], float] = {}
        self._parked: tuple[int, str] | None = None

    def look(self) -> dict[str, Any]:
        """Return what changed: `topics`, and the ids of bookings; nothing where nothing did. Raises RedisError."""
        since = self._since - _OVERLAP
        bookings = self._news("bookings", self._ports.search.changed_since(since))
        alerts = self._news("alerts", self._ports.alerts.changed_since(since))
        parked = self._ports.parked.mark()
        is_parked_news, self._parked = self._parked not in (None, parked), parked
        self._seen = {key: at for key, at in self._seen.items() if at >= self._since - 2 * _OVERLAP}
        found = (("bookings", bookings), ("alerts", alerts), ("parked", is_parked_news))
        topics = [topic for topic, is_news in found if is_news]
        if not topics:
            return {}
        # Of very many the page takes it that any may be meant.
        return {"topics": topics, "bookings": bookings if len(bookings) <= _MOST_NAMED else []}

    def _news(self, topic: str, found: list[tuple[str, float]]) -> list[str]:
        news = [name for name, at in found if self._seen.get((topic, name)) != at]
        self._seen |= {(topic, name): at for name, at in found}
        self._since = max([self._since, *(at for _, at in found)])
        return news


class Changes:
    """Tells all open pages what changed. Looks only while a page is open."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._listeners: set[asyncio.Queue[str]] = set()
        self._looking: asyncio.Task[None] | None = None

    @property
    def is_full(self) -> bool:
        """Whether no more pages can be told."""
        return len(self._listeners) >= MOST_STREAMS

    async def stream(self, still_allowed: Callable[[], bool]) -> AsyncIterator[str]:
        """Yield server-sent events until the session ends (`still_allowed`) or the page is closed."""
        queue: asyncio.Queue[str] = asyncio.Queue(_MOST_BEHIND)
        self._listeners.add(queue)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            yield "retry: 2000\nevent: hello\ndata: {}\n\n"
            while True:
                try:
                    yield await asyncio.wait_for(queue.get(), _BEAT_EVERY)
                except TimeoutError:
                    if not await run_in_threadpool(still_allowed):
                        yield "event: ended\ndata: {}\n\n"
                        return
                    yield ": beat\n\n"
        finally:
            self._listeners.discard(queue)

    async def _look(self) -> None:
        finder = ChangeFinder(self._ports)
        while self._listeners:
            try:
                found = await run_in_threadpool(finder.look)
            except (RedisError, OSError) as error:
                log.warning("changes.not_read", error=type(error).__name__)
                found = {}
            if found:
                self._tell(f"event: changed\ndata: {json.dumps(found)}\n\n")
            await asyncio.sleep(LOOK_EVERY)

    def _tell(self, event: str) -> None:
        for queue in self._listeners:
            if queue.full():
                # A page that doesn't read gets the newest alone: it fetches everything anyhow.
                queue.get_nowait()
            queue.put_nowait(event)
