"""Every key of a data server as readable JSON, and back again.

One entry a key, sorted by key. A value that is JSON stands there as JSON, where writing it out again gives the very
same text, under the name of its spelling. Bytes that are no UTF-8 stand in base64. What lives for a limited time is
marked `ends`; how long it had left is not kept. Keys of Celery's broker are left out: a message in the broker is never
the record, so nothing of ours is in there that isn't in the due-set or in a stream.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from fnmatch import fnmatchcase
from typing import Any, Final, cast

from redis import Redis

BROKER: Final = ("_kombu.*", "unacked*", "oracode", "oracode.*", "*.pidbox", "*.reply.celery.pidbox")
# Whatever is loaded must outlive the test that loads it.
LIFE: Final = timedelta(days=60)

_SPELLINGS: Final[Mapping[str, Callable[[Any], str]]] = {
    "json": lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False),
    "json, ASCII": lambda value: json.dumps(value, separators=(",", ":")),
    "json, spaced": json.dumps,
}
_WIDTH: Final = 200
_DAY: Final = re.compile(r"(?<![0-9A-Za-z-])(20[0-9]{2})-([0-9]{2})-([0-9]{2})(?![0-9])")
_ENTRY_ID: Final = re.compile(r"(?<![0-9])(1[5-9][0-9]{11})-([0-9]{1,6})(?![0-9-])")
_EPOCH: Final = re.compile(r"(?<=@)(1[5-9][0-9]{8})(?=\.|\"|$)")
_SECONDS, _MILLISECONDS = (1.5e9, 2e9), (1.5e12, 2e12)

Dump = dict[str, dict[str, Any]]


def dump(redis: Redis) -> Dump:
    """Return every key of ours; `redis` must answer in bytes."""
    keys = sorted(bytes(key) for key in cast(Any, redis.scan_iter(count=1000)))
    names = [key.decode() for key in keys]
    return {name: _entry(redis, name) for name in names if not any(fnmatchcase(name, each) for each in BROKER)}


def _entry(redis: Any, key: str) -> dict[str, Any]:
    kind = redis.type(key).decode()
    entry: dict[str, Any] = {"type": kind}
    if redis.pttl(key) >= 0:
        entry["ends"] = True
    match kind:
        case "string":
            entry["value"] = _told(redis.get(key))
        case "hash":
            entry["value"] = {name.decode(): _told(value) for name, value in sorted(redis.hgetall(key).items())}
        case "list":
            entry["value"] = [_told(value) for value in redis.lrange(key, 0, -1)]
        case "zset":
            entry["value"] = {name.decode(): score for name, score in redis.zrange(key, 0, -1, withscores=True)}
        case "stream":
            entry |= _stream(redis, key)
        case _:
            raise ValueError(f"{key}: a {kind} isn't dumped")
    return entry


def _stream(redis: Any, key: str) -> dict[str, Any]:
    groups = {}
    for group in redis.xinfo_groups(key):
        name = group["name"].decode()
        pending = redis.xpending_range(key, name, "-", "+", 1000)
        groups[name] = {
            "last_delivered_id": group["last-delivered-id"].decode(),
            "pending": [
                [each["message_id"].decode(), each["consumer"].decode(), each["times_delivered"]] for each in pending
            ],
        }
    entries = [
        [entry_id.decode(), {name.decode(): _told(value) for name, value in fields.items()}]
        for entry_id, fields in redis.xrange(key)
    ]
    last = redis.xinfo_stream(key)["last-generated-id"].decode()
    return {"value": entries, "last_id": last, "groups": groups}


def _told(value: bytes) -> Any:
    """Return a value as it stands in the file."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}
    if text[:1] in ("{", "["):
        try:
            content = json.loads(text)
        except ValueError:
            return text
        for spelling, spell in _SPELLINGS.items():
            if spell(content) == text:
                return {spelling: content}
    return text


def _stored(told: Any) -> bytes:
    """Return what `_told` was given."""
    if isinstance(told, str):
        return told.encode()
    ((spelling, content),) = told.items()
    return base64.b64decode(content) if spelling == "base64" else _SPELLINGS[spelling](content).encode()


