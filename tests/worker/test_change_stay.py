"""A person changes a stay: by the message that the booking system would have sent, once, and of the revision shown."""

import json
from datetime import timedelta
from typing import Any, cast

import pytest
from redis import Redis

from shared.booking_stream import BookingStream
from shared.contracts import OPS_STREAM
from shared.domain.booking.record import Booking
from shared.domain.stay.stay import UnitRules
from shared.ops_commands import CHANGE, OpsCommand, command_from
from tests.sandbox.harness import Sandbox, in_days
from tests.support.server import DataServer
from tests.worker.machine import Machine

LATER = in_days(6, "10:15:00")


def order_of(booking: Booking, **fields: Any) -> OpsCommand:
    """Return the order for another check-out of the booking as it is now."""
    known: dict[str, Any] = {"check_out": LATER, "revision": booking.revision, "reason": "guest stays on"}
    return OpsCommand(action=CHANGE, target=booking.booking_id, by="ann", **(known | fields))


def run(machine: Machine, command: OpsCommand) -> str:
    """Append an order and have it carried out; return its entry's id."""
    entry_id = str(machine.redis.xadd(OPS_STREAM, {"command": command.encoded()}))
    machine.handlers.run_ops_command(entry_id)
    return entry_id


def published(machine: Machine) -> list[dict[str, Any]]:
    """Return the messages that stand in the booking stream."""
    return [json.loads(fields["message"]) for _, fields in cast(Any, machine.redis.xrange("booking-created"))]


def lines(machine: Machine, booking: Booking, what: str) -> list[str]:
    """Return the lines of one kind in the booking's story."""
    return [entry.text for entry in machine.ledger.history(booking.booking_id) if entry.what == what]


def test_an_order_names_a_time_and_the_revision() -> None:
    """What is encoded is read back; anything less is no order."""
    command = OpsCommand(action=CHANGE, target="BK-1", by="ann", check_out=LATER, revision=0)
    assert command_from(command.encoded()) == command
    told = json.loads(command.encoded())
    targets: list[dict[str, Any]] = [{"revision": None}, {"revision": True}, {"revision": "1"}, {"target": "\n"}]
    for wrong in targets:
        with pytest.raises(ValueError, match="no booking and revision"):
            command_from(json.dumps(told | wrong))
    times: list[dict[str, Any]] = [{"check_out": ""}, {"check_out": 5}, {"check_in": "x" * 97}, {"check_in": None}]
    for wrong in times:
        with pytest.raises(ValueError, match="names no time"):
            command_from(json.dumps(told | wrong))


@pytest.mark.parametrize("revision", [None, 4], ids=["without revisions", "with revisions"])
def test_a_stay_is_changed_as_its_booking_system_would(
    machine: Machine, sandbox: Sandbox, revision: int | None
) -> None:
    """The rest stays, the code follows, and the story says who and why; the next message of the booking system counts.

    Where the system gives revisions, the change takes the next one.
    """
    before = machine.until(machine.book(sandbox.door(), revision=revision, label="Mr. A"), "ready")
    run(machine, order_of(before))
    (message,) = published(machine)
    assert (message["source"], message["type"]) == ("/tests", "booking.updated")
    assert message["data"].get("revision") == (None if revision is None else 5)
    assert message["data"]["label"] == "Mr. A"
    machine.apply_all()
    after = machine.until(before, "ready")
    assert after.stay is not None
    assert before.stay is not None
    assert (after.stay.check_in, after.stay.check_out.at.isoformat()) == (before.stay.check_in, LATER)
    assert after.doors[0].code != before.doors[0].code
    (line,) = lines(machine, before, "booking.change_asked")
    assert line.startswith("ann asked to change the stay to check-out ")
    assert line.endswith(": guest stays on")
    machine.book(before.doors[0].device_id, booking_id=before.booking_id, kind="updated", revision=revision and 6)
    assert machine.ledger.get(after.booking_id).stay == before.stay
    assert machine.parked.count() == 0


