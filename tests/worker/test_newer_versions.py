"""Work that only a newer version understands is left to it: not parked, not counted as a failure, not lost."""

import json
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from shared import redis_keys
from shared.contracts import (
    ADVANCE_DOOR,
    APPLY_BOOKING,
    DELIVER_ALERT,
    OPS_STREAM,
    RECORD_EVENTS,
    RUN_OPS_COMMAND,
    RUN_PERIODIC_JOB,
    SWEEP_DUE,
)
from shared.domain.booking.record import Booking
from shared.ledger.due_set import DueItem, door_item, periodic_job_item
from shared.ops_commands import OpsCommand
from shared.streams import GROUP, ensure_group
from tests.sandbox.harness import Sandbox
from tests.shared.newer_versions import store_as_newer
from tests.worker.machine import Machine
from tests.worker.task_table import TaskTable
from worker.cli.doctor_upkeep import versions
from worker.consumers.quarantine_entries import MOST_DELIVERIES
from worker.consumers.stream_reader import StreamReader
from worker.tasks import MOST_STARTS

ALERT_KEY = "versions/newer_version_needed"


@pytest.fixture
def worker(machine: Machine) -> TaskTable:
    """Return the worker's tasks."""
    return TaskTable(machine)


def written_by_newer(machine: Machine, booking: Booking) -> str:
    """Put the booking into a state that our version doesn't know; return its record."""
    key = redis_keys.booking_record(booking.booking_id)
    return store_as_newer(machine.redis, key, state="paused")


def written_by_us(machine: Machine, booking: Booking) -> None:
    """Put the booking back into its earlier state, as the newer version may do."""
    key = redis_keys.booking_record(booking.booking_id)
    content = json.loads(str(machine.redis.hget(key, "record"))) | {"state": booking.state}
    machine.redis.hset(key, "record", json.dumps(content))


def record(machine: Machine, booking: Booking) -> str:
    """Return the booking's record as it stands."""
    return str(machine.redis.hget(redis_keys.booking_record(booking.booking_id), "record"))


def due_in(machine: Machine, item: DueItem) -> float | None:
    """Return in how many seconds an item is due; None if it isn't in the due-set."""
    at: Any = machine.redis.zscore(redis_keys.DUE, item.encoded())
    return None if at is None else float(at) / 1000 - machine.clock().timestamp()


def test_a_door_of_a_newer_version_is_put_back_until_a_process_can_take_it(
    machine: Machine, worker: TaskTable, sandbox: Sandbox
) -> None:
    """With growing pauses. It is never a suspect, and its record isn't written. Then it goes on."""
    booking = machine.until(machine.book(sandbox.door()), "ready")
    item = door_item(booking.booking_id, booking.doors[0].key)
    text = written_by_newer(machine, booking)
    machine.handlers.due.set([(item, machine.clock())])
    pauses = []
    for _ in range(3 * MOST_STARTS):
        began_at = machine.clock().timestamp()
        worker.do(SWEEP_DUE, is_beat=False)
        left = due_in(machine, item)
        assert left is not None
        # It was put back at some time during the sweep, which may take long on a busy machine.
        pauses.append((left, left + machine.clock().timestamp() - began_at))
        assert machine.redis.hget(redis_keys.CLAIMS, item.encoded()) is None
        machine.clock.move(timedelta(seconds=left + 1))
    for (shortest, longest), expected in ((pauses[0], 2), (pauses[-1], 60)):
        assert shortest - 0.01 <= expected <= longest + 0.01
    assert record(machine, booking) == text
    written_by_us(machine, booking)
    worker.do(SWEEP_DUE, is_beat=False)
    assert (due_in(machine, item) or 0) > 600
    assert machine.ledger.get(booking.booking_id).state == "ready"


