"""Writes that count only when replicas have them (SYNC_REPLICAS), for `web`'s asynchronous client.

The same for the other processes: `shared.replicas`. Appending messages is `receiver.inbox`.
"""

from redis.asyncio.client import Pipeline

from shared.replicas import WAIT_MS, check_reached


async def execute_on_replicas(pipeline: Pipeline, replicas: int) -> None:
    """Execute a pipeline that writes (no transaction), and return when `replicas` replicas have it.

    Raises NotOnReplicas if too few have it in time, and RedisError and OSError if the write fails.
    """
    if replicas:
        _ = pipeline.wait(replicas, WAIT_MS)
    answers = await pipeline.execute()
    if replicas:
        check_reached(answers[-1], replicas)
