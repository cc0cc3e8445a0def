"""On how many replicas something that is promised must be (SYNC_REPLICAS), and waiting for that.

Replication keeps the order of writes. So it is enough to wait after the last of them: all that any process wrote before
it is there too. The server counts what a connection wrote (Valkey docs, "WAIT"). A connection that wrote nothing, as
after a repeat that changed nothing, would wait for nothing; so a barrier writes something first.
"""

from typing import Any, Final

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError

from shared import redis_keys

# Then the answer is the one for a data server that can't take it.
WAIT_MS: Final = 1000


class NotOnReplicas(RedisError):
    """Too few replicas have what was written, though the primary has it: it may be lost, and must be tried again."""


class ReplicatedRedis(Redis):
    """The library's client, which knows on how many replicas a promise must be."""

    sync_replicas: int = 0


def sync_replicas_of(redis: Redis) -> int:
    """Return on how many replicas a promise must be."""
    return redis.sync_replicas if isinstance(redis, ReplicatedRedis) else 0


def queue_wait(pipeline: Pipeline, replicas: int) -> None:
    """Wait at the end of a pipeline (no transaction) that writes; `check_reached` judges the answer."""
    pipeline.wait(replicas, WAIT_MS)


def check_reached(reached: Any, replicas: int) -> None:
    """Raise NotOnReplicas where a WAIT reached too few, and what it raised itself."""
    if isinstance(reached, Exception):
        raise reached
    if int(reached) < replicas:
        raise NotOnReplicas(f"{int(reached)} of {replicas} replicas have it within {WAIT_MS} ms")


def wait_for_replicas(redis: Redis) -> None:
    """Return once all that any process wrote before is on SYNC_REPLICAS replicas. Raises NotOnReplicas."""
    replicas = sync_replicas_of(redis)
    if not replicas:
        return
    pipeline = redis.pipeline(transaction=False)
    pipeline.set(redis_keys.BARRIER, "")
    queue_wait(pipeline, replicas)
    check_reached(pipeline.execute()[-1], replicas)


def are_replicas_there(redis: Redis) -> bool:
    """Say whether a promise could be kept now. Raises what else the data server fails with."""
    try:
        wait_for_replicas(redis)
    except NotOnReplicas:
        return False
    return True
