"""Celery's settings for its broker: Redis, the default, or RabbitMQ. The address alone decides which.

Sentinels are asked for the primary at each new connection, as everywhere (`shared.redis_client`).

No broker is the source of truth. On RabbitMQ the queue is a quorum queue and publishing is confirmed, so that restarts
of RabbitMQ cost no delay. On Redis a message that is lost with its worker costs RECLAIM_AFTER.
"""

from typing import Any, Final, Self
from urllib.parse import quote

import structlog
from celery import Celery
from kombu import Connection, Exchange, Queue

from shared.contracts import QUEUE
from shared.data_server_address import OneServer, Sentinels, parse_data_server_address
from shared.redis_client import sentinel_options

AMQP_SCHEMES: Final = ("amqp", "amqps")
# RabbitMQ gives a message that killed its worker to the next one at once: it must not go round and round. The stream,
# or the due-set, brings the work again, alone and counted.
_MOST_DELIVERIES_A_MESSAGE: Final = 1
_ANSWER_WITHIN: Final = 10
_CONNECT_WITHIN: Final = 2
_HEARTBEAT: Final = 10
_TRY_EVERY: Final = 2
# Behind Sentinels there is another server within seconds, and nothing to wait for but its promotion.
_TRY_SENTINELS_EVERY: Final = 0.5
_SENTINEL_TRANSPORT: Final = "worker.redis_transport:SteadySentinelTransport"
_ASKED_WITHIN: Final = 2

log: structlog.stdlib.BoundLogger = structlog.get_logger()

AMQP_OPTIONS: Final[dict[str, Any]] = {
    "confirm_publish": True,
    "connect_timeout": _CONNECT_WITHIN,
    "read_timeout": _ANSWER_WITHIN,
    "write_timeout": _ANSWER_WITHIN,
}
_REDIS_OPTIONS: Final[dict[str, Any]] = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "health_check_interval": 5,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "max_connections": 128,
}


class SteadyConnection(Connection):
    """Tries every two seconds to reach a broker that is away, however long it was, and follows its primary.

    The library's pauses grow to half a minute: after an outage of minutes that alone would be twice what is promised.
    """

    def ensure_connection(self, *args: Any, **kwargs: Any) -> Self:
        """Connect, as the library does; only the pauses are ours where the caller doesn't name any."""
        every = _TRY_SENTINELS_EVERY if self.transport_cls == _SENTINEL_TRANSPORT else _TRY_EVERY
        pauses = {"interval_start": every, "interval_step": 0, "interval_max": every}
        return super().ensure_connection(*args, **(pauses | kwargs))

    def get_transport_cls(self) -> Any:
        """Return the library's transport; for Redis one that outlives a lost connection."""
        kind = super().get_transport_cls()
        if kind.driver_type != "redis":
            return kind
        from worker.redis_transport import STEADY  # noqa: PLC0415 - not for RabbitMQ

        return STEADY.get(kind, kind)


class WatchersConnection:
    """A connection for checks whether the broker is there: opened when it is used, dropped on demand.

    A connection that died in silence is found out by its time-out alone. A check must find out before the connections
    that it checks, so this one waits for two seconds.
    """

    def __init__(self, app: Celery) -> None:
        names = ("read_timeout", "write_timeout") if is_amqp(app.conf.broker_url) else ("socket_timeout",)
        self._app = app
        self._options = dict.fromkeys(names, _ASKED_WITHIN)
        self._open: Any = None

    def get(self) -> Any:
        """Return the connection."""
        if self._open is None:
            self._open = self._app.connection_for_write(transport_options=self._options)
        return self._open

    def channel_errors(self) -> tuple[type[BaseException], ...]:
        """Return what the broker's own refusals are raised as; nothing while there is no connection."""
        errors: tuple[type[BaseException], ...] = self._open.channel_errors if self._open else ()
        return errors

    def drop(self) -> None:
        """Throw the connection away, however that goes; the next use opens another."""
        connection, self._open = self._open, None
        try:
            if connection is not None:
                connection.release()
        except Exception as error:  # noqa: BLE001 - it is thrown away
            log.debug("connection.not_released", error=type(error).__name__)


def is_amqp(url: str) -> bool:
    """Say whether an address is RabbitMQ's."""
    # By hand: from Python 3.14 on, `urlsplit` refuses several hosts with an IPv6 address among them.
    return url.partition(":")[0].lower() in AMQP_SCHEMES


def broker_settings(url: str) -> dict[str, Any]:
    """Return the part of Celery's configuration that depends on the broker, its address included."""
    if is_amqp(url):
        return _at(url) | _amqp_settings()
    match parse_data_server_address(url):
        case OneServer(server_url):
            return _at(server_url) | _redis_settings()
        case Sentinels() as sentinels:
            settings = _at(_kombu_url(sentinels)) | _redis_settings()
            # By name: those of a pool aren't `SteadyConnection`s.
            settings["broker_transport"] = _SENTINEL_TRANSPORT
            settings["broker_transport_options"] |= {
                "master_name": sentinels.name,
                "sentinel_kwargs": sentinel_options(sentinels),
                # For who publishes; `SteadyConnection.ensure_connection` is for who consumes.
                **dict.fromkeys(("interval_start", "interval_max"), _TRY_SENTINELS_EVERY),
                "interval_step": 0,
            }
            # With no option of TLS the library's checks of certificates stay as they are.
            return settings | ({"broker_use_ssl": _kombu_tls(sentinels)} if sentinels.tls else {})


def broker_connection(url: str, *, connect_timeout: float) -> Connection:
    """Return a connection of its own to a broker, for who only asks whether it is there."""
    settings = broker_settings(url)
    return Connection(
        settings["broker_url"],
        ssl=settings.get("broker_use_ssl", False),
        transport=settings.get("broker_transport"),
        transport_options=settings["broker_transport_options"],
        connect_timeout=connect_timeout,
    )


def _at(url: str) -> dict[str, Any]:
    # Of the first name alone Celery takes the environment's value, CELERY_BROKER_URL, before ours.
    return dict.fromkeys(("broker_url", "broker_read_url", "broker_write_url"), url or None)


def _redis_settings() -> dict[str, Any]:
    return {"task_queues": (Queue(QUEUE),), "broker_transport_options": dict(_REDIS_OPTIONS)}


def _amqp_settings() -> dict[str, Any]:
    arguments = {"x-queue-type": "quorum", "x-delivery-limit": _MOST_DELIVERIES_A_MESSAGE}
    # Not a direct one: Celery says at every connection that those can't delay messages, which we never ask of them.
    exchange = Exchange(QUEUE, type="topic", durable=True)
    queue = Queue(QUEUE, exchange, routing_key=QUEUE, durable=True, queue_arguments=arguments)
    return {
        "task_queues": (queue,),
        "broker_transport_options": AMQP_OPTIONS,
        "broker_heartbeat": _HEARTBEAT,
        "control_queue_durable": False,
    }


def _kombu_url(sentinels: Sentinels) -> str:
    """Return the address as kombu takes it: one for each Sentinel, all with the data servers' credentials."""
    user = quote(sentinels.username or "", safe="")
    login = f"{user}:{quote(sentinels.password, safe='')}@" if sentinels.password else f"{user}@" if user else ""
    hosts = (f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in sentinels.hosts)
    return ";".join(f"sentinel://{login}{host}/{sentinels.db}" for host in hosts)


def _kombu_tls(sentinels: Sentinels) -> dict[str, Any]:
    return {"ssl_cert_reqs": "required", **sentinels.tls_options}
