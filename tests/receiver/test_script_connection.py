"""A writer's connection: it bears what a server does to connections, and hides nothing that its caller must know."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as TooLate

from receiver.script_connection import ScriptConnection
from shared import redis_client as redis_client_module
from shared.redis_client import connect_async
from tests.support.server import DataServer
from tests.support.waiting import wait_until

SCRIPT = "redis.call('RPUSH', KEYS[1], ARGV[1]); return ARGV[1]"


async def run(connection: ScriptConnection, keys: list[str], args: list[str | bytes | int]) -> str:
    """Call the script, over an open connection, and wait for its answer. Raises what the caller is told."""
    await connection.open()
    return await called(connection, keys, args)


def called(connection: ScriptConnection, keys: list[str], args: list[str | bytes | int]) -> "asyncio.Future[str]":
    """Call the script without waiting."""
    answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def then(answer: str | RedisError) -> None:
        if isinstance(answer, RedisError):
            answered.set_exception(answer)
        else:
            answered.set_result(answer)

    connection.call(keys, args, then)
    return answered


def through(url: str, talk: Callable[[ScriptConnection], Awaitable[None]]) -> None:
    """Talk over a connection."""

    async def main() -> None:
        async with connect_async(url) as redis:
            connection = ScriptConnection(redis, SCRIPT)
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
            assert await run(connection, ["list"], [text]) == text

    through(data_server.url, talk)
    assert redis_client.lrange("list", 0, -1) == ["one", "two"]


def test_many_calls_under_way_are_answered_each_with_its_own(data_server: DataServer, redis_client: Redis) -> None:
    """Also where the server forgets the script in between: only who has been answered can rely on an order."""

    async def talk(connection: ScriptConnection) -> None:
        await connection.open()
        for _ in range(3):
            calls = [called(connection, ["list"], [str(number)]) for number in range(50)]
            assert await asyncio.gather(*calls) == [str(number) for number in range(50)]
            redis_client.script_flush()

    through(data_server.url, talk)
    assert redis_client.llen("list") == 150


def test_a_connection_that_died_is_known_to_be_dead(data_server: DataServer, redis_client: Redis) -> None:
    """It takes no call until it is opened anew; bytes and text arrive as they are."""

    async def talk(connection: ScriptConnection) -> None:
        await run(connection, ["list"], [b"one"])
        redis_client.client_kill_filter(_type="normal", skipme=True)
        await asyncio.to_thread(wait_until, lambda: not connection.is_open, what="it hears of its end")
        with pytest.raises(Disconnected):
            await called(connection, ["list"], ["lost"])
        assert await run(connection, ["list"], ["zw\u00f6lf"]) == "zw\u00f6lf"

    through(data_server.url, talk)
    assert redis_client.lrange("list", 0, -1) == ["one", "zw\u00f6lf"]


def test_whoever_waits_hears_that_the_connection_died(data_server: DataServer, redis_client: Redis) -> None:
    """Every call under way fails, once, and the next ones work."""

    async def talk(connection: ScriptConnection) -> None:
        await run(connection, ["list"], ["one"])
        redis_client.client_pause(60_000, all=False)
        calls = [called(connection, ["list"], ["lost"]) for _ in range(3)]
        redis_client.client_kill_filter(_type="normal", skipme=True)
        redis_client.client_unpause()
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(answer, Disconnected) for answer in answers)
        assert await run(connection, ["list"], ["two"]) == "two"

    through(data_server.url, talk)
    assert redis_client.lindex("list", -1) == "two"


def test_a_refusal_leaves_the_connection_as_it_was(data_server: DataServer, redis_client: Redis) -> None:
    """The server's own errors are the caller's, at once."""
    redis_client.set("list", "in the way")

    async def talk(connection: ScriptConnection) -> None:
        with pytest.raises(ResponseError, match="WRONGTYPE"):
            await run(connection, ["list"], ["one"])
        redis_client.delete("list")
        assert await called(connection, ["list"], ["two"]) == "two"

    through(data_server.url, talk)
    assert redis_client.lrange("list", 0, -1) == ["two"]


def test_what_cannot_be_sent_disturbs_no_other_call(data_server: DataServer) -> None:
    """Half a surrogate pair fails its own call, before anything is sent."""

    async def talk(connection: ScriptConnection) -> None:
        await connection.open()
        before = called(connection, ["list"], ["one"])
        with pytest.raises(ValueError, match="surrogate"):
            await called(connection, ["list"], ["\ud800"])
        after = called(connection, ["list"], ["two"])
        assert [await before, await after] == ["one", "two"]

    through(data_server.url, talk)


def test_a_server_that_isnt_there_is_an_error() -> None:
    """And no endless trying."""

    async def talk(connection: ScriptConnection) -> None:
        with pytest.raises((RedisError, OSError)):
            await connection.open()
        assert not connection.is_open

    through("redis://127.0.0.1:9/0", talk)


def test_a_server_that_does_not_answer_is_given_up(
    data_server: DataServer, redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call under way fails when the oldest has waited for too long, and none gets another's answer later."""
    monkeypatch.setattr(redis_client_module, "_ANSWER_WEB_WITHIN", 0.3)

    async def talk(connection: ScriptConnection) -> None:
        assert await run(connection, ["list"], ["quick"]) == "quick"
        redis_client.client_pause(60_000, all=False)
        calls = [called(connection, ["list"], [text]) for text in ("slow", "behind it")]
        answers = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 5)
        assert all(isinstance(answer, TooLate) for answer in answers)
        redis_client.client_unpause()
        assert await run(connection, ["list"], ["next"]) == "next"

    through(data_server.url, talk)
    assert redis_client.lindex("list", -1) == "next"


def test_closing_tells_who_waits_and_may_be_done_twice(data_server: DataServer, redis_client: Redis) -> None:
    """And leaves no connection behind."""

    async def talk(connection: ScriptConnection) -> None:
        await connection.open()
        redis_client.client_pause(60_000, all=False)
        waiting = called(connection, ["list"], ["one"])
        await connection.close()
        await connection.close()
        redis_client.client_unpause()
        with pytest.raises(Disconnected):
            await waiting
        assert not connection.is_open

    through(data_server.url, talk)
