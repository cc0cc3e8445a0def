"""A guest whose stay began without a code is on the board until check-out, at risk."""

from datetime import timedelta

from shared.domain.alerting.arrivals import Arrival
from shared.ledger.arrivals import LOOK_BACK, inside_without_code
from tests.sandbox.harness import Sandbox
from tests.worker.machine import Machine


def inside(machine: Machine) -> list[Arrival]:
    """Return the guests who are inside without a code now."""
    now = machine.clock()
    since = now - LOOK_BACK
    return inside_without_code(since, now=now, ledger=machine.ledger, alerts=machine.alerts, issues=machine.issues)


def test_who_is_inside_without_a_code_is_seen_until_check_out(machine: Machine, sandbox: Sandbox) -> None:
    """Not in the board's own time, not with a code, not when cancelled, and not after check-out."""
    machine.until(machine.book(sandbox.door()), "ready")
    without = machine.book(sandbox.door(slots=[]))
    cancelled = machine.book(sandbox.door(slots=[]))
    machine.until(machine.ledger.get(without.booking_id), "waiting")
    machine.until(machine.ledger.get(cancelled.booking_id), "waiting")
    gone = machine.apply(machine.publish(cancelled.booking_id, [], kind="cancelled"))
    assert gone is not None
    assert inside(machine) == []
    machine.clock.move(timedelta(days=3, hours=7))
    (found,) = inside(machine)
    assert (found.booking_id, found.readiness, found.starts_at) == (without.booking_id, "at risk", None)
    assert found.why.startswith("The stay has begun, and there is no code.")
    assert found.next_step
    machine.clock.move(timedelta(days=3))
    assert inside(machine) == []
