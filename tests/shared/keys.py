"""Walks every key of a data server: what it holds, and whether it may be there."""

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from redis import Redis

from shared.redis_keys import KEYSPACES

# The streams of the contract have no life of their own: what they hold is what is still to be done.
STREAMS = ("seam-events", "booking-created", "access-code-outcomes", "ops-commands")


def everything_in(redis: Redis) -> dict[str, str]:
    """Return what every key holds, as text."""
    readers: Mapping[str, Callable[[str], Any]] = {
        "string": redis.get,
        "list": lambda key: redis.lrange(key, 0, -1),
        "hash": redis.hgetall,
        "zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
        "set": redis.smembers,
        "stream": redis.xrange,
    }
    return {key: f"{key} {readers[str(redis.type(key))](key)}" for key in redis.scan_iter()}


def wrong_keys(redis: Redis) -> list[str]:
    """Return every key that no keyspace lists, or that lives for ever without being meant to."""
    wrong = []
    for key in redis.scan_iter():
        if key in STREAMS:
            continue
        spaces = [space for space in KEYSPACES if fnmatchcase(key, space.pattern)]
        if not spaces:
            wrong.append(f"{key} is in no keyspace")
        elif len(spaces) > 1:
            wrong.append(f"{key} is in several keyspaces")
        elif spaces[0].life is None and redis.ttl(key) != -1:
            wrong.append(f"{key} should be kept for ever")
        elif spaces[0].life is not None and redis.ttl(key) < 0:
            wrong.append(f"{key} should have a life: {spaces[0].life}")
    return wrong
