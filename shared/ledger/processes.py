"""Signs of life of every process, in Redis: one sorted set, ordered by the last sign (epoch seconds).

A process never removes its sign: it is missed once it stops, also if a person stopped it. A process that has been
silent for a week is forgotten.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys

_SIGN: Final = (Path(__file__).parent / "sign_of_life.lua").read_text(encoding="utf-8")
_MOST_KEPT: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessIdentity:
    """One start of one process. `process` is its name in the Procfile."""

    process: str
    host: str
    pid: int
    version: str
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenProcess:
    """A process, and how long ago it gave its last sign of life."""

    identity: ProcessIdentity
    silent_for: timedelta


class ProcessSigns:
    """The signs of life of all processes that share this data server."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._sign = redis.register_script(_SIGN)

    def sign(self, identity: ProcessIdentity) -> None:
        """Note that the process lives now. Atomic; raises RedisError, OSError."""
        member = json.dumps(
            {
                "process": identity.process,
                "host": identity.host,
                "pid": identity.pid,
                "version": identity.version,
                "started_at": identity.started_at.isoformat(),
            },
            sort_keys=True,
        )
        kept_for = int(redis_keys.PROCESSES_FOR.total_seconds())
        self._sign(keys=[redis_keys.PROCESSES], args=[member, kept_for, _MOST_KEPT])

    def seen(self) -> tuple[SeenProcess, ...]:
        """Return every process of the last week, the one with the newest sign first.

        Raises RedisError, OSError.
        """
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.time()
        pipeline.zrevrange(redis_keys.PROCESSES, 0, -1, withscores=True)
        (seconds, _), members = cast(Any, pipeline.execute())
        found = []
        for member, signed_at in members:
            identity = _identity(member)
            if identity is not None:
                silent_for = timedelta(seconds=max(0, int(seconds) - int(signed_at)))
                found.append(SeenProcess(identity=identity, silent_for=silent_for))
        return tuple(found)


def _identity(member: str) -> ProcessIdentity | None:
    """Return the process that gave a sign; None if this version can't read what another one wrote."""
    try:
        fields: Mapping[str, Any] = json.loads(member)
        return ProcessIdentity(
            process=str(fields["process"]),
            host=str(fields["host"]),
            pid=int(fields["pid"]),
            version=str(fields["version"]),
            started_at=datetime.fromisoformat(str(fields["started_at"])).astimezone(UTC),
        )
    except (ValueError, KeyError, TypeError):
        return None
