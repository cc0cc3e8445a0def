"""How much waits in a stream, and since when: what `oracode doctor` and the console show."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from redis import Redis
from redis.exceptions import ResponseError

from shared.streams import GROUP


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamBacklog:
    """What a stream holds is what is still to be done: entries that are done are taken out.

    `unread` entries no worker has taken, `in_hand` ones a worker has. `oldest_at` is when the oldest of all was
    appended, `oldest_unread_at` that of the unread ones; None where there is none.
    """

    unread: int
    in_hand: int
    oldest_at: datetime | None
    oldest_unread_at: datetime | None

    @property
    def length(self) -> int:
        """How many entries the stream holds."""
        return self.unread + self.in_hand


def backlog_of(redis: Redis, stream: str) -> StreamBacklog:
    """Return the backlog of a stream, whether it or our consumer group exists or not. Raises RedisError, OSError."""
    length = int(cast(Any, redis.xlen(stream)))
    if not length:
        return StreamBacklog(unread=0, in_hand=0, oldest_at=None, oldest_unread_at=None)
    last_read, in_hand = "-", 0
    try:
        for group in cast(Any, redis.xinfo_groups(stream)):
            if group["name"] == GROUP:
                last_read, in_hand = f"({group['last-delivered-id']}", int(group["pending"])
    except ResponseError:
        # It was emptied a moment ago.
        last_read, in_hand = "-", 0
    return StreamBacklog(
        unread=max(0, length - in_hand),
        in_hand=min(in_hand, length),
        oldest_at=_first(redis, stream, "-"),
        oldest_unread_at=_first(redis, stream, last_read),
    )


def _first(redis: Redis, stream: str, start: str) -> datetime | None:
    """Return when the first entry from `start` on was appended: its id begins with the milliseconds since 1970."""
    found = cast(Any, redis.xrange(stream, min=start, count=1))
    if not found:
        return None
    return datetime.fromtimestamp(int(str(found[0][0]).partition("-")[0]) / 1000, UTC)
