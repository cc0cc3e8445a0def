"""Two versions side by side, as in every rolling restart: the older reads what the newer wrote."""

import json
from dataclasses import replace
from typing import Any

from redis import Redis

from shared import redis_keys
from shared.domain.records import Change
from tests.shared.ledgers import booking_ledger
from tests.shared.stories import DOOR, SECOND, code, issued, with_door


def of_a_newer_version(value: Any) -> Any:
    """Return a record with a field that we don't know in each of its objects."""
    if isinstance(value, dict):
        known = {name: of_a_newer_version(each) for name, each in value.items()}
        return known | {"from_the_future": {"deep": [1, None, "x"]}}
    return [of_a_newer_version(each) for each in value] if isinstance(value, list) else value


def test_a_record_of_a_newer_version_is_read_and_changed(redis_client: Redis) -> None:
    """Fields that we don't know are passed over, on every level; what we know of the booking is as it was."""
    ledger = booking_ledger(redis_client)
    it = with_door(issued(DOOR, SECOND), residual=(code("c-old"),))
    written = ledger.create_or_update("BK-1", lambda _: Change(it))
    key = redis_keys.booking_record("BK-1")
    text = redis_client.hget(key, "record")
    redis_client.hset(key, "record", json.dumps(of_a_newer_version(json.loads(str(text)))))
    assert ledger.get("BK-1") == written
    assert list(ledger.all()) == [replace(written, version=0)]
    changed = ledger.update(ledger.get("BK-1"), lambda before: Change(replace(before, label="by the older")))
    assert changed == replace(written, label="by the older", version=2)


def test_history_lines_of_a_newer_version_are_read(redis_client: Redis) -> None:
    """A story goes on across versions."""
    ledger = booking_ledger(redis_client)
    ledger.create_or_update("BK-1", lambda _: Change(issued(DOOR)))
    line = {"at": "2036-11-21T12:00:00Z", "what": "code.rethought", "text": "New.", "from_the_future": 1}
    redis_client.rpush(redis_keys.booking_history("BK-1"), json.dumps(line))
    assert [each.what for each in ledger.history("BK-1")] == ["code.rethought"]
