"""Every key that the worker writes is in the list of keys, and expires when it should."""

import json
from importlib.util import find_spec

import pytest
from redis import Redis

from shared.redis_keys import KEYSPACES
from tests.sandbox.harness import Sandbox
from tests.shared.keys import wrong_keys
from tests.worker.machine import Machine


def test_no_key_is_unlisted_or_lives_for_ever(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """After bookings that are ready, waiting, failed, cancelled and unreadable, and events of ours and of others."""
    ready = machine.until(machine.book(sandbox.door(max_active_codes=1)), "ready")
    machine.book(sandbox.door(slots=[]))
    machine.book("d0000000-0000-0000-0000-000000000404")
    machine.cancel(machine.book(sandbox.door()))
    machine.apply(machine.publish(machine.new_id(), [], kind="cancelled"))
    machine.apply(machine.append("oops"))
    assert ready.doors[0].code is not None
    for code_id in (ready.doors[0].code.access_code_id, "somebody-else's"):
        event = {"event_id": "e", "event_type": "access_code.changed", "access_code_id": code_id}
        machine.handlers.record_events([str(redis_client.xadd("seam-events", {"event": json.dumps(event)}))])
    assert redis_client.dbsize() > 15
    assert wrong_keys(redis_client) == []


@pytest.mark.parametrize(
    ("key", "life"),
    [("oracode:surprise", None), ("oracode:{booking:BK-1}:record", None), ("oracode:due", 60)],
    ids=["unlisted", "without a life", "with a life it shouldn't have"],
)
def test_the_check_finds_unlisted_keys(redis_client: Redis, key: str, life: int | None) -> None:
    """A check that can't fail proves nothing."""
    redis_client.set(key, "x", ex=life)
    assert len(wrong_keys(redis_client)) == 1


def test_every_keyspace_names_its_owner() -> None:
    """Each entry of the list names the module that owns the key."""
    assert len({space.pattern for space in KEYSPACES}) == len(KEYSPACES)
    assert all(space.life != "" for space in KEYSPACES)
    assert [space.owner for space in KEYSPACES if find_spec(space.owner) is None] == []
