"""A connection to the data server that runs one script, call behind call: what a writer needs, and no more.

The library's client asks a pool, a retry policy and its metrics about every command, packs it in Python and waits in
several tasks for its answer: for a group of fifteen events that cost as much as sending it and reading the answer.
Connecting, signing in and closing stay the library's; what is in between is a protocol, which hears of an answer, and
of an end, when it comes.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from hashlib import sha1
from typing import Any, Final, NamedTuple, cast

import hiredis
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as TooLate

Arguments = Sequence[str | bytes | int]
Then = Callable[[str | RedisError], object]
"""Is called once with the script's answer, or with what went wrong; must not raise."""

_FORGOTTEN: Final = "NOSCRIPT"


class _Call(NamedTuple):
    arguments: Arguments
    then: Then
    due: float


class ScriptConnection(asyncio.Protocol):
    """Runs one script that answers with a text. Calls are answered in their order, several may be under way."""

    def __init__(self, redis: Redis, script: str) -> None:
        """Connect as `redis` does, whenever `open` is called."""
        pool: Any = redis.connection_pool
        self._connection = pool.make_connection()
        self._answer_within = float(pool.connection_kwargs["socket_timeout"])
        self._script = script
        # The name that the data server gives a script (Redis docs, "EVALSHA").
        self._name = sha1(script.encode(), usedforsecurity=False).hexdigest()
        self._under_way: deque[_Call] = deque()
        self._transport: asyncio.Transport | None = None
        self._library: asyncio.BaseProtocol | None = None
        self._watch: asyncio.TimerHandle | None = None

    @property
    def is_open(self) -> bool:
        """Whether calls can be sent."""
        return self._transport is not None

    async def open(self) -> None:
        """Open the connection, if it isn't. Raises RedisError and OSError."""
        if self._transport is not None:
            return
        # Of the connection before.
        await self._connection.disconnect(nowait=True)
        await self._connection.connect()
        # The library is done with the socket until it closes it: its own reader would only pass on what it reads.
        transport: asyncio.Transport = self._connection._writer.transport  # noqa: SLF001 - see above
        if transport.is_closing():
            raise Disconnected("the data server closed the connection")
        self._reader = hiredis.Reader(encoding="utf-8", errors="replace", replyError=ResponseError)
        self._library = transport.get_protocol()
        transport.set_protocol(self)
        # A call goes out when it is made, not when the loop has done all that it has read: it is to be worked on
        # meanwhile.
        transport.set_write_buffer_limits(high=0)
        self._transport = transport

    def call(self, keys: Sequence[str], args: Arguments, then: Then) -> None:
        """Run the script; a server that doesn't know it, because it was started since, is told it.

        Raises Disconnected where the connection isn't open, and ValueError for arguments that can't be sent; nothing is
        called then.
        """
        self._send("EVALSHA", self._name, (len(keys), *keys, *args), then)

    async def close(self) -> None:
        """Close the connection; calls under way fail. Idempotent."""
        if self._watch is not None:
            self._watch.cancel()
        self._give_up(Disconnected("the connection was closed"))
        await self._connection.disconnect()

    def data_received(self, data: bytes) -> None:
        """Hand answers to their callers."""
        self._reader.feed(data)
        while (answer := self._reader.gets()) is not False:
            if isinstance(answer, hiredis.PushNotification):
                continue
            call = self._under_way.popleft()
            if isinstance(answer, ResponseError) and str(answer).startswith(_FORGOTTEN):
                self._send("EVAL", self._script, call.arguments, call.then)
            else:
                call.then(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what is under way: whether it was done nobody knows."""
        if isinstance(self._library, asyncio.Protocol):
            self._library.connection_lost(exc)
        self._give_up(Disconnected(f"the connection to the data server was lost: {exc or 'closed by it'}"))

    def _send(self, command: str, script: str, arguments: Arguments, then: Then) -> None:
        if self._transport is None:
            raise Disconnected("the connection isn't open")
        packed = hiredis.pack_command(cast(Any, (command, script, *arguments)))
        loop = asyncio.get_running_loop()
        due = loop.time() + self._answer_within
        self._under_way.append(_Call(arguments, then, due))
        if self._watch is None:
            self._watch = loop.call_at(due, self._look)
        self._transport.write(packed)

    def _look(self) -> None:
        """End the connection if the oldest call has waited for too long; else look again when it could have."""
        self._watch = None
        if not self._under_way:
            return
        loop = asyncio.get_running_loop()
        if self._under_way[0].due <= loop.time():
            self._give_up(TooLate("the data server doesn't answer"))
        else:
            self._watch = loop.call_at(self._under_way[0].due, self._look)

    def _give_up(self, error: RedisError) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
        calls, self._under_way = self._under_way, deque()
        for call in calls:
            call.then(error)
