"""Puts what arrives into its stream, durably and once, before anybody is told that it was accepted.

Group commit: what arrives while one append is under way waits for it and goes into the next as one script call, so that
one durable write serves all of them. The waiting room is bounded: past it the answer is "busy", at once, never a queue
that grows.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import structlog
from pydantic_core import to_json
from redis.asyncio import Redis
from redis.exceptions import RedisError

from receiver.script_connection import ScriptConnection
from shared import redis_keys
from shared.clock import Clock
from shared.parked import MOST_PARKED, Parked, fields_of
from shared.streams import APPEND_ONCE_SCRIPT

_LARGEST_GROUP: Final = 512
# Two groups: what waits longer than these take to write is better sent again than answered late.
_MOST_WAITING: Final = 1024
_SEEN_FOR: Final = int(redis_keys.SEEN_FOR.total_seconds())
# Of a data server that is away one line a second says all there is to say.
_TELL_EVERY: Final = 1.0
_ENCODER: Final = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Unavailable(Exception):
    """The data server can't take it now; whoever sent it should send it again."""


class _Waiting(NamedTuple):
    message_id: str
    message: str | bytes
    appended: "asyncio.Future[bool]"


class Inbox:
    """Appends to one stream; `run` must be running for `append` to end."""

    def __init__(self, redis: Redis, *, stream: str, field: str, clock: Clock) -> None:
        self._clock = clock
        self._stream = stream
        self._field = field
        self._script = ScriptConnection(redis, APPEND_ONCE_SCRIPT)
        self._waiting: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        # Asked for each time, it would cost a call to the system.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._untold = 0
        self._tell_at = 0.0

    def check_room(self) -> None:
        """Raise Unavailable if nothing more can be taken in now: worth asking before any work is done for it."""
        if len(self._waiting) >= _MOST_WAITING:
            raise Unavailable

    def append(self, message_id: str, message: str | bytes) -> "asyncio.Future[bool]":
        """Append a message; the future is True if it is new, False if it was seen within three days.

        It is done once the server has it (with an append-only file that is synced always: on disk), or fails with
        Unavailable, which is also raised at once where there is no room.
        """
        self.check_room()
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        appended = self._loop.create_future()
        self._waiting.append(_Waiting(message_id, message, appended))
        self._arrived.set()
        return appended

    async def run(self) -> None:
        """Write groups until cancelled, then close the connection."""
        try:
            await self._run()
        finally:
            await self._script.close()

    async def _run(self) -> None:
        while True:
            while not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), _LARGEST_GROUP))]
            try:
                answers = await self._write(group)
            except asyncio.CancelledError:
                _fail(group)
                raise
            except (RedisError, OSError) as error:
                _fail(group)
                self._tell_failed(len(group), error)
            except Exception:
                # A message that can't even be sent fails its group; a writer that died would hang every later one.
                log.exception("append.crashed", stream=self._stream, waiting=len(group))
                _fail(group)
            else:
                for waiting, answer in zip(group, answers, strict=True):
                    if not waiting.appended.done():
                        waiting.appended.set_result(answer == "1")

    def _tell_failed(self, refused: int, error: Exception) -> None:
        """Log it, once a second at most: while the data server is away every message fails at once."""
        self._untold += refused
        now = time.monotonic()
        if now >= self._tell_at:
            log.warning("append.failed", stream=self._stream, waiting=self._untold, error=str(error))
            self._untold, self._tell_at = 0, now + _TELL_EVERY

    async def _write(self, group: Sequence[_Waiting]) -> str:
        keys = [self._stream, *(redis_keys.seen(self._stream, each.message_id) for each in group)]
        # One moment for all of them: they are some milliseconds apart.
        now = self._clock().isoformat()
        return await self._script.run(keys, [_SEEN_FOR, self._field, now, *(each.message for each in group)])


def _fail(group: Sequence[_Waiting]) -> None:
    for waiting in group:
        if not waiting.appended.done():
            waiting.appended.set_exception(Unavailable())


class Sidelines:
    """What `web` keeps besides its streams: parked webhooks, and counts of events that aren't ours."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._trying: asyncio.Task[bool] | None = None

    async def park(self, parked: Parked) -> None:
        """Keep a message for a person. Raises Unavailable."""
        try:
            await self._redis.xadd(redis_keys.PARKED, fields_of(parked), maxlen=MOST_PARKED, approximate=True)
        except (RedisError, OSError) as error:
            log.warning("park.failed", error=str(error))
            raise Unavailable from error

    async def count_ignored(self, event_type: str) -> None:
        """Count an event that isn't ours. A count is not worth an error: one that can't be written is dropped."""
        try:
            await self._redis.hincrby(redis_keys.IGNORED, event_type[:80], 1)
        except (RedisError, OSError) as error:
            log.warning("count.failed", error=str(error), event_type=event_type[:80])

    async def is_reachable(self) -> bool:
        """Say whether the data server answers and takes writes.

        Anybody may ask, and it costs a write: whoever asks during a try shares its answer.
        """
        if self._trying is None or self._trying.done():
            self._trying = asyncio.create_task(self._takes_writes())
        return await asyncio.shield(self._trying)

    async def _takes_writes(self) -> bool:
        try:
            await self._redis.hincrby(redis_keys.IGNORED, "readiness", 0)
        except (RedisError, OSError):
            return False
        return True


def as_ascii(message: Any) -> bytes:
    """Return JSON that any reader accepts: ASCII, so that a lone surrogate stays an escape."""
    try:
        # Four times as fast as the library's own, but it knows neither surrogates nor escapes.
        quick = to_json(message, inf_nan_mode="constants")
    except ValueError:
        quick = b"\xff"
    return quick if quick.isascii() else _ENCODER.encode(message).encode()
