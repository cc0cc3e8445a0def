"""Which primary the ledger is on, and whether the last writes may be missing from it.

Replication is asynchronous: a promoted replica may lack the last writes of the old primary. One of them may be the
intent of a create that is still on its way to Seam. So the primary's replication id is noted in the ledger once a
second. A promoted replica has the old primary's note, and another id of its own. The process that notices this first
starts a pause for all. A ledger with an older note than this process has already seen is noticed too.

A primary that was restarted with its own file also has a new id, but no previous primary: no write is missing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog
from redis import Redis
from redis.exceptions import NoPermissionError, ResponseError

from shared import redis_keys
from shared.domain.times.epoch import from_milliseconds, milliseconds

_NOTE: Final = (Path(__file__).parent / "note_primary.lua").read_text(encoding="utf-8")
_RESTORED: Final = (Path(__file__).parent / "note_restore.lua").read_text(encoding="utf-8")
_FINISH: Final = (Path(__file__).parent / "finish_rollback.lua").read_text(encoding="utf-8")
_FORBIDDEN: Final = ("ACL", "can't run this command", "not allowed")
NOTED_EVERY: Final = timedelta(seconds=1)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """A change of primary. Writes may be missing from the last note before it until it was noticed.

    `is_certain`: some are certainly missing. `is_done`: the worker has dealt with it. `is_restore`: no failover, but a
    person restored a backup. Times are by the data servers' clocks.
    """

    rollback_id: str
    since: datetime
    noticed_at: datetime
    is_certain: bool
    is_done: bool
    is_restore: bool = False


@dataclass(frozen=True, slots=True)
class PrimaryState:
    """How long creates still pause, by the data server's clock; the last rollback, and the ledger's epoch, if any."""

    pause: timedelta
    rollback: Rollback | None
    epoch: str | None


class LedgerPrimary:
    """Writes and reads the note. Thread-safe: each note is one atomic step."""

    def __init__(self, redis: Redis, *, settle: timedelta) -> None:
        """`settle` is how long creates pause after a rollback: as long as a create can take, if its intent was lost."""
        self._redis = redis
        self._settle = settle
        self._script = redis.register_script(_NOTE)
        self._seen: tuple[int, str, int] = (0, "", 0)
        self._is_logged = False

    def note(self) -> PrimaryState:
        """Note the primary; return what is known of the ledger. One round trip. Raises RedisError.

        If the data server doesn't tell its replication id, no rollback is noticed.
        """
        count, replid, offset = self._seen
        args: list[str | int] = [_milliseconds(self._settle), _milliseconds(NOTED_EVERY), count, replid, offset]
        try:
            answer: Any = self._script(keys=[redis_keys.PRIMARY, redis_keys.LEDGER_EPOCH], args=args)
        except ResponseError as error:
            if not _is_forbidden(error):
                raise
            if not self._is_logged:
                log.warning("primary.not_known", error=str(error))
                self._is_logged = True
            epoch: Any = self._redis.get(redis_keys.LEDGER_EPOCH)
            return PrimaryState(timedelta(), None, epoch)
        count, replid, offset, pause, rollback_id, since, noticed_at, certain, done, restored, epoch = answer
        self._seen = (count, replid, offset)
        rollback = None
        if rollback_id:
            rollback = Rollback(
                rollback_id=rollback_id,
                since=from_milliseconds(since),
                noticed_at=from_milliseconds(noticed_at),
                is_certain=certain == "1",
                is_done=done == "1",
                is_restore=restored == "1",
            )
        return PrimaryState(timedelta(milliseconds=pause), rollback, epoch)

    def restored(self, since: datetime | None = None) -> Rollback:
        """Note that the ledger was restored from a backup: what was written after `since` is missing for certain.

        Without `since` the last note in the backup counts. All creates pause from now on, and the worker deals with the
        restore as with any rollback. Atomic. Raises ValueError if the backup has no note and `since` isn't given;
        RedisError.
        """
        at = "" if since is None else str(milliseconds(since))
        answer: Any = self._redis.eval(_RESTORED, 1, redis_keys.PRIMARY, str(_milliseconds(self._settle)), at)
        if not answer:
            raise ValueError("no note of its time")
        rollback_id, began, noticed_at = answer
        return Rollback(
            rollback_id=rollback_id,
            since=from_milliseconds(int(began)),
            noticed_at=from_milliseconds(int(noticed_at)),
            is_certain=True,
            is_done=False,
            is_restore=True,
        )

    def finish(self, rollback: Rollback) -> None:
        """Record that a rollback was dealt with, unless another one was noticed since. Atomic and idempotent."""
        self._redis.eval(_FINISH, 1, redis_keys.PRIMARY, rollback.rollback_id)


def _is_forbidden(error: ResponseError) -> bool:
    """Say whether the data server forbids INFO in a script. Some providers allow it only outside of scripts."""
    # The texts of Valkey and of Redis 7. Some providers have other texts.
    return isinstance(error, NoPermissionError) or any(words in str(error) for words in _FORBIDDEN)


def _milliseconds(length: timedelta) -> int:
    return int(length.total_seconds() * 1000)
