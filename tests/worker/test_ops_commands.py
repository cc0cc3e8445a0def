"""Commands of buttons are run, once; one that can't be read blocks nothing."""

from typing import Any

import pytest
from redis import Redis

from shared.contracts import OPS_STREAM
from shared.ops_commands import HANDLE, RETRY, OpsCommand, command_from
from tests.sandbox.harness import Sandbox
from tests.worker.machine import Machine


def order(machine: Machine, text: str) -> None:
    """Append a command and run it twice, as after a kill before it was acknowledged."""
    machine.run_command(text, times=2)


def test_try_again_now(machine: Machine, sandbox: Sandbox) -> None:
    """Like `oracode bookings retry`: what failed is tried again."""
    device_id = sandbox.door()
    sandbox.fault("access_codes.create", "refuse", device_id=device_id)
    booking = machine.book(device_id)
    assert booking.state == "failed"
    order(machine, OpsCommand(action=RETRY, target=booking.booking_id, by="ann").encoded())
    assert machine.until(booking, "ready").state == "ready"
    assert machine.redis.xlen(OPS_STREAM) == 0


def test_nothing_to_try_again_leaves_no_trace(machine: Machine, sandbox: Sandbox) -> None:
    """A ready booking isn't changed: neither its story nor its record says that it was tried again."""
    booking = machine.until(machine.book(sandbox.door()), "ready")
    before = machine.ledger.history(booking.booking_id)
    order(machine, OpsCommand(action=RETRY, target=booking.booking_id, by="ann").encoded())
    assert machine.ledger.history(booking.booking_id) == before
    assert machine.ledger.get(booking.booking_id) == booking


def test_mark_as_handled(machine: Machine, sandbox: Sandbox) -> None:
    """The alert has the person's name."""
    machine.book(sandbox.door(slots=[]))
    (alert,) = machine.alerts.all()
    order(machine, OpsCommand(action=HANDLE, target=alert.key, by="ann").encoded())
    after = machine.alerts.get(alert.key)
    assert after is not None
    assert after.handled_by == "ann"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        "[" * 50_000,
        '{"action": "rm"}',
        '{"action": "retry_booking"}',
        '{"action": "retry_booking", "target": ""}',
    ],
    ids=["empty", "no JSON", "list", "deep", "unknown", "no target", "empty target"],
)
def test_an_unreadable_command_is_dropped(machine: Machine, text: str) -> None:
    """And removed from the stream."""
    with pytest.raises(ValueError, match=r"order|target|Expecting"):
        command_from(text)
    order(machine, text)
    assert machine.redis.xlen(OPS_STREAM) == 0


def test_an_unknown_booking_or_alert_is_no_error(machine: Machine, redis_client: Redis) -> None:
    """It may be gone."""
    for action in (RETRY, HANDLE):
        order(machine, OpsCommand(action=action, target="BK-gone", by="ann").encoded())
    left: Any = redis_client.xlen(OPS_STREAM)
    assert left == 0
