"""Records as a newer version writes them: with more fields, on every level."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from redis import Redis

from shared.domain.booking.record import AlertNotice, Booking, OutcomeNotice
from shared.domain.versions import Versioned
from shared.ledger.newer_version_records import RecordJson
from tests.shared.stories import DOOR, NOW, SECOND, code, intent, issued, with_door

NEWER = "1.7"
NOTICE = AlertNotice(at=NOW, raised=True, key="k", problem="no_slot", happened="It did.", booking_id="BK-1")


def store_as_newer(redis: Redis, key: str, **values: str) -> str:
    """Give the record under `key` these values, as a newer version that knows them would; return its JSON."""
    text = json.dumps(json.loads(str(redis.hget(key, "record"))) | values | {"schema": NEWER})
    redis.hset(key, "record", text)
    return text


def json_of(record_type: type[Any]) -> RecordJson[Any]:
    """Return what encodes and decodes records of this type; nothing is stored."""
    exclude = frozenset({"version"}) if record_type is Booking else frozenset[str]()
    return RecordJson(record_type, exclude=exclude)


def objects_of(value: Any, content: Any, path: str = "") -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Yield each object of a record that may gain fields, with its JSON, named by what it is, not by its place."""
    if is_dataclass(value):
        # A code is the same one wherever in its door it stands.
        here = getattr(value, "access_code_id", None) or f"{path}{getattr(value, 'key', '')}"
        if "unknown_fields" in {each.name for each in fields(value)}:
            yield here, value, content
        for each in fields(value):
            if each.name in content:
                yield from objects_of(getattr(value, each.name), content[each.name], f"{here}.{each.name}")
    elif isinstance(value, tuple):
        for each, part in zip(value, content, strict=True):
            yield from objects_of(each, part, path)
    elif isinstance(value, Mapping) and isinstance(content, dict):
        for name, each in value.items():
            yield from objects_of(each, content[name], f"{path}[{name}]")


def of_a_newer_version(it: Versioned, additions: Iterator[dict[str, Any]]) -> tuple[str, dict[str, dict[str, Any]]]:
    """Return a record's JSON as a newer version would have written it, and what that added, by object."""
    content = json.loads(json_of(type(it)).encoded(it))
    added = {}
    for name, _, part in objects_of(it, content):
        added[name] = {f"newer_{key}": value for key, value in next(additions).items()}
        part.update(added[name])
    content["schema"] = NEWER
    return json.dumps(content), added


def kept_in(it: Versioned) -> dict[str, dict[str, Any]]:
    """Return what a record's JSON, as we write it, holds besides what we know, by object."""
    kept = json_of(type(it))
    content = json.loads(kept.encoded(it))
    assert kept.decoded(json.dumps(content)) == it
    return {
        name: {key: each for key, each in part.items() if key.startswith("newer_")}
        for name, _, part in objects_of(it, content)
    }


def a_booking() -> Booking:
    """Return a booking of two doors that has everything: codes, one of the past, an intent, notices."""
    it = with_door(issued(DOOR, SECOND), residual=(code("c-old"),))
    it = with_door(it, SECOND, intent=intent())
    outbox = (OutcomeNotice(sequence=1, at=NOW, outcome="access-code.issued", body={"a": {"b": [1]}}), NOTICE)
    return replace(it, outbox=outbox)
