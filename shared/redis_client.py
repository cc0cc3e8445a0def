"""How we connect to the data server: with timeouts everywhere, and no repeats hidden below the caller.

Every client is made here. Where REDIS_URL names Sentinels, each new connection asks them which server is the primary,
and asks again once a second (`shared.primary_finder`). So a client follows a failover by itself.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

from redis import ConnectionPool, Redis
from redis.asyncio import Redis as AsyncRedis
from redis.backoff import NoBackoff
from redis.connection import SSLConnection, parse_url
from redis.retry import Retry

from shared.connection_pools import PoolPerThread, SentinelPoolPerThread
from shared.data_server_address import OneServer, Sentinels, parse_data_server_address
from shared.primary_finder import AsyncPrimaryPool, FollowingConnection, FollowingSSLConnection, PrimaryFinder
from shared.replicas import ReplicatedRedis

# What stands in an answer for bytes that are not UTF-8; JSON that a program writes doesn't hold it.
REPLACED: Final = "\ufffd"
# Above the one second for which the dispatcher lets the server block, below the patience of Svix (15 s).
_ANSWER_WITHIN: Final = 5.0
# A webhook's sender waits 15 seconds for our answer: also after one repeat, "come again" must be said well before.
_ANSWER_WEB_WITHIN: Final = 3.0
_CONNECT_WITHIN: Final = 2.0
# An idle connection is checked before it is used again: the server may have been restarted under it.
_CHECK_EVERY: Final = 10
# The next Sentinel is asked after that long; the host of the dead primary often has one of them.
_SENTINEL_WITHIN: Final = 0.5


def connect(
    url: str,
    *,
    sync_replicas: int = 0,
    answer_within: float = _ANSWER_WITHIN,
    connect_within: float = _CONNECT_WITHIN,
) -> Redis:
    """Return a client (nothing is opened yet). One repeat, for a connection that died while it was idle.

    `sync_replicas`: on how many replicas a promise must be (`shared.replicas`), nothing else. Its times are in seconds.
    A repeat is safe: every script of ours may run twice. Its answers are texts; bytes that aren't UTF-8 become
    replacement characters, so that an entry that somebody wrote wrongly can be read, and parked.
    """
    options: dict[str, Any] = {
        "decode_responses": True,
        "encoding_errors": "replace",
        "socket_timeout": answer_within,
        "socket_connect_timeout": connect_within,
        "socket_keepalive": True,
        "health_check_interval": _CHECK_EVERY,
        "retry": Retry(NoBackoff(), 1),
    }
    client = cast(ReplicatedRedis, ReplicatedRedis.from_pool(_pool(url, options)))
    client.sync_replicas = sync_replicas
    return client


def _pool(url: str, options: Mapping[str, Any]) -> ConnectionPool:
    match parse_data_server_address(url):
        case OneServer(server_url):
            return PoolPerThread.from_url(server_url, **options)
        case Sentinels() as sentinels:
            finder = PrimaryFinder(sentinels.hosts, sentinel_kwargs=sentinel_options(sentinels))
            kind = FollowingSSLConnection if sentinels.tls else FollowingConnection
            more = server_options(sentinels)
            return SentinelPoolPerThread(finder, sentinels.name, connection_class=kind, **options, **more)


def connect_async(url: str) -> AsyncRedis:
    """Return an asyncio client (nothing is opened yet), with the same rules."""
    from redis.asyncio.retry import Retry as AsyncRetry  # noqa: PLC0415 - the web process alone needs it

    options: dict[str, Any] = {
        "decode_responses": True,
        "socket_timeout": _ANSWER_WEB_WITHIN,
        "socket_connect_timeout": _CONNECT_WITHIN,
        "socket_keepalive": True,
        "health_check_interval": _CHECK_EVERY,
        "retry": AsyncRetry(NoBackoff(), 1),
    }
    match parse_data_server_address(url):
        case OneServer(server_url):
            return AsyncRedis.from_url(server_url, **options)
        case Sentinels() as sentinels:
            asking = {**sentinel_options(sentinels), "retry": AsyncRetry(NoBackoff(), 0)}
            options |= server_options(sentinels)
            pool = AsyncPrimaryPool(sentinels.name, sentinels.hosts, asking, tls=sentinels.tls, **options)
            return AsyncRedis.from_pool(pool)


def server_options(sentinels: Sentinels) -> dict[str, Any]:
    """Return what redis-py needs to know of the data servers, but for their addresses."""
    options: dict[str, Any] = {"db": sentinels.db, "username": sentinels.username, "password": sentinels.password}
    return options | (dict(sentinels.tls_options) if sentinels.tls else {})


def sentinel_options(sentinels: Sentinels) -> dict[str, Any]:
    """Return what redis-py needs to know of the Sentinels, but for their addresses. Each is asked once."""
    options: dict[str, Any] = {
        "username": sentinels.sentinel_username,
        "password": sentinels.sentinel_password,
        "socket_timeout": _SENTINEL_WITHIN,
        "socket_connect_timeout": _SENTINEL_WITHIN,
        "retry": Retry(NoBackoff(), 0),
    }
    return options | ({"ssl": True, **sentinels.tls_options} if sentinels.sentinel_tls else {})


def address_now(url: str) -> Mapping[str, Any]:
    """Return where the primary is at this moment, as redis-py's `parse_url` does.

    Raises redis.exceptions.ConnectionError where no Sentinel names one.
    """
    match parse_data_server_address(url):
        case OneServer(server_url):
            address: Mapping[str, Any] = parse_url(server_url)  # type: ignore[no-untyped-call]
            return address
        case Sentinels() as sentinels:
            finder = PrimaryFinder(sentinels.hosts, sentinel_kwargs=sentinel_options(sentinels))
            try:
                host, port = finder.discover_master(sentinels.name)
            finally:
                finder.close()
            tls = {"connection_class": SSLConnection} if sentinels.tls else {}
            return {"host": host, "port": port, **server_options(sentinels), **tls}
