"""How much waits in a stream, and since when: what `oracode doctor` and the console show."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from redis import Redis
from redis.exceptions import ResponseError

from shared.domain.entry_ids import moment_of
from shared.streams import GROUP


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamBacklog:
    """The unfinished work of a stream: entries that are done are taken out.

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
    return backlogs_of(redis, [stream])[stream]


def backlogs_of(redis: Redis, streams: Iterable[str]) -> dict[str, StreamBacklog]:
    """Return the backlog of each stream, in two round trips for all. Raises RedisError, OSError."""
    names = list(dict.fromkeys(streams))
    pipeline = redis.pipeline(transaction=False)
    for name in names:
        pipeline.xlen(name)
        pipeline.xrange(name, count=1)
        pipeline.xinfo_groups(name)
    answers = cast(Any, pipeline.execute(raise_on_error=False))
    lengths, firsts = _checked(answers[::3]), _checked(answers[1::3])
    delivered = [_delivered(groups) for groups in answers[2::3]]
    for name, (last_read, _) in zip(names, delivered, strict=True):
        pipeline.xrange(name, min=last_read, count=1)
    unread = pipeline.execute()
    return {
        name: StreamBacklog(
            unread=max(0, length - in_hand),
            in_hand=min(in_hand, length),
            oldest_at=_appended_at(first),
            oldest_unread_at=_appended_at(first_unread),
        )
        for name, length, first, (_, in_hand), first_unread in zip(
            names, lengths, firsts, delivered, unread, strict=True
        )
    }


def _checked(answers: list[Any]) -> list[Any]:
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers


def _delivered(groups: Any) -> tuple[str, int]:
    """Return from where on our group has read nothing, and how many entries it has in hand.

    A stream that isn't there, or not any more, has no groups: the answer is an error then.
    """
    if isinstance(groups, Exception) and not isinstance(groups, ResponseError):
        raise groups
    for group in groups if isinstance(groups, list) else ():
        if group["name"] == GROUP:
            return f"({group['last-delivered-id']}", int(group["pending"])
    return "-", 0


def _appended_at(entries: Any) -> datetime | None:
    """Return when the first of these entries was appended; None if there is none."""
    return moment_of(str(entries[0][0])) if entries else None
