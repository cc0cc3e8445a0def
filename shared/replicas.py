"""On how many replicas something that is promised must be (SYNC_REPLICAS), and waiting for that.

Replication keeps the order of writes. So it is enough to wait after the last of them: all that any process wrote before
it is there too. The server counts what a connection wrote (Valkey docs, "WAIT"). A connection that wrote nothing, as
after a repeat that changed nothing, would wait for nothing; so a barrier writes something first.

That holds on one server. If another one becomes the primary between a step's writes and its barrier, the barrier waits
there for nothing, and the writes may be lost. A write and its WAIT in one pipeline can't be torn apart: they are sent
again together. A longer step has to begin with `begin_step`, and counts only if all its commands, up to the barrier,
were answered over one connection. A connection leads to one server. It breaks when that server dies or is restarted,
when another one takes over its address, when the Sentinels name another one (`shared.primary_finder`), and when it is
made a replica, for Sentinels then close its clients. A step whose connection broke for another reason is tried again in
vain, which does no harm: every step can be repeated (`docs/decisions/0008-a-step-goes-over-one-connection.md`).
"""

from dataclasses import dataclass
from typing import Any, Final

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError

from shared import redis_keys
from shared.connection_pools import Commands, PoolPerThread

# Then the answer is the one for a data server that can't take it.
WAIT_MS: Final = 1000


class NotOnReplicas(RedisError):
    """Too few replicas have what was written, though the primary has it: it may be lost, and must be tried again."""


class ReplicatedRedis(Redis):
    """The library's client, which knows on how many replicas a promise must be."""

    sync_replicas: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What one thread does with one client, from a moment on: reads, writes, then a barrier."""

    commands: Commands
    since: int


def sync_replicas_of(redis: Redis) -> int:
    """Return on how many replicas a promise must be."""
    return redis.sync_replicas if isinstance(redis, ReplicatedRedis) else 0


def begin_step(redis: Redis) -> Step:
    """Begin a step, before its first read or write: what was read elsewhere may be lost too. Steps may contain steps.

    Sends nothing. The step is of this thread and this client: what others write isn't part of it.
    """
    commands = _commands_of(redis)
    return Step(commands, commands.count)


def queue_wait(pipeline: Pipeline, replicas: int) -> None:
    """Wait at the end of a pipeline (no transaction) that writes; `check_reached` judges the answer."""
    pipeline.wait(replicas, WAIT_MS)


def check_reached(reached: Any, replicas: int) -> None:
    """Raise NotOnReplicas where a WAIT reached too few, and what it raised itself."""
    if isinstance(reached, Exception):
        raise reached
    if int(reached) < replicas:
        raise NotOnReplicas(f"{int(reached)} of {replicas} replicas have it within {WAIT_MS} ms")


def wait_for_replicas(redis: Redis, step: Step) -> None:
    """Return once all that the step read and wrote is on SYNC_REPLICAS replicas. Raises NotOnReplicas, RedisError."""
    if not sync_replicas_of(redis):
        return
    check_replicas(redis)
    if step.commands is not _commands_of(redis) or not step.commands.went_over_one(step.since):
        raise NotOnReplicas("the connection changed during the step: another server may be the primary now")


def check_replicas(redis: Redis) -> None:
    """Return if SYNC_REPLICAS replicas are in step with the primary now. Raises NotOnReplicas, RedisError.

    This says nothing of what was written before: the primary may be another one since.
    """
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
        check_replicas(redis)
    except NotOnReplicas:
        return False
    return True


def _commands_of(redis: Redis) -> Commands:
    pool = redis.connection_pool
    return pool.commands if isinstance(pool, PoolPerThread) else Commands()
