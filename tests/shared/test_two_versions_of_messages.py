"""Two versions side by side: lists, stories, parked messages and orders that a newer version wrote."""

import json
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from shared import redis_keys
from shared.domain import versions
from shared.domain.booking.record import Change
from shared.domain.versions import NewerVersionNeeded
from shared.ops_commands import RETRY, OpsCommand, command_from
from shared.parked import Parked, ParkedList
from tests.shared.ledgers import alert_ledger, booking_ledger
from tests.shared.newer_versions import NOTICE, store_as_newer
from tests.shared.stories import DOOR, issued


def test_lists_pass_over_what_only_a_newer_version_reads(redis_client: Redis) -> None:
    """One such record hides no others. Reading it by its id raises NewerVersionNeeded."""
    ledger = booking_ledger(redis_client)
    for number in (1, 2):
        it = replace(issued(DOOR), booking_id=f"BK-{number}")
        ledger.record_message(it.booking_id, lambda _, it=it: Change(it))  # type: ignore[misc]
    key = redis_keys.booking_record("BK-1")
    text = store_as_newer(redis_client, key, state="paused")
    assert [each.booking_id for each in ledger.all()] == ["BK-2"]
    assert [each.booking_id for each in ledger.of_door(DOOR)] == ["BK-2"]
    with pytest.raises(NewerVersionNeeded):
        ledger.get("BK-1")
    seen = replace(issued(DOOR), booking_id="BK-1", version=7)
    with pytest.raises(NewerVersionNeeded):
        ledger.record(seen, lambda before: Change(replace(before, label="x")))
    assert redis_client.hget(key, "record") == text


def test_alerts_that_are_told_together_are_not_told_without_one(redis_client: Redis) -> None:
    """A list for people leaves out an alert that we can't read. Reading its group's alerts to tell them raises."""
    ledger = alert_ledger(redis_client)
    for name in ("a", "b"):
        ledger.record_notice(replace(NOTICE, key=name))
    store_as_newer(redis_client, redis_keys.alert_record("a"), news="escalated")
    assert [each.key for each in ledger.all()] == ["b"]
    with pytest.raises(NewerVersionNeeded):
        ledger.get_many(["a", "b"])


def test_history_lines_of_a_newer_version_are_read(redis_client: Redis) -> None:
    """A story goes on across versions: lines are added, never written again."""
    ledger = booking_ledger(redis_client)
    ledger.record_message("BK-1", lambda _: Change(issued(DOOR)))
    line = {"at": "2036-11-21T12:00:00Z", "what": "code.rethought", "text": "New.", "from_the_future": 1}
    redis_client.rpush(redis_keys.booking_history("BK-1"), json.dumps(line))
    assert [each.what for each in ledger.history("BK-1")] == ["code.rethought"]


def test_parked_messages_of_a_newer_version_are_listed_and_replayed(redis_client: Redis) -> None:
    """The older version reads the fields that it knows."""
    parked = ParkedList(redis_client)
    kept = Parked(stream="s", field="f", source_id="1-1", message="{}", problems=("p",), parked_at="now")
    parked.park(kept)
    found: Any = redis_client.xrange(redis_keys.PARKED)
    ((entry_id, entry_fields),) = found
    assert entry_fields["schema"] == versions.PARKED
    redis_client.xdel(redis_keys.PARKED, entry_id)
    newer = json.loads(entry_fields["parked"]) | {"severity": "high"}
    redis_client.xadd(redis_keys.PARKED, {"parked": json.dumps(newer), "schema": "1.4"})
    (entry,) = parked.list()
    assert entry.parked == kept
    parked.replay(entry)
    assert redis_client.xlen("s") == 1


ORDER = {"action": RETRY, "target": "BK-1", "by": "ann"}


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        (ORDER, "read"),
        (ORDER | {"schema": "1.0"}, "read"),
        (ORDER | {"schema": "1.6", "floor": 7}, "read"),
        (ORDER | {"schema": "2.0"}, "left"),
        (ORDER | {"schema": "1.6", "action": "pause_booking"}, "left"),
        (ORDER | {"schema": "1.0", "action": "pause_booking"}, "refused"),
        (ORDER | {"action": "pause_booking"}, "refused"),
        (ORDER | {"schema": 9, "action": "pause_booking"}, "refused"),
    ],
)
def test_orders_of_a_newer_version(content: dict[str, Any], outcome: str) -> None:
    """An order that only a newer version can give is left to it; what no version knows is refused as before."""
    text = json.dumps(content)
    if outcome == "read":
        assert command_from(text) == OpsCommand(action=RETRY, target="BK-1", by="ann")
    else:
        with pytest.raises(NewerVersionNeeded if outcome == "left" else ValueError, match=r"version|order"):
            command_from(text)
    assert json.loads(OpsCommand(action=RETRY, target="BK-1", by="").encoded())["schema"] == versions.ORDER
