"""Events that no webhook brought are read from Seam's list and added: once, without a PIN, and counted."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis

from shared.ledger.reconciliation import ReconciliationLedger
from shared.seam.client import Answer
from shared.seam.errors import Unreadable
from shared.seam.events import Events
from tests.sandbox.harness import Sandbox
from tests.support.server import DataServer
from tests.support.waiting import wait_until
from tests.worker.machine import Machine

ALERT = "webhooks/missing"


def worker(redis_client: Redis, data_server: DataServer, sandbox: Sandbox) -> Machine:
    """Return a worker that compares events as soon as they exist."""
    return Machine(redis_client, data_server.url, sandbox, reconcile_every=timedelta(milliseconds=1))


@pytest.fixture
def machine(redis_client: Redis, data_server: DataServer, sandbox: Sandbox) -> Machine:
    """Return such a worker on the sandbox that all tests share."""
    return worker(redis_client, data_server, sandbox)


def compare(machine: Machine) -> None:
    """Compare once everything until now; an event of this millisecond would be left for the next time."""
    asked_at = machine.clock()
    wait_until(lambda: machine.clock() > asked_at + timedelta(milliseconds=3), what="the next millisecond")
    machine.handlers.periodic_jobs("reconcile")


def in_stream(redis: Redis) -> list[dict[str, Any]]:
    """Return the events in the stream."""
    entries: Any = redis.xrange("seam-events")
    return [json.loads(fields["event"]) for _, fields in entries]


def handle(machine: Machine, redis: Redis) -> None:
    """Do what the dispatcher does with the events in the stream."""
    entries: Any = redis.xrange("seam-events")
    machine.handlers.record_events([entry_id for entry_id, _ in entries])


def test_events_that_no_webhook_brought_are_added_once(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """Without their PINs, and only those about access codes."""
    compare(machine)
    redis_client.delete("seam-events")
    booking = machine.until(machine.book(sandbox.door()), "ready")
    sandbox.arrange("POST", "/sandbox/events", {"event_type": "lock.locked", "device_id": "d"})
    compare(machine)
    code = booking.doors[0].code
    assert code is not None
    events = [each for each in in_stream(redis_client) if each["access_code_id"] == code.access_code_id]
    assert {"access_code.created", "access_code.set_on_device"} <= {each["event_type"] for each in events}
    assert all(each["event_type"].startswith("access_code.") for each in in_stream(redis_client))
    waiting = redis_client.xlen("seam-events")
    pins = [each["pin"] for each in machine.made(booking.doors[0].device_id)]
    assert not any(pin in json.dumps(in_stream(redis_client)) for pin in pins)
    compare(machine)
    assert redis_client.xlen("seam-events") == waiting


def test_events_that_webhooks_brought_are_not_added(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """The receiver and the reconciliation use the same marks."""
    compare(machine)
    event = sandbox.arrange(
        "POST", "/sandbox/events", {"event_type": "access_code.changed", "access_code_id": str(uuid4())}
    )
    redis_client.set(f"{{seam-events}}:seen:{event['event_id']}", "1", ex=60)
    compare(machine)
    assert event["event_id"] not in {each["event_id"] for each in in_stream(redis_client)}


def test_a_deletion_without_a_webhook_is_noticed(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """The event is fetched and prompts a look; the look changes the booking."""
    booking = machine.until(machine.book(sandbox.door()), "ready")
    code = booking.doors[0].code
    assert code is not None
    compare(machine)
    handle(machine, redis_client)
    machine.looked.clear()
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code.access_code_id}", {"simulate": "removed"})
    compare(machine)
    handle(machine, redis_client)
    assert machine.looked == [(booking.booking_id, booking.doors[0].device_id)]
    machine.handlers.advance_door(*machine.looked[0], prompted=True)
    assert machine.ledger.get(booking.booking_id).reason == "code_gone"


def test_missing_webhooks_are_told_until_they_come_again(redis_client: Redis, data_server: DataServer) -> None:
    """One alert for any number; it ends when enough events came by webhook. This Seam has no other events."""
    with Sandbox() as sandbox:
        watch_webhooks(worker(redis_client, data_server, sandbox), sandbox, redis_client)


def watch_webhooks(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """Let webhooks be missing, and come again."""

    def emit(count: int, *, by_webhook: bool) -> None:
        for _ in range(count):
            body = {"event_type": "access_code.changed", "access_code_id": str(uuid4())}
            event = sandbox.arrange("POST", "/sandbox/events", body)
            if by_webhook:
                redis_client.set(f"{{seam-events}}:seen:{event['event_id']}", "1", ex=60)

    compare(machine)
    emit(2, by_webhook=False)
    compare(machine)
    assert machine.alerts.get(ALERT) is None
    emit(2, by_webhook=False)
    compare(machine)
    alert = machine.alerts.get(ALERT)
    assert alert is not None
    assert alert.is_open
    assert "This began at" in alert.notice.happened
    emit(10, by_webhook=True)
    compare(machine)
    alert = machine.alerts.get(ALERT)
    assert alert is not None
    assert not alert.is_open
    progress = ReconciliationLedger(redis_client).load()
    assert (progress.missed, progress.compared >= 14) == (4, True)


def test_a_first_comparison_finds_no_gap(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """A new installation, or an emptied server, couldn't have got earlier events."""
    for _ in range(5):
        sandbox.arrange("POST", "/sandbox/events", {"event_type": "access_code.changed", "access_code_id": "c"})
    compare(machine)
    assert redis_client.xlen("seam-events") >= 5
    assert machine.alerts.get(ALERT) is None


