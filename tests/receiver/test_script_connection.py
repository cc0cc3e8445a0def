"""A writer's connection: it bears what a server does to connections, and hides nothing that its caller must know."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from redis import Redis
from redis.exceptions import RedisError, ResponseError

from receiver.script_connection import ScriptConnection
from shared.redis_client import connect_async
from tests.support.server import DataServer

SCRIPT = "redis.call('RPUSH', KEYS[1], ARGV[1]); return ARGV[1]"


def through(url: str, talk: Callable[[ScriptConnection], Awaitable[None]], script: str = SCRIPT) -> None:
    """Talk over a connection."""

    async def main() -> None:
        async with connect_async(url) as redis:
            connection = ScriptConnection(redis, script)
            try:
                await talk(connection)
            finally:
                await connection.close()

    asyncio.run(main())


def test_a_server_that_forgot_the_script_is_told_it_again(data_server: DataServer, redis_client: Redis) -> None:
    """Scripts are gone after a restart of the server, or a FLUSH of them."""

    async def talk(connection: ScriptConnection) -> None:
        for text in ("one", "two"):
            redis_client.script_flush()
            assert await connection.run(["list"], [text]) == text

    through(data_server.url, talk)
    assert redis_client.lrange("list", 0, -1) == ["one", "two"]


def test_a_connection_that_died_meanwhile_is_opened_anew(data_server: DataServer, redis_client: Redis) -> None:
    """The call after it doesn't notice; bytes and text arrive as they are."""

    async def talk(connection: ScriptConnection) -> None:
        await connection.run(["list"], [b"one"])
        redis_client.client_kill_filter(_type="normal", skipme=True)
        assert await connection.run(["list"], ["zw\u00f6lf"]) == "zw\u00f6lf"

    through(data_server.url, talk)
    assert redis_client.lrange("list", 0, -1) == ["one", "zw\u00f6lf"]


def test_a_refusal_is_no_reason_to_try_again(data_server: DataServer, redis_client: Redis) -> None:
    """The server's own errors are the caller's, at once; the connection is as good as before."""
    redis_client.set("list", "in the way")

    async def talk(connection: ScriptConnection) -> None:
        with pytest.raises(ResponseError, match="WRONGTYPE"):
            await connection.run(["list"], ["one"])
        redis_client.delete("list")
        assert await connection.run(["list"], ["two"]) == "two"

    through(data_server.url, talk)
    assert redis_client.lrange("list", 0, -1) == ["two"]


def test_a_server_that_isnt_there_is_an_error() -> None:
    """And no endless trying."""

    async def talk(connection: ScriptConnection) -> None:
        with pytest.raises((RedisError, OSError)):
            await connection.run(["list"], ["one"])

    through("redis://127.0.0.1:9/0", talk)


def test_an_answer_never_goes_to_the_wrong_call(data_server: DataServer) -> None:
    """A call that was given up leaves no answer behind for the next one."""
    slow = "if ARGV[1] == 'slow' then local t = redis.call('TIME'); local e = t[1] * 1e6 + t[2] + 300000; repeat t = "
    slow += "redis.call('TIME') until t[1] * 1e6 + t[2] > e end return ARGV[1]"

    async def talk(connection: ScriptConnection) -> None:
        assert await connection.run([], ["quick"]) == "quick"
        call = asyncio.create_task(connection.run([], ["slow"]))
        await asyncio.sleep(0.05)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        assert await connection.run([], ["next"]) == "next"

    through(data_server.url, talk, slow)