@pytest.mark.parametrize("is_applied", [False, True], ids=["before it is applied", "after it was applied"])
def test_an_order_that_comes_again_is_one_change(
    machine: Machine,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    is_applied: bool,  # noqa: FBT001 - a case
) -> None:
    """The worker was killed before it acknowledged: nothing is published or told that says something else."""
    booking = machine.book(sandbox.door())
    entry_id = str(machine.redis.xadd(OPS_STREAM, {"command": order_of(booking).encoded()}))

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("worker.handlers.run_ops_command.acknowledge", killed)
        with pytest.raises(KeyboardInterrupt):
            machine.handlers.run_ops_command(entry_id)
    if is_applied:
        machine.apply_all()
    machine.handlers.run_ops_command(entry_id)
    machine.apply_all()
    assert machine.ledger.get(booking.booking_id).revision == booking.revision + 1
    assert len(lines(machine, booking, "booking.change_asked")) == 1
    assert len(lines(machine, booking, "message.applied")) == 2
    assert lines(machine, booking, "booking.not_changed") == []
    assert (machine.redis.xlen(OPS_STREAM), machine.parked.count()) == (0, 0)


def test_a_kill_before_the_message_is_published_loses_nothing(
    machine: Machine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order stays in its stream, and its line is written once."""
    booking = machine.book(sandbox.door())
    entry_id = str(machine.redis.xadd(OPS_STREAM, {"command": order_of(booking).encoded()}))

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(BookingStream, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            machine.handlers.run_ops_command(entry_id)
    machine.handlers.run_ops_command(entry_id)
    assert len(published(machine)) == len(lines(machine, booking, "booking.change_asked")) == 1


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"revision": 7}, "was changed meanwhile: revision 7 was meant, 0 is"),
        ({"check_out": "tomorrow"}, "'tomorrow' is neither a time nor a date"),
        ({"check_out": in_days(1, "10:15:00")}, "is not after check_in"),
        ({"check_out": in_days(1, "10:15:00", offset="")}, "is not after check_in"),
        ({"check_out": "", "check_in": "2099-01-01T16:00Z"}, "is not after check_in"),
        ({"check_in": "2098-01-01T16:00Z", "check_out": "2099-01-01T16:00Z"}, "over three years ahead"),
        ({"check_out": in_days(5, "10:15:00")}, "booked so already"),
    ],
)
def test_what_is_refused(machine: Machine, sandbox: Sandbox, fields: dict[str, Any], why: str) -> None:
    """Nothing is published, and the story says what was wrong."""
    booking = machine.book(sandbox.door())
    run(machine, order_of(booking, **fields))
    (line,) = lines(machine, booking, "booking.not_changed")
    assert line.startswith("ann asked to change the stay, and it was not done: ")
    assert why in line
    assert published(machine) == []


def test_what_is_over_is_refused(machine: Machine, sandbox: Sandbox) -> None:
    """A cancelled booking doesn't come back by a change of its times."""
    booking = machine.cancel(machine.book(sandbox.door()))
    run(machine, order_of(booking))
    (line,) = lines(machine, booking, "booking.not_changed")
    assert "the booking is cancelled already" in line
    assert published(machine) == []


def test_an_unknown_booking(machine: Machine) -> None:
    """The order is done with, and nothing is written."""
    run(machine, OpsCommand(action=CHANGE, target="nobody", by="ann", check_out=LATER, revision=0))
    assert (machine.redis.xlen(OPS_STREAM), published(machine)) == (0, [])


def test_the_rules_of_the_unit_count(
    machine: Machine, sandbox: Sandbox, data_server: DataServer, redis_client: Redis
) -> None:
    """Its buffers move the new time as they move that of a message; without the unit nothing is published."""
    unit = UnitRules(unit="101", device_ids=(sandbox.door(),), buffer_after=timedelta(minutes=30))
    with_unit = Machine(redis_client, data_server.url, sandbox, units={"101": unit})
    stay = {"check_in": in_days(2, "15:45:00"), "check_out": in_days(5, "10:15:00")}
    booking = with_unit.apply(with_unit.append(json.dumps({"booking_id": machine.new_id(), "unit": "101", **stay})))
    assert booking is not None
    run(with_unit, order_of(booking))
    with_unit.apply_all()
    after = with_unit.ledger.get(booking.booking_id)
    assert after.stay is not None
    assert after.stay.check_out.at.isoformat() == in_days(6, "10:45:00")
    run(machine, order_of(after, check_out=in_days(7, "10:15:00")))
    (line,) = lines(machine, booking, "booking.not_changed")
    assert "'101' is not in the doors file" in line
