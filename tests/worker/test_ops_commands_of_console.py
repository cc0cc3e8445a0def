"""The console's commands beside Slack's: cancel, replay, discard; each with the person and a reason."""

import json
from datetime import timedelta
from typing import Any, cast

import pytest

from shared.ops_commands import CANCEL, DISCARD, REPLAY, RETRY, OpsCommand, command_from
from tests.sandbox.harness import Sandbox, in_days
from tests.worker.machine import Machine


def order(machine: Machine, command: OpsCommand, *, times: int = 2) -> None:
    """Append a command and run it; by default twice, as after a kill before it was acknowledged."""
    machine.run_command(command, times=times)


def only_booking_message(machine: Machine) -> tuple[str, dict[str, str]]:
    """Return the only entry of the booking stream."""
    ((entry_id, entry),) = cast(Any, machine.redis.xrange("booking-created"))
    return str(entry_id), entry


def test_an_order_says_why() -> None:
    """What is encoded is read back."""
    command = OpsCommand(action=REPLAY, target="1-2", by="ann", reason="guest called", message='{"a": 1}')
    assert command_from(command.encoded()) == command


def test_the_person_and_the_reason_are_in_the_story(machine: Machine, sandbox: Sandbox) -> None:
    """The story has the reason that the person gave."""
    booking = machine.book(sandbox.door(slots=[]))
    order(machine, OpsCommand(action=RETRY, target=booking.booking_id, by="ann", reason="slots were set up"))
    texts = [entry.text for entry in machine.ledger.history(booking.booking_id)]
    assert "ann asked to try again now: slots were set up" in texts


def test_cancel(machine: Machine, sandbox: Sandbox) -> None:
    """The booking is cancelled once, by the message that its booking system would have sent."""
    booking = machine.until(machine.book(sandbox.door()), "ready")
    order(machine, OpsCommand(action=CANCEL, target=booking.booking_id, by="ann", reason="wrong guest"), times=1)
    (entry_id, entry) = only_booking_message(machine)
    message = json.loads(entry["message"])
    assert message["source"] == booking.seen_messages[-1].partition("\x1f")[0]
    machine.apply(entry_id)
    assert machine.ledger.get(booking.booking_id).cancelled
    assert any("wrong guest" in each.text for each in machine.ledger.history(booking.booking_id))
    order(machine, OpsCommand(action=CANCEL, target=booking.booking_id, by="ann"))
    assert machine.redis.xlen("booking-created") == 0


@pytest.mark.parametrize("revision", [{}, {"revision": 7}], ids=["without revisions", "with revisions"])
@pytest.mark.parametrize("source", [None, "", "/pms"])
def test_cancel_in_the_name_of_its_own_source(
    machine: Machine, sandbox: Sandbox, source: str | None, revision: dict[str, int]
) -> None:
    """Also for a booking from bare messages: the cancellation is applied, and not parked as one of another source."""
    stay = {"check_in": in_days(2, "15:45:00"), "check_out": in_days(5, "10:15:00")}
    data = {"booking_id": machine.new_id(), "device_ids": [sandbox.door()], **stay, **revision}
    envelope = {"specversion": "1.0", "id": "1", "source": source, "type": "booking.created", "data": data}
    booking = machine.apply(machine.append(json.dumps(data if source is None else envelope)))
    assert booking is not None
    machine.redis.delete("booking-created")
    order(machine, OpsCommand(action=CANCEL, target=booking.booking_id, by="ann", reason="wrong guest"), times=1)
    machine.apply(only_booking_message(machine)[0])
    assert machine.ledger.get(booking.booking_id).cancelled
    assert machine.parked.count() == 0


def test_replay_and_discard(machine: Machine, sandbox: Sandbox) -> None:
    """A corrected message makes the booking, and a discarded one is gone. The alert ends with the last of them."""
    bad = {
        "booking_id": "BK-P",
        "device_ids": [sandbox.door()],
        "check_in": "tomorrow",
        "check_out": in_days(5, "10:00:00"),
    }
    machine.apply(machine.append(json.dumps(bad)))
    (entry,) = machine.parked.list()
    mended = json.dumps(bad | {"check_in": in_days(2, "16:00:00")})
    order(machine, OpsCommand(action=REPLAY, target=entry.parked_id, by="ann", message=mended))
    (entry_id, replayed) = only_booking_message(machine)
    assert replayed["message"] == mended
    machine.apply(entry_id)
    assert machine.ledger.get("BK-P").stay is not None
    machine.apply(machine.append("oops"))
    (other,) = machine.parked.list()
    machine.handlers.periodic_jobs("tell_parked")
    assert [alert.notice.problem for alert in machine.alerts.all() if alert.is_open] == ["message_parked"]
    order(machine, OpsCommand(action=DISCARD, target=other.parked_id, by="ann", reason="a test"))
    assert machine.parked.count() == 0
    machine.clock.move(timedelta(seconds=2))
    machine.sweep()
    assert not any(alert.is_open for alert in machine.alerts.all())


@pytest.mark.parametrize("target", ["all", "x", "1-2-3", "\u0661-\u0662"])
def test_invalid_ids_of_parked_messages(target: str) -> None:
    """They must not reach a command to the data server."""
    with pytest.raises(ValueError, match="no parked message"):
        command_from(json.dumps({"action": DISCARD, "target": target, "by": "ann"}))
