"""Version skew: work that only a newer version understands is put back as it was, for a newer process to take.

An older process neither parks it, nor counts it as a failure, nor loses it. Its pauses grow, so that a whole fleet of
older processes isn't kept busy by it. Which record is too new: `shared.ledger.newer_version_records`.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import structlog
from redis import Redis

from shared.clock import Clock
from shared.domain.versions import NewerVersionNeeded
from shared.ledger.due_set import DueItem, DueSet
from shared.ledger.work_for_newer_version import WorkForNewerVersion
from shared.streams import give_back

_SHORTEST_PAUSE: Final = timedelta(seconds=2)
_LONGEST_PAUSE: Final = timedelta(minutes=1)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class PutBackForNewerVersion:
    """Is put around each task: `item` for work in the due-set, `entry` and `entries` for what is in a stream."""

    def __init__(self, *, redis: Redis, due: DueSet, work: WorkForNewerVersion, clock: Clock) -> None:
        self._redis = redis
        self._due = due
        self._work = work
        self._clock = clock

    @contextmanager
    def item(self, item: DueItem) -> Iterator[None]:
        """Put the item back where what is done for it raises NewerVersionNeeded."""
        try:
            yield
        except NewerVersionNeeded as error:
            self.put_back(item, str(error))

    def put_back(self, item: DueItem, reason: str) -> None:
        """Put the item back for another process: for as long again as it has been waiting, a minute at most."""
        waited = self._work.note(item.encoded())
        pause = min(max(waited, _SHORTEST_PAUSE), _LONGEST_PAUSE)
        self._due.put_back(item, self._clock() + pause)
        self._tell(item.encoded(), reason, waited)

    @contextmanager
    def entry(self, stream: str, entry_id: str) -> Iterator[None]:
        """Leave the entry in its stream if what is done for it raises NewerVersionNeeded; it comes again by itself."""
        try:
            yield
        except NewerVersionNeeded as error:
            self.entries(stream, [entry_id], str(error))

    def entries(self, stream: str, entry_ids: list[str], reason: str) -> None:
        """Leave entries in their stream."""
        give_back(self._redis, stream, entry_ids)
        for entry_id in entry_ids:
            work = json.dumps(["entry", stream, entry_id], separators=(",", ":"))
            self._tell(work, reason, self._work.note(work))

    def _tell(self, work: str, reason: str, waited: timedelta) -> None:
        log.warning("work.left_to_newer", work=work, reason=reason, waited=round(waited.total_seconds()))
