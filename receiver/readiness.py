"""`GET /healthz` and `GET /readyz`: whether the process lives, and whether it can accept anything."""

import asyncio

from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import Response

from receiver.refusals import json_response
from shared import redis_keys


async def healthz(_: Request) -> Response:
    """Answer: that is all there is to say."""
    return json_response(200, {"status": "alive"})


class Readiness:
    """Ready means: the data server takes writes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._check: asyncio.Task[bool] | None = None

    async def readyz(self, _: Request) -> Response:
        """Answer 200, or 503 with the failing check named."""
        if await self._takes_writes():
            return json_response(200, {"status": "ready"})
        return json_response(503, {"status": "not_ready", "failing": ["redis"]})

    async def _takes_writes(self) -> bool:
        """Check by a write. Anybody may ask, so all who ask during one check share its result."""
        if self._check is None or self._check.done():
            self._check = asyncio.create_task(self._write())
        return await asyncio.shield(self._check)

    async def _write(self) -> bool:
        try:
            await self._redis.hincrby(redis_keys.IGNORED, "readiness", 0)
        except (RedisError, OSError):
            return False
        return True
