"""What Celery must be told about its broker: Redis, the default, or RabbitMQ. By the address alone.

Neither is the record. On RabbitMQ the queue is a quorum queue and publishing is confirmed, so that its own restarts,
too, cost no delay; on Redis a message that is lost with its worker costs RECLAIM_AFTER.
"""

from typing import Any, Final
from urllib.parse import urlsplit

from kombu import Exchange, Queue

from shared.contracts import QUEUE

AMQP_SCHEMES: Final = ("amqp", "amqps")
# RabbitMQ gives a message that killed its worker to the next one at once: it must not go round and round. The stream,
# or the due-set, brings the work again, alone and counted.
_MOST_DELIVERIES_A_MESSAGE: Final = 1
_ANSWER_WITHIN: Final = 10
_CONNECT_WITHIN: Final = 2
_HEARTBEAT: Final = 10

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


def is_amqp(url: str) -> bool:
    """Say whether an address is RabbitMQ's."""
    return urlsplit(url).scheme in AMQP_SCHEMES


def node_name(url: str, process_id: int) -> str:
    """Return a worker's name for Celery, with its place for the host's name.

    RabbitMQ keeps a worker's queue of commands for one connection alone: two workers of one name on one host, as in a
    rolling restart, and the second never starts. Redis doesn't mind, and would remember every name there ever was.
    """
    return f"oracode-{process_id}@%h" if is_amqp(url) else "oracode@%h"


def broker_settings(url: str) -> dict[str, Any]:
    """Return the part of Celery's configuration that depends on the broker."""
    if not is_amqp(url):
        return {"task_queues": (Queue(QUEUE),), "broker_transport_options": _REDIS_OPTIONS}
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