def test_an_outage_of_seam_loses_nothing(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """The cursor stays, the job runs again, and the next comparison finds what happened meanwhile."""
    compare(machine)
    before = ReconciliationLedger(redis_client).load()
    event = sandbox.arrange(
        "POST", "/sandbox/events", {"event_type": "access_code.changed", "access_code_id": "c-away"}
    )
    sandbox.arrange("POST", "/sandbox/outage", {"on": True})
    compare(machine)
    assert ReconciliationLedger(redis_client).load() == before
    sandbox.arrange("POST", "/sandbox/outage", {"on": False})
    compare(machine)
    assert event["event_id"] in {each["event_id"] for each in in_stream(redis_client)}


class ListOfEvents:
    """A list of events like Seam's: at most a page, in any order, both bounds exclusive."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self.events = events
        self.calls = 0

    def read(self, path: str, parameters: Any) -> Answer:
        """Return the first page of the events between the bounds."""
        assert path == "/events/list"
        self.calls += 1
        low, high = parameters["between"]
        found = [each for each in self.events if low < each["created_at"] < high]
        return Answer({"events": found[: parameters["limit"]]})


@pytest.mark.parametrize("newest_first", [False, True])
def test_spans_are_halved_until_each_fits(machine: Machine, newest_first: bool) -> None:  # noqa: FBT001 - a table
    """2,000 events in an hour, 400 of them in one second: none is cut off, for any order of a page."""
    start = machine.clock()
    moments = [start + timedelta(seconds=2 * number) for number in range(1600)]
    moments += [start + timedelta(seconds=1000, milliseconds=number) for number in range(400)]
    events = [
        {"event_id": str(number), "event_type": "access_code.changed", "created_at": at.isoformat()}
        for number, at in enumerate(moments)
    ]
    client = ListOfEvents(sorted(events, key=lambda each: each["created_at"], reverse=newest_first))
    found = list(Events(client).ours(start, start + timedelta(hours=1)))  # type: ignore[arg-type]
    assert {each["event_id"] for each in found} == {each["event_id"] for each in events}
    assert client.calls < 30


def test_an_answer_without_events(machine: Machine) -> None:
    """It is unreadable: it doesn't mean that nothing happened."""

    class Odd:
        def read(self, _path: str, _parameters: Any) -> Answer:
            return Answer({"events": None})

    with pytest.raises(Unreadable):
        list(Events(Odd()).ours(machine.clock(), machine.clock()))  # type: ignore[arg-type]


def test_after_an_outage_all_waiting_work_is_tried_at_once(machine: Machine, sandbox: Sandbox) -> None:
    """As soon as Seam answers one call; and people are told that the outage is over."""
    device_id = sandbox.door()
    sandbox.fault("devices.get", "error_before", device_id=device_id, times=8)
    booking = machine.book(device_id)
    for _ in range(7):
        due_at = machine.ledger.get(booking.booking_id).doors[0].due_at
        assert due_at is not None
        machine.clock.move(max(timedelta(), due_at - machine.clock()) + timedelta(seconds=1))
        machine.handlers.advance_door(booking.booking_id, booking.doors[0].key)
    machine.handlers.deliver_alert("seam/unavailable")
    parent = machine.alerts.get("seam/unavailable")
    assert parent is not None
    assert parent.is_open
    due_at = machine.ledger.get(booking.booking_id).doors[0].due_at
    assert due_at is not None
    assert due_at > machine.clock() + timedelta(seconds=30)

    compare(machine)
    machine.sweep()
    assert machine.ledger.get(booking.booking_id).state in ("issued", "ready")
    machine.handlers.deliver_alert("seam/unavailable")
    parent = machine.alerts.get("seam/unavailable")
    assert parent is None or not parent.is_open
