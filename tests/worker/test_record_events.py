"""Entries of the event stream: recorded in the story of their code, then a look at the door; bad ones block none."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis

from shared import redis_keys
from shared.clock import system_clock
from shared.domain.alerting.missed_heartbeats import WEBHOOK
from shared.ledger.heartbeats import Heartbeats
from shared.streams import ensure_group
from tests.sandbox.harness import Sandbox
from tests.worker.machine import Machine


def append(redis: Redis, *events: Any) -> list[str]:
    """Append events as the receiver does; return their entries' ids."""
    return [str(redis.xadd("seam-events", {"event": json.dumps(event), "received_at": "now"})) for event in events]


def event(access_code_id: str, event_type: str = "access_code.set_on_device", **fields: Any) -> dict[str, Any]:
    """Return an event about a code."""
    known = {"event_id": str(uuid4()), "event_type": event_type, "access_code_id": access_code_id}
    return known | {"occurred_at": "2026-11-21T10:00:00Z"} | fields


@pytest.fixture
def ready(machine: Machine, sandbox: Sandbox) -> tuple[str, str, str]:
    """Return the ids of a ready booking, its door and its code."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id), "ready")
    return booking.booking_id, device_id, machine.made(device_id)[0]["access_code_id"]


def test_an_event_prompts_a_look_at_its_door(
    machine: Machine, redis_client: Redis, ready: tuple[str, str, str]
) -> None:
    """Recorded, acknowledged, then looked at; one look for many events of a code."""
    booking_id, device_id, code_id = ready
    machine.handlers.record_events(append(redis_client, *(event(code_id) for _ in range(3))))
    assert machine.looked == [(booking_id, device_id)]
    assert redis_client.xlen("seam-events") == 0
    story = [entry.what for entry in machine.ledger.history(booking_id)]
    assert story.count("access_code.set_on_device") == 3


def test_a_webhook_is_noted_as_a_heartbeat(machine: Machine, redis_client: Redis, ready: tuple[str, str, str]) -> None:
    """With the time of its entry: it shows that a `web` works, also one that gives no signs of life."""
    machine.handlers.record_events(append(redis_client, event(ready[2])))
    assert WEBHOOK not in Heartbeats(redis_client).last()
    (entry_id,) = append(redis_client, event(ready[2], created_at=system_clock().isoformat()))
    machine.handlers.record_events([entry_id])
    assert Heartbeats(redis_client).last()[WEBHOOK].timestamp() * 1000 == int(entry_id.partition("-")[0])


def test_a_lost_look_is_repeated(
    machine: Machine, sandbox: Sandbox, redis_client: Redis, ready: tuple[str, str, str]
) -> None:
    """The worker that was to look was killed. The door is in the due-set, so a sweep has it looked at."""
    booking_id, _, code_id = ready
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", {"simulate": "removed"})
    machine.handlers.record_events(append(redis_client, event(code_id, "access_code.deleted")))
    machine.sweep()
    assert machine.ledger.get(booking_id).state == "ready"
    machine.clock.move(timedelta(seconds=61))
    machine.sweep()
    assert machine.ledger.get(booking_id).reason == "code_gone"


NO_LOOK = {
    "only noted": {"event_type": "access_code.created"},
    "of a code that isn't ours": {"access_code_id": "somebody-else's"},
}


@pytest.mark.parametrize("changed", NO_LOOK.values(), ids=NO_LOOK.keys())
def test_events_that_prompt_nothing(
    machine: Machine, redis_client: Redis, ready: tuple[str, str, str], changed: dict[str, Any]
) -> None:
    """They are kept nevertheless."""
    it = event(ready[2]) | changed
    machine.handlers.record_events(append(redis_client, it))
    assert machine.looked == []
    assert redis_client.lrange(redis_keys.code_events(it["access_code_id"]), 0, -1)[-1] == json.dumps(it)


def test_an_unknown_event_prompts_a_look(machine: Machine, redis_client: Redis, ready: tuple[str, str, str]) -> None:
    """Its meaning isn't known, so Seam is asked."""
    machine.handlers.record_events(append(redis_client, event(ready[2], "access_code.teleported")))
    assert len(machine.looked) == 1


UNREADABLE = {
    "not JSON": {"event": "oops"},
    "a list": {"event": "[]"},
    "no code": {"event": '{"event_id": "e", "event_type": "access_code.created"}'},
    "ids of numbers": {"event": '{"event_id": 1, "event_type": "access_code.created", "access_code_id": 2}'},
    "another field": {"message": "{}"},
    "half a character": {
        "event": '{"event_id": "e", "event_type": "access_code.created", "access_code_id": "\\ud800"}'
    },
    "too deep": {"event": "[" * 60_000},
}


@pytest.mark.parametrize("fields", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_entry_that_is_no_event_is_parked_and_blocks_nothing(
    machine: Machine, redis_client: Redis, ready: tuple[str, str, str], fields: dict[Any, Any]
) -> None:
    """The events around it are recorded, and all are acknowledged."""
    (before,) = append(redis_client, event(ready[2]))
    bad = str(redis_client.xadd("seam-events", fields))
    (after,) = append(redis_client, event(ready[2]))
    machine.handlers.record_events([before, bad, after])
    assert [entry.parked.source_id for entry in machine.parked.list()] == [bad]
    assert redis_client.xlen("seam-events") == 0
    assert len(machine.looked) == 1


def test_deleted_entries_are_skipped(machine: Machine, redis_client: Redis) -> None:
    """A batch that is dispatched twice records the entries that still exist."""
    ensure_group(redis_client, "seam-events")
    entry_ids = append(redis_client, event("c-1"), event("c-1"))
    machine.handlers.record_events(entry_ids[:1])
    machine.handlers.record_events([*entry_ids, "1-1"])
    machine.handlers.record_events([])
    assert redis_client.llen(redis_keys.code_events("c-1")) == 2


def test_events_before_their_code_is_known_are_in_its_story(
    machine: Machine, redis_client: Redis, sandbox: Sandbox
) -> None:
    """A webhook may be faster than the answer to the create."""
    device_id = sandbox.door()
    sandbox.fault("access_codes.create", "disconnect_after", device_id=device_id)
    booking = machine.book(device_id)
    code_id = machine.made(device_id)[0]["access_code_id"]
    machine.handlers.record_events(append(redis_client, event(code_id, "access_code.created")))
    machine.until(booking, "ready")
    assert "access_code.created" in [entry.what for entry in machine.ledger.history(booking.booking_id)]
