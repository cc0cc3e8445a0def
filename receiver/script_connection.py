"""A connection to the data server that runs one script, one call after the other: what a writer needs, and no more.

The library's client asks a pool, a retry policy and its metrics about every command, and packs it in Python: for a
group of fifteen events that cost as much as sending it and reading the answer. Connecting, signing in, timeouts and
parsing stay the library's.
"""

from collections.abc import Sequence
from hashlib import sha1
from typing import Any, cast

from hiredis import pack_command
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import NoScriptError
from redis.exceptions import TimeoutError as TooLate


class ScriptConnection:
    """Runs one script that answers with a text. For one caller at a time; opened by the first call."""

    def __init__(self, redis: Redis, script: str) -> None:
        """Connect as `redis` does, whenever it is needed."""
        pool: Any = redis.connection_pool
        self._connection = pool.make_connection()
        self._script = script
        # The name that the data server gives a script (Redis docs, "EVALSHA").
        self._name = sha1(script.encode(), usedforsecurity=False).hexdigest()

    async def run(self, keys: Sequence[str], args: Sequence[str | bytes | int]) -> str:
        """Run the script. Raises RedisError and OSError.

        One repeat, for a connection that died while it was idle: the script must bear being run twice.
        """
        try:
            return await self._call(keys, args)
        except (Disconnected, TooLate):
            return await self._call(keys, args)

    async def close(self) -> None:
        """Close the connection. Idempotent."""
        await self._connection.disconnect()

    async def _call(self, keys: Sequence[str], args: Sequence[str | bytes | int]) -> str:
        try:
            return await self._send("EVALSHA", self._name, len(keys), *keys, *args)
        except NoScriptError:
            # The data server was started since, or this is the first call to it: from now on it knows the script.
            return await self._send("EVAL", self._script, len(keys), *keys, *args)

    async def _send(self, *command: str | bytes | int) -> str:
        # Whatever goes wrong on the way, the library closes the connection, and the next call opens it again.
        await self._connection.send_packed_command(pack_command(cast(Any, command)), check_health=False)
        answer: str = await self._connection.read_response()
        return answer
