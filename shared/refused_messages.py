"""The messages that `POST /bookings` refused lately: a bounded list, without their content.

The sender got each problem in the answer. People here get the booking, the problems, and the times of the first and the
last refusal. The same message refused again is one entry. Messages that name no booking are one entry per quarter of an
hour: they may be of different bookings.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys
from shared.domain.messages.parked_kind import ParkedKind
from shared.domain.messages.refused import Refused

KEEP_SCRIPT: Final = (Path(__file__).parent / "keep_refused.lua").read_text(encoding="utf-8")
MOST_REFUSED: Final = 10_000
"""The newest are kept, as many as of parked messages: a flood must not fill the memory that good messages need."""
TOLD_FOR: Final = timedelta(days=1)
"""A cause that isn't met again for so long is over: nobody can mend or discard a message that isn't stored."""

_A_QUARTER: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class RefusedEntry:
    """A refusal, with when it came first and last."""

    refused: Refused
    first_at: datetime
    last_at: datetime


def keep_arguments(refused: Refused, now: datetime) -> tuple[list[str], list[str | int | float]]:
    """Return keys and arguments of KEEP_SCRIPT, which keeps a refusal."""
    kept: dict[str, Any] = {
        "booking_id": refused.booking_id,
        "kind": str(refused.kind),
        "problems": refused.problems,
    }
    if not refused.booking_id:
        kept["quarter"] = int(now.timestamp() // _A_QUARTER.total_seconds())
    # Since 0.2.0, as `quarter` is; absent where it can't be read. A version before passes over it.
    times = {"check_in": refused.check_in, "wall_check_in": refused.wall_check_in}
    kept |= {name: at.isoformat() for name, at in times.items() if at is not None}
    life = redis_keys.REFUSED_FOR
    oldest = (now - life).timestamp()
    args: list[str | int | float] = [
        json.dumps(kept, sort_keys=True),
        now.timestamp(),
        oldest,
        MOST_REFUSED,
        int(life.total_seconds()),
    ]
    return [redis_keys.REFUSED, redis_keys.REFUSED_FIRST], args


class RefusedMessages:
    """The list in Redis. Thread-safe. It remembers what it read last, parsed."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._keep = redis.register_script(KEEP_SCRIPT)
        self._parsed: Mapping[str, Refused] = {}

    def keep(self, refused: Refused, now: datetime) -> None:
        """Keep a refusal. Atomic; the same again only moves its last moment."""
        keys, args = keep_arguments(refused, now)
        self._keep(keys=keys, args=args)

    def lately(self, now: datetime) -> list[RefusedEntry]:
        """Return what was refused within REFUSED_FOR, the newest first."""
        oldest = (now - redis_keys.REFUSED_FOR).timestamp()
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.zrange(redis_keys.REFUSED, "+inf", oldest, byscore=True, desc=True, withscores=True)
        pipeline.hgetall(redis_keys.REFUSED_FIRST)
        newest, first = cast(Any, pipeline.execute())
        # A board asks again and again: most are those of the last time. Replaced as a whole, so threads may share it.
        before = self._parsed
        self._parsed = parsed = {kept: before.get(kept) or _parsed(kept) for kept, _ in newest}
        return [
            RefusedEntry(parsed[kept], _at(float(first.get(kept, last))), _at(float(last))) for kept, last in newest
        ]

    def of_booking(self, booking_id: str, now: datetime) -> list[RefusedEntry]:
        """Return what was refused of a booking, the newest first."""
        return [entry for entry in self.lately(now) if entry.refused.booking_id == booking_id]


def _at(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)


def _parsed(text: str) -> Refused:
    kept = json.loads(text)
    kind = kept["kind"] if kept["kind"] in tuple(ParkedKind) else ParkedKind.UNREADABLE
    return Refused(
        booking_id=kept["booking_id"],
        kind=ParkedKind(kind),
        problems=tuple(kept["problems"]),
        check_in=_moment(kept.get("check_in")),
        wall_check_in=_moment(kept.get("wall_check_in")),
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def refused_line(entry: RefusedEntry) -> str:
    """Say in a line what was refused, when, and why."""
    refused = entry.refused
    what = f"A {refused.kind}" if refused.kind in (ParkedKind.CANCELLATION, ParkedKind.CHANGE) else "A message"
    whom = f" for {refused.booking_id}" if refused.booking_id else ""
    since = "" if entry.first_at == entry.last_at else f" (again and again since {entry.first_at:%Y-%m-%d %H:%M} UTC)"
    problems = "; ".join(refused.problems)
    return f"{what}{whom} was refused at {entry.last_at:%Y-%m-%d %H:%M} UTC{since}: {problems}"


def lines_of(entries: Iterable[RefusedEntry], *, most: int) -> list[str]:
    """Return the lines of the newest of some refusals."""
    return [refused_line(entry) for entry, _ in zip(entries, range(most), strict=False)]
