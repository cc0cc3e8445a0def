"""A ledger of any size: the real worker handles one booking, and a script in the server copies it under other ids."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from redis import Redis

from bench.creates import publish
from bench.data_server import DataServer, keep_data_again
from bench.system import EVENT_STREAM, age_the_ledger, ledger_of, sandbox, worker
from bench.waiting import wait_until
from bench.webhooks import event
from shared import redis_keys
from shared.contracts import EVENT_FIELD
from shared.ledger.bookings import UnknownBooking

BOOKINGS_A_DOOR: Final = 10
_SCRIPT: Final = (Path(__file__).parent / "clone_booking.lua").read_text()
_BOOKING: Final = "TEMPLATE0"
_AT_ONCE: Final = 2_000
_MINUTE_MS: Final = 60_000


def booking_id(number: int) -> str:
    """Return the id that the script gives to the booking of this number."""
    return f"G{number:09}"


def code_id(number: int) -> str:
    """Return the id of that booking's access code."""
    return f"c0de0000-0000-4000-8000-{number:012}"


def door_id(number: int) -> str:
    """Return the id of that booking's door."""
    return f"d0000000-0000-4000-8000-{number // BOOKINGS_A_DOOR:012}"


def template(server: DataServer) -> str:
    """Let the real worker make a code for one booking; return everything that it wrote, and empty the server."""
    ledger = ledger_of(server)
    with server.client() as redis, sandbox(latency=0) as seam:
        (door,) = seam.add_doors(1, prefix=7)
        age_the_ledger(redis)
        with worker(server, seam.url):
            publish(redis, [door], 1, _BOOKING.removesuffix("0"))
            wait_until(lambda: state_of(ledger) == "issued", within=30, what="the template's code")
            made = ledger.get(_BOOKING).doors[0].code
            if made is None:
                raise ValueError("the template has no code")
            for number, kind in enumerate(("created", "changed")):
                told = event(number) | {"event_type": f"access_code.{kind}", "access_code_id": made.access_code_id}
                redis.xadd(EVENT_STREAM, {EVENT_FIELD: json.dumps(told)})
            wait_until(lambda: redis.xlen(EVENT_STREAM) == 0, within=30, what="the template's events")
        ids = {"booking": _BOOKING, "code": made.access_code_id, "door": door}
        entries = [entry for key in sorted(redis.scan_iter(count=1_000)) if (entry := entry_of(redis, str(key), ids))]
        redis.flushall()
    spread = {redis_keys.DUE: _MINUTE_MS, redis_keys.BOOKINGS: 60}
    return json.dumps({**ids, "entries": entries, "spread": spread})


def state_of(ledger: Any) -> str:
    """Return the state of the template booking; empty while it doesn't exist."""
    try:
        return str(ledger.get(_BOOKING).state)
    except UnknownBooking:
        return ""


def entry_of(redis: Redis, key: str, ids: dict[str, str]) -> list[Any] | None:
    """Return what the script needs to copy a key; None for keys that belong to no booking (marks, streams)."""
    is_shared = key in (redis_keys.DUE, redis_keys.BOOKINGS)
    if not (is_shared or (key.startswith(redis_keys.PREFIX) and any(each in key for each in ids.values()))):
        return None
    if ":device" in key or ":fingerprint" in key or ":spent" in key:
        return None
    kind = str(redis.type(key))
    content: Any = None
    if kind == "string":
        content = redis.get(key)
    elif kind == "hash":
        content = redis.hgetall(key)
    elif kind == "list":
        content = redis.lrange(key, 0, -1)
    elif kind == "zset":
        pairs: Any = redis.zrange(key, 0, -1, withscores=True)
        later = timedelta(days=30).total_seconds() * 1000 if key == redis_keys.DUE else 0
        content = {member: score + later for member, score in pairs if any(each in member for each in ids.values())}
    lasts: Any = redis.pexpiretime(key)
    return [kind, key, content, max(0, int(lasts))] if content else None


def grow(server: DataServer, made: str, start: int, end: int) -> None:
    """Add the bookings from `start` to `end` (exclusive). The append-only file is off meanwhile, then on again."""
    with server.client(socket_timeout=120) as redis:
        redis.config_set("appendonly", "no")
        script = redis.register_script(_SCRIPT)
        for first in range(start, end, _AT_ONCE):
            script(args=[first, min(end, first + _AT_ONCE) - 1, BOOKINGS_A_DOOR, made])
        keep_data_again(redis)
