"""If a worker reads a door that has changed, the change is stored once, together with the door's new state."""

from datetime import timedelta
from functools import partial
from typing import Any

from redis import Redis

from shared import redis_keys
from shared.ledger.door_history import MOST_CHANGES, DoorChange, DoorHistory, note_door
from tests.sandbox.harness import Sandbox
from tests.shared.stories import NOW
from tests.support.server import DataServer
from tests.worker.machine import Machine, at_once

EARLIER: dict[str, Any] = {"name": "Guest", "check_in": "15:00", "check_out": "10:00"}


def test_a_change_is_stored_with_its_time(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """The refresh of a door with bookings finds it; another refresh finds nothing new."""
    device_id = sandbox.door()
    machine.book(device_id)
    history = DoorHistory(redis_client)
    assert history.of(device_id) == []
    sandbox.arrange("PATCH", f"/sandbox/devices/{device_id}", {"slots": [EARLIER]})
    for _ in range(2):
        machine.handlers.refresh_door(device_id)
    (change,) = history.of(device_id)
    assert change.what == ("Slot “Guest”: 16:00–10:00 became 15:00–10:00.",)
    sandbox.arrange("PATCH", f"/sandbox/devices/{device_id}", {"slots": []})
    machine.handlers.refresh_door(device_id)
    assert [each.what[0] for each in history.of(device_id)] == [
        "Slot “Guest”, 15:00–10:00, was removed.",
        change.what[0],
    ]


def test_many_workers_store_a_change_once(
    machine: Machine, sandbox: Sandbox, data_server: DataServer, redis_client: Redis
) -> None:
    """All of them read the door at the same moment."""
    device_id = sandbox.door()
    machine.book(device_id)
    sandbox.arrange("PATCH", f"/sandbox/devices/{device_id}", {"slots": [EARLIER]})
    machines = [Machine(redis_client, data_server.url, sandbox) for _ in range(4)]
    at_once(*(partial(one.handlers.refresh_door, device_id) for one in machines))
    assert len(DoorHistory(redis_client).of(device_id)) == 1


def test_the_newest_are_kept(redis_client: Redis) -> None:
    """A hundred, as long as the door is read."""
    for number in range(MOST_CHANGES + 5):
        pipeline = redis_client.pipeline(transaction=False)
        note_door(pipeline, "d-1", f"f-{number}", DoorChange(NOW, (str(number),)), keep_for=timedelta(days=1))
        pipeline.execute()
    found = DoorHistory(redis_client).of("d-1")
    assert len(found) == MOST_CHANGES
    assert (found[0].at, found[0].what) == (NOW, (str(MOST_CHANGES + 4),))
    assert int(redis_client.pttl(redis_keys.door_history("d-1"))) > 0