def load(client: Redis, entries: Dump) -> None:
    """Write every entry into an empty database."""
    # In one go: the server makes durable what comes together at once.
    redis: Any = client.pipeline(transaction=False)
    for key, entry in entries.items():
        value = entry["value"]
        match entry["type"]:
            case "string":
                redis.set(key, _stored(value))
            case "hash":
                redis.hset(key, mapping={name: _stored(each) for name, each in value.items()})
            case "list":
                redis.rpush(key, *map(_stored, value))
            case "zset":
                redis.zadd(key, value)
            case "stream":
                _load_stream(redis, key, entry)
            case unknown:
                raise ValueError(f"{key}: a {unknown} can't be loaded")
        if entry.get("ends"):
            redis.pexpire(key, LIFE)
    redis.execute()


def _load_stream(redis: Any, key: str, entry: dict[str, Any]) -> None:
    for entry_id, fields in entry["value"]:
        redis.xadd(key, {name: _stored(each) for name, each in fields.items()}, id=entry_id)
    for name, group in entry["groups"].items():
        redis.xgroup_create(key, name, id=group["last_delivered_id"], mkstream=True)
        for entry_id, consumer, times in group["pending"]:
            redis.xclaim(key, name, consumer, 0, [entry_id], retrycount=times, force=True, justid=True)
    if entry["value"] or entry["groups"]:
        redis.execute_command("XSETID", key, entry["last_id"])


def moved_by(content: Any, days: int) -> Any:
    """Return a dump, or any part of one, with every day and moment in it `days` later.

    By whole days, so that times of day stay what they were; the doors of the dump are where no clock is ever changed.
    """
    if days == 0:
        return content
    match content:
        case dict():
            return {_moved_text(name, days): moved_by(each, days) for name, each in content.items()}
        case list():
            return [moved_by(each, days) for each in content]
        case str():
            return _moved_text(content, days)
        case float():
            return _moved_number(content, days)
        case _:
            return content


def _moved_text(text: str, days: int) -> str:
    def day(found: re.Match[str]) -> str:
        year, month, day_of_month = map(int, found.groups())
        try:
            return (date(year, month, day_of_month) + timedelta(days=days)).isoformat()
        except ValueError:
            # No day at all, as in a message that was parked for it.
            return found[0]

    def entry_id(found: re.Match[str]) -> str:
        return f"{int(found[1]) + days * 86_400_000}-{found[2]}"

    def epoch(found: re.Match[str]) -> str:
        return str(int(found[1]) + days * 86_400)

    return _EPOCH.sub(epoch, _ENTRY_ID.sub(entry_id, _DAY.sub(day, text)))


def _moved_number(number: float, days: int) -> float:
    if _SECONDS[0] < number < _SECONDS[1]:
        return number + days * 86_400
    if _MILLISECONDS[0] < number < _MILLISECONDS[1]:
        return number + days * 86_400_000
    return number


def renamed(content: Any, names: Mapping[str, str]) -> Any:
    """Return any part of a dump with each of these texts replaced, wherever it stands."""
    if not names:
        return content
    pattern = re.compile("|".join(map(re.escape, names)))
    text = json.dumps(content, ensure_ascii=False)
    return json.loads(pattern.sub(lambda found: names[found[0]], text))


def pretty(content: Any) -> str:
    """Return JSON for people: what fits into a line stands in one."""
    return "".join(_lines(content, "", "")) + "\n"


def _lines(content: Any, indent: str, before: str) -> Iterator[str]:
    line = json.dumps(content, ensure_ascii=False)
    if not isinstance(content, dict | list) or len(indent) + len(before) + len(line) < _WIDTH or not content:
        yield f"{before}{line}"
        return
    opening, closing = "{}" if isinstance(content, dict) else "[]"
    deeper = f"{indent} "
    yield f"{before}{opening}"
    parts = content.items() if isinstance(content, dict) else ((None, each) for each in content)
    for number, (name, each) in enumerate(parts):
        named = "" if name is None else f"{json.dumps(name, ensure_ascii=False)}: "
        yield f"{',' if number else ''}\n{deeper}"
        yield from _lines(each, deeper, named)
    yield f"\n{indent}{closing}"
