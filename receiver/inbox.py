"""Puts what arrives into its stream, durably and once, before anybody is told that it was accepted.

Group commit: what arrives while one append is under way waits, and goes into the next as one script call, so that one
durable write serves all of them. While one group is made durable the next is already on its way: else all senders would
fall into step, and either this process or the data server would wait for the other. The waiting room is bounded: past
it the answer is "busy", at once, never a queue that grows.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

import structlog
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as TooLate

from receiver.script_connection import ScriptConnection
from shared import redis_keys
from shared.clock import Clock
from shared.streams import APPEND_ONCE_SCRIPT

_LARGEST_GROUP: Final = 512
# How many wait at most, and how long the first of many has waited when no more are let in (seconds): what a slow data
# server would answer late is better sent again. A few may always wait, or nobody would be left who asks it.
_MOST_WAITING: Final = 4096
_MANY: Final = 1024
_LONGEST_WAIT: Final = 1.0
_SEEN_FOR: Final = int(redis_keys.SEEN_FOR.total_seconds())
# One group is being made durable while the next one is on its way. That must be worth a call of its own, which costs
# the data server a durable write, as much as fifteen events do. Measured with 32 senders: 14 keep both sides busiest.
_MOST_UNDER_WAY: Final = 2
_WORTH_A_CALL: Final = 14
# Of a data server that is away one line a second says all there is to say.
_TELL_EVERY: Final = 1.0

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Unavailable(Exception):
    """The data server can't take it now; whoever sent it should send it again."""


Then = Callable[[bool | None], object]
"""What is told of a message once it is decided: True, it is new; False, it was seen; None, it could not be written."""

_Waiting = tuple[str, str | bytes, Then, float]
"""A message's id, the message, whom to tell, and since when it waits, in the loop's time."""


class _Group(NamedTuple):
    messages: list[_Waiting]
    is_repeated: bool = False


class Inbox:
    """Appends to one stream; `run` must be running for anything to be written."""

    def __init__(self, redis: Redis, *, stream: str, field: str, clock: Clock) -> None:
        self._clock = clock
        self._stream = stream
        self._field = field
        self._script = ScriptConnection(redis, APPEND_ONCE_SCRIPT)
        self._waiting: deque[_Waiting] = deque()
        # Groups that were lost with their connection, to be written once more.
        self._again: list[_Group] = []
        self._under_way = 0
        self._is_planned = False
        self._unconnected = asyncio.Event()
        # Asked for each time, it would cost a call to the system.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._untold = 0
        self._tell_at = 0.0

    def check_room(self) -> None:
        """Raise Unavailable if nothing more can be taken in now: worth asking before any work is done for it."""
        if self.is_full:
            raise Unavailable

    @property
    def is_full(self) -> bool:
        """Whether nothing more can be taken in now."""
        waiting = self._waiting
        return len(waiting) >= _MANY and (
            len(waiting) >= _MOST_WAITING or self._running_loop().time() - waiting[0][3] > _LONGEST_WAIT
        )

    def append(self, message_id: str, message: str | bytes) -> "asyncio.Future[bool]":
        """Append a message; the future is True if it is new, False if it was seen within three days.

        It is done once the server has it (with an append-only file that is synced always: on disk), or fails with
        Unavailable, which is also raised at once where there is no room.
        """
        appended = self._running_loop().create_future()
        self.hand_over(message_id, message, partial(_decide, appended))
        return appended

    def hand_over(self, message_id: str, message: str | bytes, then: Then) -> None:
        """Append a message, and call `then` once when that is decided: for who has no use for a future.

        `then` must not raise. Raises Unavailable where there is no room; then nothing is called.
        """
        self.check_room()
        loop = self._running_loop()
        self._waiting.append((message_id, message, then, loop.time()))
        if self._under_way:
            self._write_waiting()
        elif not self._is_planned:
            # What else was read at the same time comes along.
            self._is_planned = True
            loop.call_soon(self._write_planned)

    def _write_planned(self) -> None:
        self._is_planned = False
        self._write_waiting()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop

    async def run(self) -> None:
        """Keep a connection to write over until cancelled, then close it: who still waits is told to come again."""
        try:
            while True:
                await self._unconnected.wait()
                self._unconnected.clear()
                await self._connect()
        finally:
            await self._script.close()
            self._fail_all()

    async def _connect(self) -> None:
        try:
            await self._script.open()
        except (RedisError, OSError) as error:
            self._tell_failed(self._fail_all(), error)
        except Exception:
            # Whatever it is: a writer that ended would hang every later message.
            log.exception("append.crashed", stream=self._stream, waiting=self._fail_all())
        else:
            again, self._again = self._again, []
            for group in again:
                self._write(group._replace(is_repeated=True))
            self._write_waiting()

    def _write_waiting(self) -> None:
        """Write what waits, unless that can wait: behind a group on its way for more, behind two for room."""
        if not self._script.is_open:
            self._unconnected.set()
            return
        while self._waiting and self._under_way < _MOST_UNDER_WAY:
            if self._under_way and len(self._waiting) < _WORTH_A_CALL:
                return
            self._write(_Group([self._waiting.popleft() for _ in range(min(len(self._waiting), _LARGEST_GROUP))]))

    def _write(self, group: _Group) -> None:
        messages = group.messages
        keys = [self._stream, *[redis_keys.seen(self._stream, message_id) for message_id, *_ in messages]]
        # One moment for all of them: they are some milliseconds apart.
        now = self._clock().isoformat()
        try:
            args = [_SEEN_FOR, self._field, now, *[message for _, message, *_ in messages]]
            self._script.call(keys, args, partial(self._written, group))
        except Exception:
            # A message that can't even be sent fails its group, and no other.
            log.exception("append.crashed", stream=self._stream, waiting=len(messages))
            _tell(messages, [None] * len(messages))
        else:
            self._under_way += 1

    def _written(self, group: _Group, answer: str | RedisError) -> None:
        self._under_way -= 1
        if isinstance(answer, str):
            # The next ones first: they are written while these are answered.
            self._write_waiting()
            _tell(group.messages, [letter == "1" for letter in answer])
        elif isinstance(answer, Disconnected | TooLate) and not group.is_repeated:
            # It may have died while it was idle; written twice, a message is in the stream once.
            self._again.append(group)
            self._unconnected.set()
        else:
            _tell(group.messages, [None] * len(group.messages))
            self._tell_failed(len(group.messages), answer)
            self._write_waiting()

    def _fail_all(self) -> int:
        """Tell all who wait to come again; return how many that were."""
        messages = [each for group in self._again for each in group.messages] + list(self._waiting)
        self._again.clear()
        self._waiting.clear()
        _tell(messages, [None] * len(messages))
        return len(messages)

    def _tell_failed(self, refused: int, error: Exception) -> None:
        """Log it, once a second at most: while the data server is away every message fails at once."""
        self._untold += refused
        now = time.monotonic()
        if now >= self._tell_at:
            log.warning("append.failed", stream=self._stream, waiting=self._untold, error=str(error))
            self._untold, self._tell_at = 0, now + _TELL_EVERY


def _tell(messages: Sequence[_Waiting], outcomes: Sequence[bool | None]) -> None:
    for (_, _, then, _), is_new in zip(messages, outcomes, strict=True):
        try:
            then(is_new)
        except Exception:
            # The others wait as well.
            log.exception("append.untold")


def _decide(appended: "asyncio.Future[bool]", is_new: bool | None) -> None:  # noqa: FBT001 - as `Then` has it
    if appended.done():
        return
    if is_new is None:
        appended.set_exception(Unavailable())
    else:
        appended.set_result(is_new)
