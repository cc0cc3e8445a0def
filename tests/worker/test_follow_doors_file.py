"""A unit is added to DOORS_FILE: messages that were parked without it are applied by themselves, once each."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from shared.current_units import CurrentUnits
from shared.domain.alerting.alert import Alert
from tests.sandbox.harness import Sandbox, in_days
from tests.support.server import DataServer
from tests.worker.machine import Machine, at_once

STAY = {"check_in": in_days(2, "15:45:00"), "check_out": in_days(5, "10:15:00")}


@pytest.fixture
def path(tmp_path: Path, sandbox: Sandbox) -> Path:
    """Return a doors file with one unit."""
    file = tmp_path / "doors.yaml"
    file.write_text(f"'101': {{device_ids: {sandbox.door()}}}\n", encoding="utf-8")
    return file


@pytest.fixture
def workers(redis_client: Redis, data_server: DataServer, sandbox: Sandbox, path: Path) -> list[Machine]:
    """Return two workers with that file."""
    return [Machine(redis_client, data_server.url, sandbox, units=CurrentUnits.load(path)) for _ in range(2)]


def park(machine: Machine, *booking_ids: str, unit: str = "Villa 7") -> None:
    """Park bookings of a unit that doesn't exist."""
    for booking_id in booking_ids:
        assert machine.apply(machine.append(json.dumps({"booking_id": booking_id, "unit": unit, **STAY}))) is None


def add_unit(path: Path, sandbox: Sandbox) -> None:
    """Add the unit `Villa 7` to the file."""
    with path.open("a", encoding="utf-8") as file:
        file.write(f"Villa 7: {{device_ids: {sandbox.door()}}}\n")


def follow(machine: Machine) -> None:
    """Run the job that follows the file."""
    machine.handlers.periodic_jobs("follow_doors_file")


def waiting(machine: Machine) -> list[str]:
    """Return the bookings in the stream, in their order."""
    entries: Any = machine.redis.xrange("booking-created")
    return [json.loads(fields["message"])["booking_id"] for _, fields in entries]


def alert_of(machine: Machine, beginning: str) -> Alert:
    """Return the only alert with this beginning of its key."""
    (alert,) = (alert for alert in machine.alerts.all() if alert.key.startswith(beginning))
    return alert


def test_messages_that_waited_for_the_unit_are_applied(workers: list[Machine], path: Path, sandbox: Sandbox) -> None:
    """In the order in which they came. Messages that are parked for another reason stay. The alert ends."""
    machine = workers[0]
    park(machine, "BK-1", "BK-2")
    park(machine, "BK-3", unit="Villa 8")
    machine.apply(machine.append("oops"))
    machine.handlers.periodic_jobs("tell_parked")
    follow(machine)
    assert waiting(machine) == []
    add_unit(path, sandbox)
    follow(machine)
    assert waiting(machine) == ["BK-1", "BK-2"]
    entries: Any = machine.redis.xrange("booking-created")
    for entry_id, _ in entries:
        machine.apply(entry_id)
    assert machine.ledger.get("BK-2").stay is not None
    assert machine.parked.count() == 2
    machine.handlers.periodic_jobs("tell_parked")
    told = {alert.notice.subject: alert.is_open for alert in machine.alerts.all() if alert.key.startswith("parked/")}
    assert told["2 bookings name the unit 'Villa 7', which isn't in the doors file"] is False
    assert told["Booking BK-3 names the unit 'Villa 8', which isn't in the doors file"] is True


def test_several_workers_put_each_message_back_once(workers: list[Machine], path: Path, sandbox: Sandbox) -> None:
    """All workers follow the file. The worker that takes a message off the list puts it into the stream."""
    names = [f"BK-{number}" for number in range(30)]
    park(workers[0], *names)
    add_unit(path, sandbox)
    at_once(*(lambda each=each: follow(each) for each in workers))
    assert sorted(waiting(workers[0])) == sorted(names)
    assert workers[0].parked.count() == 0


def test_a_message_that_is_parked_after_the_change_is_put_back_too(
    workers: list[Machine], redis_client: Redis, data_server: DataServer, path: Path, sandbox: Sandbox
) -> None:
    """Its worker had read the file before; the next run finds the message."""
    late = Machine(redis_client, data_server.url, sandbox, units={})
    add_unit(path, sandbox)
    follow(workers[0])
    park(late, "BK-1")
    follow(workers[0])
    assert waiting(workers[0]) == ["BK-1"]


def test_after_a_kill_the_next_run_does_the_rest(workers: list[Machine], path: Path, sandbox: Sandbox) -> None:
    """Messages that were put back aren't on the list any more; a new worker puts back the others."""
    park(workers[0], "BK-1", "BK-2")
    add_unit(path, sandbox)
    first = next(workers[0].parked.list())
    assert workers[0].parked.replay(first)
    assert not workers[0].parked.replay(first)
    follow(workers[1])
    assert waiting(workers[0]) == ["BK-1", "BK-2"]


def test_a_broken_file_is_told_until_it_is_corrected(workers: list[Machine], path: Path) -> None:
    """Not while it is being written; bookings of its units go on."""
    machine, good = workers[0], path.read_text(encoding="utf-8")
    path.write_text("101: [", encoding="utf-8")
    follow(machine)
    assert list(machine.alerts.all()) == []
    for _ in range(2):
        follow(machine)
    alert = alert_of(machine, "settings/doors_file")
    assert alert.is_open
    assert "line 2" in alert.notice.happened
    assert (alert.count, alert.sequence) == (1, 1)
    assert machine.apply(machine.append(json.dumps({"booking_id": "BK-5", "unit": "101", **STAY}))) is not None
    path.write_text(good, encoding="utf-8")
    machine.clock.move(timedelta(seconds=10))
    follow(machine)
    assert not alert_of(machine, "settings/doors_file").is_open
