"""Appends messages to their stream, durably and once each, before their senders get an answer.

Group commit: messages that arrive during an append wait, and the next append takes all of them in one script call. So
one durable write serves many messages. Two appends may run at once: the data server works on one while this process
prepares the other. The number of waiting messages is bounded; beyond it `append` raises Unavailable at once.
`receiver.admission` bounds how many webhooks are verified at once, before they come here.
"""

import asyncio
import time
from collections import deque
from typing import Final, NamedTuple

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from receiver.refusals import Unavailable
from receiver.script_connection import ScriptConnection
from shared import redis_keys
from shared.clock import Clock
from shared.streams import APPEND_ONCE_SCRIPT, SEEN

_LARGEST_GROUP: Final = 512
# A message is refused if _MOST_WAITING wait; or if _MANY wait and the first of them has waited for _LONGEST_WAIT
# seconds, because a quick refusal is better than a late answer. Fewer may always wait: their append is what finds out
# that the data server is back.
_MOST_WAITING: Final = 4096
_MANY: Final = 1024
_LONGEST_WAIT: Final = 1.0
_SEEN_FOR: Final = int(redis_keys.SEEN_FOR.total_seconds())
# A second append costs the data server one more durable write, which is as much as fifteen events cost. Measured with
# 32 senders, 14 was best.
_WRITERS: Final = 2
_WORTH_A_SECOND_CALL: Final = 14
# Seconds between two log lines while the data server is away.
_LOG_EVERY: Final = 1.0

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class _Waiting(NamedTuple):
    message_id: str
    mark: str
    message: str | bytes
    appended: asyncio.Future[bool]
    since: float


class Inbox:
    """Appends to one stream. Nothing is written unless `run` is running. For one event loop."""

    def __init__(self, redis: Redis, *, stream: str, field: str, clock: Clock, sync_replicas: int = 0) -> None:
        self._redis = redis
        self._stream = stream
        self._field = field
        self._clock = clock
        self._sync_replicas = sync_replicas
        self._waiting: deque[_Waiting] = deque()
        self._writing = 0
        self._worth_a_call = asyncio.Event()
        self._not_logged = 0
        self._log_at = 0.0

    def append(
        self, message_id: str, message: str | bytes, *, mark: str = SEEN, appended: asyncio.Future[bool] | None = None
    ) -> asyncio.Future[bool]:
        """Append a message. The future's result is True if it is new, False if it was seen within three days.

        A message was seen if the newest message with its id had the same `mark`. Idempotent within these three days.
        The future is done once the data server has the message (on disk, with `appendfsync always`) and `sync_replicas`
        replicas have it. It fails with Unavailable if the write fails. Raises Unavailable at once if too many messages
        wait. The future is `appended`, if that is given.
        """
        self._check_room()
        loop = asyncio.get_running_loop()
        appended = loop.create_future() if appended is None else appended
        self._waiting.append(_Waiting(message_id, mark, message, appended, loop.time()))
        if not self._writing or len(self._waiting) >= _WORTH_A_SECOND_CALL:
            self._worth_a_call.set()
        return appended

    async def run(self) -> None:
        """Write until cancelled. Messages that then still wait fail with Unavailable: their senders send again."""
        try:
            async with asyncio.TaskGroup() as writers:
                for _ in range(_WRITERS):
                    writers.create_task(self._keep_writing())
        finally:
            for each in self._waiting:
                _settle(each, None)
            self._waiting.clear()

    async def _keep_writing(self) -> None:
        connection = ScriptConnection(self._redis, APPEND_ONCE_SCRIPT, sync_replicas=self._sync_replicas)
        try:
            await self._write_groups(connection)
        finally:
            await connection.close()

    async def _write_groups(self, connection: ScriptConnection) -> None:
        while True:
            while not self._waiting or (self._writing and len(self._waiting) < _WORTH_A_SECOND_CALL):
                self._worth_a_call.clear()
                await self._worth_a_call.wait()
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), _LARGEST_GROUP))]
            self._writing += 1
            is_new: list[bool | None] = [None] * len(group)
            try:
                is_new = await self._write(connection, group)
            except (RedisError, OSError) as error:
                self._log_failure(len(group), error)
            except Exception:
                # A message that can't be sent fails its group. It must not end the writer: all others would then wait.
                log.exception("append.crashed", stream=self._stream, waiting=len(group))
            finally:
                self._writing -= 1
                for each, outcome in zip(group, is_new, strict=True):
                    _settle(each, outcome)

    async def _write(self, connection: ScriptConnection, group: list[_Waiting]) -> list[bool | None]:
        """Append a group in one atomic call; return whether each message is new. Raises RedisError and OSError."""
        keys = [self._stream, *(redis_keys.seen(self._stream, each.message_id) for each in group)]
        args = [_SEEN_FOR, self._field, self._clock().isoformat(), *(each.message for each in group)]
        if any(each.mark != SEEN for each in group):
            args += [each.mark for each in group]
        is_new: list[bool | None] = [letter == "1" for letter in await connection.run(keys, args)]
        if not all(is_new):
            # A repeated message may not be on any replica yet, and a call that wrote nothing hasn't waited for one.
            await connection.wait_for_replicas()
        return is_new

    def _check_room(self) -> None:
        waiting = self._waiting
        if len(waiting) >= _MANY and (
            len(waiting) >= _MOST_WAITING or asyncio.get_running_loop().time() - waiting[0].since > _LONGEST_WAIT
        ):
            raise Unavailable

    def _log_failure(self, refused: int, error: Exception) -> None:
        """Log a failed append, at most once a second: while the data server is away every message fails at once."""
        self._not_logged += refused
        now = time.monotonic()
        if now >= self._log_at:
            log.warning("append.failed", stream=self._stream, waiting=self._not_logged, error=str(error))
            self._not_logged, self._log_at = 0, now + _LOG_EVERY


def _settle(each: _Waiting, is_new: bool | None) -> None:  # noqa: FBT001 - the outcome itself
    """Set the result of one append; None: it could not be written. A sender that has given up is left out."""
    if each.appended.done():
        return
    if is_new is None:
        each.appended.set_exception(Unavailable())
    else:
        each.appended.set_result(is_new)