def test_it_is_told_where_nobody_takes_it_and_resolved_when_somebody_has(
    machine: Machine, worker: TaskTable, sandbox: Sandbox
) -> None:
    """After five minutes, once; the doctor says so, too. Work that was taken meanwhile isn't told."""
    booking = machine.until(machine.book(sandbox.door()), "ready")
    written_by_newer(machine, booking)
    version_skew = machine.handlers.version_skew
    door = booking.doors[0].key

    def is_open() -> bool:
        machine.handlers.periodic_jobs("tell_left")
        alert = machine.alerts.get(ALERT_KEY)
        return alert is not None and alert.is_open

    version_skew.put_back(door_item("BK-taken-soon", "d"), "of a newer version")
    for _ in range(5):
        assert not is_open()
        worker.do(ADVANCE_DOOR, booking.booking_id, door)
        machine.clock.move(timedelta(seconds=59))
    machine.clock.move(timedelta(seconds=10))
    assert is_open()
    assert is_open()
    alert = machine.alerts.get(ALERT_KEY)
    assert alert is not None
    assert alert.count == 1
    assert machine.redis.zcard(redis_keys.WORK_FOR_NEWER_VERSION) == 1
    stuck = machine.work_for_newer_version.stuck()
    assert (stuck.count, versions(stuck, machine.clock()).verdict) == (1, "bad")
    machine.clock.move(timedelta(minutes=4))
    assert not is_open()
    assert versions(machine.work_for_newer_version.stuck(), machine.clock()).verdict == "ok"
    assert (
        machine.redis.zcard(redis_keys.WORK_FOR_NEWER_VERSION) == machine.redis.zcard(redis_keys.WORK_PUT_BACK_AT) == 0
    )


def test_a_message_for_a_booking_of_a_newer_version_stays_in_its_stream(
    machine: Machine, worker: TaskTable, sandbox: Sandbox
) -> None:
    """For any number of tries it is neither parked nor lost, and it is applied when a process can."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id), "ready")
    written_by_newer(machine, booking)
    ensure_group(machine.redis, "booking-created")
    entry_id = machine.publish(booking.booking_id, [device_id], kind="updated", revision=1)
    parked: list[str] = []
    reader = StreamReader(
        redis=machine.redis,
        stream="booking-created",
        count=10,
        most_under_way=10,
        reclaim_after=timedelta(),
        send=lambda entry_ids: worker.do(APPLY_BOOKING, *entry_ids),
        park=lambda each, _fields: parked.append(each),
    )
    machine.redis.xreadgroup(GROUP, "dispatcher", {"booking-created": ">"})
    worker.do(APPLY_BOOKING, entry_id)
    for _ in range(3 * MOST_DELIVERIES):
        assert reader.quarantine.reclaim() == 1
        reader.quarantine.try_suspect()
        (pending,) = machine.redis.xpending_range("booking-created", GROUP, "-", "+", 10)
        assert pending["times_delivered"] == 1
    assert parked == []
    assert list(machine.parked.list()) == []
    written_by_us(machine, booking)
    reader.quarantine.reclaim()
    assert machine.redis.xlen("booking-created") == 0
    assert machine.ledger.get(booking.booking_id).revision == 1


def test_an_event_for_a_booking_of_a_newer_version_waits(machine: Machine, worker: TaskTable, sandbox: Sandbox) -> None:
    """If it must be written into the record; all other events of its batch are recorded, once."""
    booking = machine.until(machine.book(sandbox.door()), "ready")
    code = booking.doors[0].code
    assert code is not None
    written_by_newer(machine, booking)
    ensure_group(machine.redis, "seam-events")
    changed = {"changed_properties": [{"property": "code", "from": "[taken out]"}]}
    events = [
        {"event_id": "e1", "event_type": "access_code.changed", "access_code_id": code.access_code_id, **changed},
        {"event_id": "e2", "event_type": "access_code.changed", "access_code_id": "c-nobody", **changed},
        {"event_id": "e3", "event_type": "access_code.set_on_device", "access_code_id": code.access_code_id},
    ]
    entry_ids = [str(machine.redis.xadd("seam-events", {"event": json.dumps(event)})) for event in events]
    machine.redis.xreadgroup(GROUP, "dispatcher", {"seam-events": ">"})
    for _ in range(3):
        worker.do(RECORD_EVENTS, entry_ids)
    found: Any = machine.redis.xrange("seam-events")
    assert [entry_id for entry_id, _ in found] == entry_ids[:1]

    def story(access_code_id: str) -> list[str]:
        lines: Any = machine.redis.lrange(redis_keys.code_events(access_code_id), 0, -1)
        return [json.loads(line)["event_id"] for line in lines if json.loads(line)["event_id"] in ("e1", "e2", "e3")]

    assert story(code.access_code_id) == ["e3"]
    assert story("c-nobody") == ["e2"]
    written_by_us(machine, booking)
    worker.do(RECORD_EVENTS, entry_ids)
    assert story(code.access_code_id) == ["e3", "e1"]
    assert machine.ledger.get(booking.booking_id).doors[0].pin_changed_at is not None
    assert machine.redis.xlen("seam-events") == 0


def test_an_order_of_a_newer_version_waits_for_it(machine: Machine, worker: TaskTable) -> None:
    """A command that no version knows is dropped, as before."""
    ensure_group(machine.redis, OPS_STREAM)
    order = json.loads(OpsCommand(action="pause_booking", target="BK-1", by="ann").encoded())
    newer = str(machine.redis.xadd(OPS_STREAM, {"command": json.dumps(order | {"schema": "1.9"})}))
    nobody = str(machine.redis.xadd(OPS_STREAM, {"command": json.dumps(order)}))
    machine.redis.xreadgroup(GROUP, "dispatcher", {OPS_STREAM: ">"})
    for entry_id in (newer, nobody):
        worker.do(RUN_OPS_COMMAND, entry_id)
    found: Any = machine.redis.xrange(OPS_STREAM)
    assert [entry_id for entry_id, _ in found] == [newer]


@pytest.mark.parametrize(
    "item",
    [DueItem("invoice", ("BK-1",)), DueItem("door", ("BK-1", "d", "night")), DueItem("alert", ()), DueItem("", ())],
    ids=["a subject", "an id more", "an id less", "nothing"],
)
def test_an_unknown_due_item_is_put_back(machine: Machine, worker: TaskTable, item: DueItem) -> None:
    """It stops no sweep and isn't quarantined. A worker that knows it can take it."""
    for _ in range(2 * MOST_STARTS):
        machine.handlers.due.advance([item], machine.clock())
        worker.do(SWEEP_DUE, is_beat=False)
        assert due_in(machine, item) == pytest.approx(2, abs=60)
        assert machine.redis.hget(redis_keys.CLAIMS, item.encoded()) is None


