"""A 404 that isn't about the door or the code: it is tried again, told after a few tries, and never final."""

from datetime import timedelta
from itertools import pairwise

import pytest
from redis import Redis

from shared.domain.booking.record import Booking
from tests.sandbox.harness import Sandbox
from tests.support.server import DataServer
from tests.worker.machine import Machine
from tests.worker.recording_server import Reply
from tests.worker.seam_proxy import PAGE, UNKNOWN, SeamProxy, not_found

REASON = "seam_unexpected"
CREATE, LIST, GET, DELETE = (f"/access_codes/{verb}" for verb in ("create", "list", "get", "delete"))
UNMANAGED = "/access_codes/unmanaged/list"
ANSWERS = [
    pytest.param(Reply(404, UNKNOWN), id="an endpoint that the server doesn't know"),
    pytest.param(Reply(404, PAGE), id="a proxy's page"),
    pytest.param(Reply(404, not_found("not_found")), id="not_found"),
    pytest.param(Reply(405, PAGE), id="405"),
]


@pytest.fixture
def machine(redis_client: Redis, data_server: DataServer, sandbox: Sandbox, proxy: SeamProxy) -> Machine:
    """Return a worker that reaches the sandbox only through the proxy."""
    return Machine(redis_client, data_server.url, sandbox, seam_endpoint=proxy.url)


def tried(machine: Machine, booking: Booking, *, times: int) -> Booking:
    """Let time pass until the booking's door was tried so often without success."""
    for _ in range(60):
        now_it = machine.ledger.get(booking.booking_id)
        if now_it.doors[0].attempts >= times:
            return now_it
        machine.clock.move(timedelta(seconds=5))
        machine.sweep()
    raise AssertionError(machine.ledger.get(booking.booking_id))


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("path", [LIST, UNMANAGED])
def test_a_list_that_is_not_found(
    machine: Machine, sandbox: Sandbox, proxy: SeamProxy, path: str, answer: Reply
) -> None:
    """The booking waits, is told with endpoint and type after the usual number of tries, and then gets its code."""
    device_id = sandbox.door()
    proxy.instead[path] = answer
    booking = machine.book(device_id)
    assert (booking.state, booking.doors[0].is_muted) == ("scheduled", True)
    key = f"booking/{booking.booking_id}/{REASON}/{device_id}"
    assert machine.alerts.get(key) is None

    booking = tried(machine, booking, times=4)
    assert (booking.state, booking.reason) == ("scheduled", REASON)
    alert = machine.alerts.get(key)
    assert alert is not None
    assert alert.is_open
    assert f"{path}: HTTP {answer.status}" in alert.notice.happened
    tried(machine, booking, times=6)
    again = machine.alerts.get(key)
    assert again is not None
    assert again.sequence == alert.sequence

    proxy.pass_all()
    machine.until(booking, "ready")
    over = machine.alerts.get(key)
    assert over is not None
    assert not over.is_open
    assert (len(machine.made(device_id)), machine.creates(device_id)) == (1, 1)


@pytest.mark.parametrize("body", [PAGE, UNKNOWN, not_found("access_code_not_found")])
def test_a_door_behind_a_404_that_is_not_about_it(
    machine: Machine, sandbox: Sandbox, proxy: SeamProxy, body: bytes
) -> None:
    """People aren't told to correct the booking: the door exists, and gets its code when it can be read."""
    device_id = sandbox.door()
    proxy.instead["/devices/get"] = Reply(404, body)
    booking = machine.book(device_id)
    assert (booking.state, booking.doors[0].reason) == ("scheduled", REASON)
    machine.handlers.refresh_door(device_id)
    assert machine.alerts.get(f"door/{device_id}/gone") is None
    proxy.pass_all()
    machine.until(booking, "ready")


