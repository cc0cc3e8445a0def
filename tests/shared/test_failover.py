"""Every kind of client follows a failover by itself, on real servers and Sentinels."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from celery import Celery
from kombu.exceptions import OperationalError
from pydantic import SecretStr
from redis import Redis
from redis.exceptions import RedisError

from receiver.script_connection import ScriptConnection
from shared.redis_client import address_now, connect, connect_async
from shared.settings import Settings
from tests.support.failover import Failover, failover
from tests.support.waiting import wait_until
from worker.app import create_celery
from worker.redis_transport import SteadySentinelChannel

# The promise: so many seconds after the promotion.
WITHIN = 5.0
_APPEND = "return redis.call('XADD', KEYS[1], '*', 'm', ARGV[1])"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Failover]:
    """Run a primary, its replica and three Sentinels."""
    with failover(tmp_path) as running:
        yield running


def test_clients_follow_a_failover(servers: Failover) -> None:
    """Those of worker, console and commands, of Celery, and of web; nobody is restarted."""
    client = connect(servers.url)
    celery = create_celery(Settings(redis_url=SecretStr(servers.url)))
    assert _is_done(lambda: client.set("before", "1"))
    assert _is_done(lambda: celery.send_task("t"))
    # Those of a pool, which publish, too: the library makes them of a class of its own.
    with celery.producer_pool.acquire(block=True) as producer:
        assert isinstance(producer.channel, SteadySentinelChannel)

    async def web() -> float:
        pool = connect_async(servers.url)
        connection = ScriptConnection(pool, _APPEND)
        await connection.run(["stream"], ["before"])
        await pool.set("async", "1")
        # The replica must have all of it: what is tried here isn't what a failover may lose.
        wait_until(lambda: _on_replica(servers, "async"), what="the replica has it")
        servers.primary.kill()
        promoted = time.monotonic()
        while not await asyncio.to_thread(servers.new_primary):
            promoted = time.monotonic()
            with suppress(RedisError, OSError):
                # As senders do meanwhile.
                await connection.run(["stream"], ["meanwhile"])
            await asyncio.sleep(0.05)
        async with asyncio.timeout(WITHIN):
            while True:
                with suppress(RedisError, OSError):
                    await connection.run(["stream"], ["after"])
                    await pool.set("async", "2")
                    break
                await asyncio.sleep(0.05)
        took = time.monotonic() - promoted
        await connection.close()
        await pool.aclose()
        return took

    assert asyncio.run(web()) < WITHIN
    wait_until(lambda: _is_done(lambda: client.set("after", "1")), within=WITHIN, what="the client")
    wait_until(lambda: _is_done(lambda: celery.send_task("t")), within=WITHIN, what="Celery")
    assert client.get("before") == "1"
    assert address_now(servers.url)["port"] == servers.replicas[0].port
    client.close()
    celery.close()


def _is_done(act: Callable[[], object]) -> bool:
    try:
        act()
    except (RedisError, OSError, OperationalError):
        return False
    return True


def _on_replica(servers: Failover, key: str) -> bool:
    with Redis.from_url(servers.replicas[0].url) as client:
        return bool(client.exists(key))


def test_celery_is_told_the_sentinels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with the data servers' credentials; the Sentinels' own, and TLS, apart; also by CELERY_BROKER_URL."""
    url = "rediss+sentinel://ada:p%2Fw@a,[::1]:5/oracode/3?sentinel_password=own&ssl_ca_certs=/ca.pem"
    monkeypatch.setenv("CELERY_BROKER_URL", url)
    celery: Celery = create_celery(Settings(redis_url=SecretStr("redis://elsewhere"), celery_broker_url=SecretStr(url)))
    written = "sentinel://ada:p%2Fw@a:26379/3;sentinel://ada:p%2Fw@[::1]:5/3"
    assert celery.conf.broker_write_url == celery.conf.broker_read_url == written
    options = celery.conf.broker_transport_options
    assert options["master_name"] == "oracode"
    assert (options["interval_start"], options["interval_step"], options["interval_max"]) == (0.5, 0, 0.5)
    assert options["sentinel_kwargs"]["password"] == "own"
    assert options["sentinel_kwargs"]["ssl_ca_certs"] == "/ca.pem"
    assert celery.conf.broker_use_ssl["ssl_ca_certs"] == "/ca.pem"
