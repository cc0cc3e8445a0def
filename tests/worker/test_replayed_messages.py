"""A parked message that is replayed: its alert waits for what becomes of it, and isn't told twice."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from shared import redis_keys
from shared.domain.alerting.alert import Alert
from shared.parked import ParkedEntry
from shared.replayed_messages import ReplayedMessages
from tests.sandbox.harness import Sandbox, in_days
from tests.worker.machine import Machine


def tell(machine: Machine) -> list[Alert]:
    """Let people be told how the list stands; return the open alerts."""
    machine.handlers.periodic_jobs("tell_parked")
    return [alert for alert in machine.alerts.open() if alert.key.startswith("parked/")]


def bad(machine: Machine, sandbox: Sandbox, **fields: object) -> str:
    """Return a booking without a check-in that can be read."""
    stay = {"check_in": "tomorrow", "check_out": in_days(5, "10:00:00")}
    return json.dumps({"booking_id": machine.new_id(), "device_ids": [sandbox.door()], **stay, **fields})


def replay(machine: Machine, entry: ParkedEntry) -> str:
    """Replay a message; return the entry that it is in its stream now."""
    assert machine.parked.replay(entry)
    ((entry_id, _),) = cast(Any, machine.redis.xrevrange("booking-created", count=1))
    return str(entry_id)


@pytest.fixture
def parked(machine: Machine, sandbox: Sandbox) -> ParkedEntry:
    """Return a parked message that people were told of."""
    machine.apply(machine.append(bad(machine, sandbox)))
    (alert,) = tell(machine)
    assert alert.sequence == 1
    (entry,) = machine.parked.list()
    return entry


def test_one_that_is_parked_again_is_neither_resolved_nor_told_again(machine: Machine, parked: ParkedEntry) -> None:
    """However often it is replayed, and at whatever moment the job runs."""
    for _ in range(3):
        (entry,) = machine.parked.list()
        entry_id = replay(machine, entry)
        (alert,) = tell(machine)
        assert alert.sequence == 1
        machine.apply(entry_id)
        assert [each.parked_id == parked.parked_id for each in machine.parked.list()] == [False]
        (alert,) = tell(machine)
        assert (alert.sequence, alert.newcomers, alert.hit) == (1, 0, 1)
    # Those who joined would be told by now.
    machine.clock.move(timedelta(minutes=20))
    machine.sweep()
    (alert,) = tell(machine)
    assert (alert.sequence, alert.joins) == (1, 0)


def test_one_that_is_taken_is_resolved(machine: Machine, sandbox: Sandbox, parked: ParkedEntry) -> None:
    """Not before that, and nothing is left of the replay. So is one that is parked again and discarded."""
    mended = json.loads(parked.parked.message) | {"check_in": in_days(2, "16:00:00")}
    entry_id = replay(machine, replace(parked, parked=replace(parked.parked, message=json.dumps(mended))))
    assert len(tell(machine)) == 1
    machine.apply(entry_id)
    assert tell(machine) == []
    assert machine.redis.exists(redis_keys.REPLAYED) == 0
    machine.apply(machine.append(bad(machine, sandbox)))
    (entry,) = machine.parked.list()
    machine.apply(replay(machine, entry))
    assert len(tell(machine)) == 1
    (entry,) = machine.parked.list()
    machine.parked.discard(entry)
    assert tell(machine) == []
    assert machine.redis.exists(redis_keys.REPLAYED) == 0


def test_one_that_is_parked_for_another_cause_is_news(machine: Machine, parked: ParkedEntry) -> None:
    """The first alert is over: its problem was mended. The other problem is told."""
    mended = json.loads(parked.parked.message) | {"check_in": in_days(9, "16:00:00")}
    machine.apply(replay(machine, replace(parked, parked=replace(parked.parked, message=json.dumps(mended)))))
    (alert,) = tell(machine)
    assert alert.sequence == 1
    assert "check_out" in alert.notice.happened
    assert len([each for each in machine.alerts.all() if not each.is_open]) == 1


def test_others_of_the_cause_are_counted_all_the_same(machine: Machine, sandbox: Sandbox, parked: ParkedEntry) -> None:
    """One that comes meanwhile is news, the one that comes back isn't."""
    entry_id = replay(machine, parked)
    machine.apply(machine.append(bad(machine, sandbox)))
    machine.apply(entry_id)
    (alert,) = tell(machine)
    assert (alert.hit, alert.newcomers) == (2, 1)


def test_of_a_stream_that_nobody_reads_alerts_stay_open(machine: Machine, parked: ParkedEntry) -> None:
    """Until somebody does: however long that is, nobody has taken the message."""
    replay(machine, parked)
    machine.clock.move(timedelta(days=3))
    assert len(tell(machine)) == 1


def test_a_replay_during_the_comparison_is_seen(machine: Machine, parked: ParkedEntry) -> None:
    """It was not there when the replays were read, and its message is gone from the list."""
    replays = ReplayedMessages(machine.redis)
    before = replays.read()
    assert replays.streams_since(before) == frozenset()
    replay(machine, parked)
    assert replays.streams_since(before) == {"booking-created"}
    assert replays.read().waiting_streams == {"booking-created"}


def test_an_alert_stays_as_urgent_while_its_nearest_message_is_replayed(machine: Machine, sandbox: Sandbox) -> None:
    """Else people would be paged again each time it is parked again."""
    soon = (machine.clock() + timedelta(hours=1)).isoformat()
    for check_in in (soon, in_days(9, "16:00:00")):
        machine.apply(machine.append(bad(machine, sandbox, check_in=check_in, check_out="later")))
    (alert,) = tell(machine)
    assert alert.severity == "page"
    (near,) = (each for each in machine.parked.list() if soon in each.parked.message)
    entry_id = replay(machine, near)
    (waiting,) = tell(machine)
    assert (waiting.sequence, waiting.notice.check_in) == (alert.sequence, alert.notice.check_in)
    machine.apply(entry_id)
    (after,) = tell(machine)
    assert (after.sequence, after.severity) == (alert.sequence, "page")
