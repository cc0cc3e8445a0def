"""`GET /healthz`: whether the process is alive. `GET /readyz`: whether it can accept messages."""

import asyncio

from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import Response

from receiver.refusals import json_response
from receiver.replicated_write import execute_on_replicas
from shared import redis_keys


async def healthz(_: Request) -> Response:
    """Answer 200: a process that answers is alive."""
    return json_response(200, {"status": "alive"})


class Readiness:
    """Ready means: the data server accepts writes, and `sync_replicas` replicas confirm them."""

    def __init__(self, redis: Redis, *, sync_replicas: int = 0) -> None:
        self._redis = redis
        self._replicas = sync_replicas
        self._check: asyncio.Task[bool] | None = None

    async def readyz(self, _: Request) -> Response:
        """Answer 200, or 503 with the failing check named."""
        if await self._takes_writes():
            return json_response(200, {"status": "ready"})
        return json_response(503, {"status": "not_ready", "failing": ["redis"]})

    async def _takes_writes(self) -> bool:
        """Check by a write. Requests during one check share its result, so that many requests cost one write."""
        if self._check is None or self._check.done():
            self._check = asyncio.create_task(self._write())
        return await asyncio.shield(self._check)

    async def _write(self) -> bool:
        try:
            pipeline = self._redis.pipeline(transaction=False)
            _ = pipeline.hincrby(redis_keys.IGNORED, "readiness", 0)
            await execute_on_replicas(pipeline, self._replicas)
        except (RedisError, OSError):
            return False
        return True
