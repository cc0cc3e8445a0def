"""Codes are taken back where one of two flags says that it may work; what Seam refuses is told, and not asked again."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from shared.domain.booking.record import Booking
from tests.sandbox.harness import Sandbox, in_days
from tests.support.server import DataServer
from tests.worker.machine import Machine
from tests.worker.recording_server import Reply
from tests.worker.seam_proxy import PAGE, SeamProxy, before

DELETE = "/access_codes/delete"
DELETED = Reply(200, b'{"action_attempt": {"status": "pending"}, "ok": true}')
LATER: dict[str, Any] = {"check_out": in_days(6, "10:15:00")}


def refusal(error_type: str, message: str, *, status: int = 400) -> Reply:
    """Return Seam's way of saying no."""
    error = {"type": error_type, "message": message}
    return Reply(status, json.dumps({"error": error, "ok": False}).encode())


def failed_attempt(error_type: str, message: str) -> Reply:
    """Return Seam's other way of saying no: an action attempt that has failed, with HTTP 200."""
    attempt = {"status": "error", "error": {"type": error_type, "message": message}}
    return Reply(200, json.dumps({"action_attempt": attempt, "ok": True}).encode())


BUDGET = ("offline_access_code_not_revocable", "The override budget 739158 is exhausted.")
REFUSALS = [
    pytest.param(refusal(*BUDGET), id="HTTP 400"),
    pytest.param(refusal(*BUDGET, status=409), id="HTTP 409"),
    pytest.param(failed_attempt(*BUDGET), id="a failed attempt"),
]


@pytest.fixture
def proxy(sandbox: Sandbox) -> Iterator[SeamProxy]:
    """Run a proxy before the sandbox."""
    with before(sandbox.url) as running:
        yield running


@pytest.fixture
def machine(redis_client: Redis, data_server: DataServer, sandbox: Sandbox, proxy: SeamProxy) -> Machine:
    """Return a worker that reaches the sandbox through the proxy alone."""
    return Machine(redis_client, data_server.url, sandbox, seam_endpoint=proxy.url)


def overridable(machine: Machine, sandbox: Sandbox) -> Booking:
    """Return a ready booking whose code is overridable, and not cancellable."""
    return machine.until(machine.book(sandbox.door(code_flags={"is_overridable": True})), "ready")


def told(machine: Machine, booking: Booking, what: str) -> list[str]:
    """Return the texts of the lines of this kind in the booking's story."""
    return [entry.text for entry in machine.ledger.history(booking.booking_id) if entry.what == what]


def test_an_overridable_code_is_deleted(machine: Machine, sandbox: Sandbox, proxy: SeamProxy) -> None:
    """A cancellation then leaves no residual access."""
    booking = overridable(machine, sandbox)
    proxy.instead[DELETE] = DELETED
    cancelled = machine.cancel(booking)
    assert (cancelled.doors[0].state, cancelled.residual_access_until) == ("cancelled", None)
    assert proxy.count(DELETE) == 1
    assert told(machine, booking, "code.not_revoked") == []


@pytest.mark.parametrize("answer", REFUSALS)
def test_a_refusal_is_read(machine: Machine, sandbox: Sandbox, proxy: SeamProxy, answer: Reply) -> None:
    """It is in the story, without digits; the code counts as residual access; nobody asks a second time."""
    booking = overridable(machine, sandbox)
    proxy.instead[DELETE] = answer
    cancelled = machine.cancel(booking)
    code = booking.doors[0].code
    assert code is not None
    assert (cancelled.doors[0].state, cancelled.residual_access_until) == ("cancelled", code.window.ends_at)
    (text,) = told(machine, booking, "code.not_revoked")
    assert code.access_code_id in text
    assert "offline_access_code_not_revocable: The override budget ###### is exhausted." in text

    # Seam's own events about the refusal prompt looks, and nothing more.
    for _ in range(3):
        machine.handlers.advance_door(booking.booking_id, booking.doors[0].key, prompted=True)
        machine.clock.move(timedelta(minutes=10))
        machine.sweep()
    assert proxy.count(DELETE) == 1
    assert len(told(machine, booking, "code.not_revoked")) == 1
    assert machine.ledger.get(booking.booking_id).residual_access_until == code.window.ends_at

    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code.access_code_id}", {"simulate": "removed"})
    machine.handlers.advance_door(booking.booking_id, booking.doors[0].key, prompted=True)
    assert machine.ledger.get(booking.booking_id).residual_access_until is None


@pytest.mark.parametrize(
    "answer",
    [Reply(500, PAGE), Reply(503, PAGE), Reply(404, PAGE), Reply(429, b"{}"), Reply(401, b"{}"), Reply(cut=True)],
    ids=["500", "503", "404", "429", "401", "cut"],
)
def test_a_failure_that_may_pass_is_no_refusal(
    machine: Machine, sandbox: Sandbox, proxy: SeamProxy, answer: Reply
) -> None:
    """It is tried again until Seam has said something."""
    booking = overridable(machine, sandbox)
    proxy.instead[DELETE] = answer
    assert machine.cancel(booking).doors[0].state != "cancelled"
    for _ in range(5):
        machine.clock.move(timedelta(minutes=2))
        machine.sweep()
    assert proxy.count(DELETE) > 2
    proxy.instead[DELETE] = DELETED
    machine.clock.move(timedelta(minutes=11))
    machine.sweep()
    after = machine.ledger.get(booking.booking_id)
    assert (after.doors[0].state, after.residual_access_until) == ("cancelled", None)
    assert told(machine, booking, "code.not_revoked") == []


def test_a_code_without_either_flag_is_not_tried(machine: Machine, sandbox: Sandbox, proxy: SeamProxy) -> None:
    """Oracode codes can't be deleted, as a rule."""
    booking = machine.until(machine.book(sandbox.door(code_flags={"is_extendable": True})), "ready")
    cancelled = machine.cancel(booking)
    assert cancelled.residual_access_until is not None
    assert proxy.count(DELETE) == 0


@pytest.mark.parametrize("answer", REFUSALS)
def test_a_code_that_is_set_aside_is_tried_too(
    machine: Machine, sandbox: Sandbox, proxy: SeamProxy, answer: Reply
) -> None:
    """Where its window can't be changed, it is taken back or, refused, kept in sight. The new one is made."""
    booking = overridable(machine, sandbox)
    proxy.instead["/access_codes/update"] = refusal("provider_issue", "Not now.")
    proxy.instead[DELETE] = answer
    after = machine.until(machine.update(booking, 1, **LATER), "ready")
    assert after.doors[0].residual == (booking.doors[0].code,)
    assert proxy.count(DELETE) == 1
    assert len(told(machine, booking, "code.not_revoked")) == 1
    assert len(machine.made(booking.doors[0].device_id)) == 2


def test_a_change_whose_attempt_failed_is_a_refusal(machine: Machine, sandbox: Sandbox, proxy: SeamProxy) -> None:
    """HTTP 200 with a failed attempt changed nothing: the old code is set aside, and a new one made."""
    booking = machine.until(machine.book(sandbox.door(code_flags={"is_extendable": True})), "ready")
    proxy.instead["/access_codes/update"] = failed_attempt("provider_issue", "Not now.")
    after = machine.until(machine.update(booking, 1, **LATER), "ready")
    assert after.doors[0].residual == (booking.doors[0].code,)
    assert len(machine.made(booking.doors[0].device_id)) == 2