def test_an_unknown_periodic_job_is_removed(machine: Machine, worker: TaskTable) -> None:
    """An older version's job would wait for ever; a newer version puts its own back at once."""
    item = periodic_job_item("of_another_version")
    machine.handlers.due.set([(item, machine.clock())])
    worker.do(RUN_PERIODIC_JOB, "of_another_version")
    assert due_in(machine, item) is None
    machine.redis.zrem(redis_keys.DUE, periodic_job_item("reconcile").encoded())
    machine.handlers.periodic_jobs.ensure()
    assert due_in(machine, periodic_job_item("reconcile")) == pytest.approx(0, abs=1)


def test_a_group_with_an_alert_of_a_newer_version_is_left_alone(
    machine: Machine, worker: TaskTable, sandbox: Sandbox, redis_client: Redis
) -> None:
    """It stays due, and keeps its members, so that the newer version still tells them."""
    machine.book(sandbox.door(slots=[]))
    (alert,) = machine.alerts.all()
    key = redis_keys.alert_record(alert.key)
    text = store_as_newer(redis_client, key, news="escalated")
    machine.clock.move(timedelta(minutes=2))
    worker.do(DELIVER_ALERT, alert.group)
    assert alert.key in machine.alerts.groups.members(alert.group)
    assert due_in(machine, DueItem("alert", (alert.group,))) is not None
    assert redis_client.hget(key, "record") == text


def test_parked_messages_are_told_by_the_newer_version(machine: Machine, worker: TaskTable) -> None:
    """Their alert is of a newer version: the message is parked once, and telling it is left to that version."""
    worker.do(APPLY_BOOKING, machine.append("no booking"))
    worker.do(RUN_PERIODIC_JOB, "tell_parked")
    (alert,) = machine.alerts.all()
    key = redis_keys.alert_record(alert.key)
    text = store_as_newer(machine.redis, key, news="escalated")
    worker.do(APPLY_BOOKING, machine.append("no booking either"))
    worker.do(RUN_PERIODIC_JOB, "tell_parked")
    assert machine.parked.count() == 2
    assert machine.redis.hget(key, "record") == text
    assert due_in(machine, periodic_job_item("tell_parked")) is not None
