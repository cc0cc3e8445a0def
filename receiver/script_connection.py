"""A connection to the data server that runs one script.

For each command redis-py's client uses a pool, a retry policy and metrics, packs the command in Python, and starts a
task for the time-out. For a group of fifteen events that costs as much as checking two signatures.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha1
from typing import Any

import hiredis
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import NoScriptError, ResponseError
from redis.exceptions import TimeoutError as TooLate

from shared import redis_keys
from shared.replicas import WAIT_MS, check_reached

Arguments = Sequence[str | bytes | int]


class ScriptConnection:
    """Runs one script that answers with a text, one call at a time. It connects at the first call."""

    def __init__(self, redis: Redis, script: str, *, sync_replicas: int = 0) -> None:
        """Use the address and the time-out of `redis`.

        A call succeeds only once `sync_replicas` replicas have what the script wrote.
        """
        self._replicas = sync_replicas
        # Sent together with each command: it costs no round trip of its own.
        self._wait = _packed("WAIT", sync_replicas, WAIT_MS) if sync_replicas else b""
        pool: Any = redis.connection_pool
        self._connection = pool.make_connection()
        self._answer_within = float(self._connection.socket_timeout)
        # One time-out for the whole call, instead of one for each of its parts.
        self._connection.socket_timeout = None
        self._script = script
        # The data server's name of a script (Redis docs, "EVALSHA").
        self._name = sha1(script.encode(), usedforsecurity=False).hexdigest()

    async def run(self, keys: Sequence[str], args: Arguments) -> str:
        """Run the script and return its answer. If the connection is lost, it is run once more, so perhaps twice.

        A call that timed out isn't repeated: all senders that wait would wait twice as long. Raises RedisError (also
        NotOnReplicas) and OSError; ValueError for arguments that can't be sent.
        """
        try:
            return await self._run(keys, args)
        except Disconnected:
            # An idle connection may have been closed.
            return await self._run(keys, args)

    async def wait_for_replicas(self) -> None:
        """Return once all that the last `run` wrote or read, of any process, is on the replicas. Raises its errors.

        If the connection broke since, another server may be the primary, which lacks that: raises ConnectionError.
        """
        if self._replicas:
            if not self._connection.is_connected:
                # To send would connect again.
                raise Disconnected("the connection broke before the replicas were waited for")
            try:
                async with asyncio.timeout(self._answer_within):
                    await self._call("SET", redis_keys.BARRIER, "")
            except TimeoutError:
                raise TooLate("the data server doesn't answer") from None

    async def close(self) -> None:
        """Close the connection. Idempotent."""
        await self._connection.disconnect()

    async def _run(self, keys: Sequence[str], args: Arguments) -> str:
        try:
            # After the time-out redis-py closes the connection, so no later call gets the answer of this one.
            async with asyncio.timeout(self._answer_within):
                if not self._connection.is_connected:
                    await self._connection.connect()
                try:
                    return await self._call("EVALSHA", self._name, len(keys), *keys, *args)
                except NoScriptError:
                    # The data server was restarted and has lost the script.
                    return await self._call("EVAL", self._script, len(keys), *keys, *args)
        except TimeoutError:
            raise TooLate("the data server doesn't answer") from None

    async def _call(self, *command: Any) -> str:
        await self._connection.send_packed_command(_packed(*command) + self._wait, check_health=False)
        try:
            answer: str = await self._connection.read_response()
        except ResponseError:
            if self._replicas and self._connection.is_connected:
                with suppress(ResponseError):
                    await self._connection.read_response()
            raise
        if self._replicas:
            check_reached(await self._connection.read_response(), self._replicas)
        return answer


def _packed(*command: Any) -> bytes:
    packed: bytes = hiredis.pack_command(command)
    return packed