@pytest.mark.parametrize("body", [PAGE, UNKNOWN, not_found("device_not_found")])
def test_a_code_behind_a_404_that_is_not_about_it(
    machine: Machine, sandbox: Sandbox, proxy: SeamProxy, body: bytes
) -> None:
    """A working code isn't called gone: a second one would be made."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id), "ready")
    proxy.instead[GET] = Reply(404, body)
    for _ in range(3):
        machine.handlers.advance_door(booking.booking_id, device_id, prompted=True)
    assert machine.ledger.get(booking.booking_id).doors[0].code == booking.doors[0].code
    told = tried(machine, booking, times=4)
    assert (told.state, told.reason) == ("ready", REASON)
    proxy.pass_all()
    machine.clock.move(timedelta(minutes=20))
    machine.sweep()
    after = machine.ledger.get(booking.booking_id)
    assert (after.state, after.reason) == ("ready", "")


@pytest.mark.parametrize("is_done", [False, True], ids=["not done", "done all the same"])
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_create_that_is_not_found(
    machine: Machine, sandbox: Sandbox, proxy: SeamProxy, answer: Reply, *, is_done: bool
) -> None:
    """Whatever gave that answer, the create is in doubt.

    A look at Seam comes before another create, so there is one code in the end.
    """
    device_id = sandbox.door()
    (proxy.after if is_done else proxy.instead)[CREATE] = answer
    booking = machine.book(device_id)
    assert (booking.state, booking.doors[0].reason) == ("creating", REASON)
    assert booking.doors[0].intent is not None
    proxy.pass_all()
    machine.until(booking, "ready")
    assert len(machine.made(device_id)) == 1
    assert proxy.count(CREATE) == (1 if is_done else 2)


def test_creates_that_are_never_found_are_one_alert(machine: Machine, sandbox: Sandbox, proxy: SeamProxy) -> None:
    """Told once with endpoint and type, for any number of tries; there is a look between any two creates."""
    device_id = sandbox.door()
    proxy.instead[CREATE] = Reply(404, UNKNOWN)
    booking = machine.book(device_id)
    booking = tried(machine, booking, times=4)
    key = f"booking/{booking.booking_id}/{REASON}/{device_id}"
    machine.clock.move(timedelta(seconds=30))
    machine.sweep()
    alert = machine.alerts.get(key)
    assert alert is not None
    assert f"{CREATE}: HTTP 404 unknown_endpoint" in alert.notice.happened
    before_it = proxy.count(CREATE)
    for _ in range(12):
        machine.clock.move(timedelta(minutes=1))
        machine.sweep()
    assert proxy.count(CREATE) > before_it
    again = machine.alerts.get(key)
    assert again is not None
    assert (again.is_open, again.sequence) == (True, alert.sequence)
    asked = [path for path in proxy.calls if path in (CREATE, LIST)]
    assert (CREATE, CREATE) not in list(pairwise(asked))


def test_a_create_for_a_door_that_is_gone(machine: Machine, sandbox: Sandbox, proxy: SeamProxy) -> None:
    """Seam's own `device_not_found` is a refusal: a person must act, and it isn't repeated."""
    device_id = sandbox.door()
    proxy.instead[CREATE] = Reply(404, not_found("device_not_found"))
    booking = machine.book(device_id)
    assert (booking.state, booking.reason) == ("failed", "device_not_found")
    assert "device_not_found" in booking.doors[0].detail
    for _ in range(5):
        machine.clock.move(timedelta(minutes=5))
        machine.sweep()
    assert (proxy.count(CREATE), machine.made(device_id)) == (1, [])


def test_a_list_of_a_door_that_says_that_there_is_no_such_door(
    machine: Machine, sandbox: Sandbox, proxy: SeamProxy
) -> None:
    """That counts as much as the answer for the door itself."""
    device_id = sandbox.door()
    proxy.instead[LIST] = Reply(404, not_found("device_not_found"))
    booking = machine.book(device_id)
    assert (booking.state, booking.reason) == ("failed", "device_not_found")


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_deletion_that_is_not_found(machine: Machine, sandbox: Sandbox, proxy: SeamProxy, answer: Reply) -> None:
    """The code isn't called gone, because it opens the door; the next try reads it and deletes it."""
    device_id = sandbox.door(code_flags={"is_cancellable": True})
    booking = machine.until(machine.book(device_id), "ready")
    proxy.instead[DELETE] = answer
    cancelled = machine.cancel(booking)
    assert proxy.count(DELETE) == 1, "tried again in its time, not at once"
    assert cancelled.residual_access_until is not None
    assert cancelled.doors[0].state != "cancelled"
    proxy.pass_all()
    for _ in range(4):
        machine.clock.move(timedelta(seconds=5))
        machine.sweep()
    after = machine.ledger.get(booking.booking_id)
    assert (after.doors[0].state, after.residual_access_until) == ("cancelled", None)
