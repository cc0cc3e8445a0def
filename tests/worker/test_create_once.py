"""One booking, one door, one code: whatever fails at Seam, and however many workers try at once."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis

from shared.domain.booking.record import Booking
from shared.ledger.bookings import BookingLedger
from tests.sandbox.harness import Sandbox, in_days
from tests.support.server import DataServer
from tests.support.waiting import wait_until
from tests.worker.machine import Machine, at_once
from tests.worker.recording_server import Reply
from tests.worker.seam_proxy import before

CREATE, LIST, GET = "access_codes.create", "access_codes.list", "access_codes.get"

FAULTS: dict[str, list[dict[str, Any]]] = {
    "error before the effect": [{"operation": CREATE, "kind": "error_before"}],
    "error after the effect": [{"operation": CREATE, "kind": "error_after"}],
    "cut off before": [{"operation": CREATE, "kind": "disconnect_before"}],
    "cut off after": [{"operation": CREATE, "kind": "disconnect_after"}],
    "no answer, not done": [{"operation": CREATE, "kind": "timeout_before", "seconds": 0.1}],
    "no answer, done": [{"operation": CREATE, "kind": "timeout_after", "seconds": 0.1}],
    "half an answer": [{"operation": CREATE, "kind": "truncated"}],
    "garbage": [{"operation": CREATE, "kind": "garbage"}],
    "a proxy's page": [{"operation": CREATE, "kind": "html_502"}],
    "too many calls": [{"operation": CREATE, "kind": "rate_limit", "retry_after": 1}],
    "again and again": [{"operation": CREATE, "kind": "error_before", "times": 4}],
    "done, and the list is late": [
        {"operation": CREATE, "kind": "error_after"},
        {"operation": LIST, "kind": "stale_list", "seconds": 3_600, "times": 3},
    ],
    "done, and the list is cut off": [
        {"operation": CREATE, "kind": "disconnect_after"},
        {"operation": LIST, "kind": "disconnect_before", "times": 3},
    ],
    "the look before fails": [{"operation": LIST, "kind": "error_before", "times": 2}],
    "the look before is garbage": [{"operation": LIST, "kind": "garbage", "times": 2}],
    "the read back fails": [{"operation": GET, "kind": "error_before", "times": 2}],
    "the door can't be read": [{"operation": "devices.get", "kind": "html_502", "times": 2}],
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS.keys())
def test_one_code_under_faults(machine: Machine, sandbox: Sandbox, faults: list[dict[str, Any]]) -> None:
    """In the end there is exactly one code at Seam, and the booking is ready with it."""
    device_id = sandbox.door()
    for fault in faults:
        sandbox.fault(fault["operation"], fault["kind"], device_id=device_id, **_rest(fault))
    booking = machine.until(machine.book(device_id), "ready")

    (code,) = machine.made(device_id)
    assert booking.doors[0].code is not None
    assert booking.doors[0].code.access_code_id == code["access_code_id"]
    assert booking.doors[0].residual == ()
    assert machine.outcome_types(booking.booking_id)[-1] == "ready"


def test_an_ongoing_code_of_somebody_else_blocks_nothing(
    redis_client: Redis, data_server: DataServer, sandbox: Sandbox
) -> None:
    """Seam names no times for it, neither in the list nor when it is read: it can't be the code in doubt."""
    device_id = sandbox.door()
    ongoing: dict[str, Any] = {
        "device_id": device_id,
        "access_code_id": str(uuid4()),
        "name": "Cleaner",
        "type": "ongoing",
    }
    ongoing |= {"status": "set", "code": "424242", "starts_at": None, "ends_at": None}
    with before(sandbox.url) as proxy:
        machine = Machine(redis_client, data_server.url, sandbox, seam_endpoint=proxy.url)
        created = {"event_id": str(uuid4()), "event_type": "access_code.created", **ongoing}
        proxy.instead["/events/list"] = Reply(200, json.dumps({"events": [created], "ok": True}).encode())
        proxy.after["/access_codes/create"] = Reply(500, b"")
        booking = machine.book(device_id)
        assert booking.state == "creating"
        proxy.after.clear()
        proxy.instead["/access_codes/list"] = Reply(200, json.dumps({"access_codes": [], "ok": True}).encode())
        proxy.instead["/access_codes/get"] = Reply(200, json.dumps({"access_code": ongoing, "ok": True}).encode())
        machine.clock.move(timedelta(seconds=3))
        machine.handlers.advance_door(booking.booking_id, device_id, prompted=True)
        (door,) = machine.ledger.get(booking.booking_id).doors
        assert (door.reason, door.code) == ("in_doubt", None)
        assert "Not found yet" in door.detail
        proxy.pass_all()
        assert machine.until(booking, "ready").doors[0].code is not None
        assert machine.creates(device_id) == 1


def test_a_code_of_ours_without_times_is_taken_over(
    redis_client: Redis, data_server: DataServer, sandbox: Sandbox
) -> None:
    """The create got no answer, and Seam names no times of the code: a second code would be worse."""
    device_id = sandbox.door()
    with before(sandbox.url) as proxy:
        machine = Machine(redis_client, data_server.url, sandbox, seam_endpoint=proxy.url)
        proxy.after["/access_codes/create"] = Reply(500, b"")
        booking = machine.book(device_id)
        (made,) = machine.made(device_id)
        code = {"device_id": device_id, "access_code_id": made["access_code_id"], "name": booking.booking_id}
        code |= {"status": "set", "code": "424242"}
        proxy.instead["/access_codes/list"] = Reply(200, json.dumps({"access_codes": [code], "ok": True}).encode())
        proxy.instead["/access_codes/get"] = Reply(200, json.dumps({"access_code": code, "ok": True}).encode())
        door = machine.until(booking, "issued").doors[0]
        assert door.code is not None
        assert (door.code.access_code_id, door.reason) == (made["access_code_id"], "window_differs")
        proxy.pass_all()
        assert machine.until(booking, "ready").doors[0].reason == ""
        assert machine.creates(device_id) == 1


def test_a_booking_that_changes_while_its_notices_are_published(
    machine: Machine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the intent and the call: no code is made that isn't wanted any more, because it couldn't be deleted."""
    device_id = sandbox.door()
    publish = BookingLedger.publish
    changes: list[str] = []

    def publish_slowly(self: BookingLedger, booking: Booking) -> Booking:
        after = publish(self, booking)
        if changes or not any(door.intent for door in booking.doors):
            return after
        later = in_days(6, "10:15:00")
        changes.append(machine.publish(booking.booking_id, [device_id], kind="updated", revision=1, check_out=later))
        machine.handlers.apply_booking(changes[0])
        return self.get(booking.booking_id)

    with monkeypatch.context() as patch:
        patch.setattr(BookingLedger, "publish", publish_slowly)
        booking = machine.book(device_id)
    assert len(changes) == 1
    door = machine.until(booking, "ready").doors[0]
    assert door.code is not None
    assert door.code.window.ends_at.date() == datetime.fromisoformat(in_days(6, "10:15:00")).date()
    assert (machine.creates(device_id), door.residual) == (1, ())


def test_while_in_doubt_nothing_is_created(machine: Machine, sandbox: Sandbox) -> None:
    """After a create without an answer, the door is `creating`; while Seam is away it stays so, for any tries."""
    device_id = sandbox.door()
    sandbox.fault(CREATE, "disconnect_after", device_id=device_id)
    booking = machine.book(device_id)
    assert (booking.state, machine.creates(device_id)) == ("creating", 1)

    sandbox.arrange("POST", "/sandbox/outage", {"on": True})
    for _ in range(5):
        machine.handlers.advance_door(booking.booking_id, device_id)
        machine.sweep()
    assert machine.ledger.get(booking.booking_id).state == "creating"
    sandbox.arrange("POST", "/sandbox/outage", {"on": False})
    machine.until(booking, "ready")
    assert len(machine.made(device_id)) == 1


def test_a_refusal_needs_a_person_and_is_not_repeated(machine: Machine, sandbox: Sandbox) -> None:
    """Seam said no: the same call would be refused again. A person's retry asks once more."""
    device_id = sandbox.door()
    sandbox.fault(CREATE, "refuse", device_id=device_id, message="Not on a Sunday.")
    booking = machine.book(device_id)
    assert (booking.state, booking.reason) == ("failed", "refused_by_seam")
    assert "Not on a Sunday." in booking.doors[0].detail
    machine.handlers.advance_door(booking.booking_id, device_id)
    assert (machine.creates(device_id), machine.made(device_id)) == (1, [])


def test_a_rate_limit_without_retry_after_is_waited_for(machine: Machine, sandbox: Sandbox) -> None:
    """Seam counts by the minute and documents no Retry-After: the next try isn't seconds later."""
    device_id = sandbox.door()
    sandbox.fault(CREATE, "rate_limit", device_id=device_id)
    booking = machine.book(device_id)
    due_at = booking.doors[0].due_at
    assert due_at is not None
    assert 20 <= (due_at - machine.clock()).total_seconds() <= 120


@pytest.fixture
def slow(sandbox: Sandbox) -> Iterator[Sandbox]:
    """Slow the sandbox down, so that calls overlap."""
    sandbox.arrange("POST", "/sandbox/settings", {"latency_seconds": 0.05})
    yield sandbox
    sandbox.arrange("POST", "/sandbox/settings", {"latency_seconds": 0})


def test_many_workers_make_one_code(
    machine: Machine, slow: Sandbox, data_server: DataServer, redis_client: Redis
) -> None:
    """Six workers take the same booking at the same moment: one create, one code, one `issued`."""
    device_id = slow.door()
    applied = machine.handlers.apply_booking(machine.publish(machine.new_id(), [device_id]))
    assert applied is not None
    machines = [Machine(redis_client, data_server.url, slow) for _ in range(6)]

    def advance(one: Machine) -> None:
        for _ in range(3):
            one.handlers.advance_door(applied.booking_id, device_id)

    at_once(*(partial(advance, one) for one in machines))
    machine.until(applied, "ready")
    assert (len(machine.made(device_id)), machine.creates(device_id)) == (1, 1)
    assert machine.outcome_types(applied.booking_id) == ["issued", "ready"]


def test_many_workers_apply_one_entry_once(
    machine: Machine, slow: Sandbox, data_server: DataServer, redis_client: Redis
) -> None:
    """An entry that is delivered twice makes one booking and one code."""
    device_id = slow.door()
    entry_id = machine.publish(machine.new_id(), [device_id])
    machines = [Machine(redis_client, data_server.url, slow) for _ in range(4)]
    at_once(*(partial(one.apply, entry_id) for one in machines))
    assert len(machine.made(device_id)) == 1
    assert redis_client.xlen("booking-created") == 0


def test_a_worker_that_was_overtaken_while_it_read_the_door(
    machine: Machine, sandbox: Sandbox, data_server: DataServer, redis_client: Redis
) -> None:
    """The code that another worker made meanwhile counts, even if Seam gave it other times."""
    device_id = sandbox.door()
    applied = machine.handlers.apply_booking(machine.publish(machine.new_id(), [device_id]))
    assert applied is not None
    sandbox.fault("devices.get", "slow", device_id=device_id, seconds=0.8)
    slow, fast = (Machine(redis_client, data_server.url, sandbox) for _ in range(2))

    def overtake() -> None:
        wait_until(lambda: any(fault["fired"] for fault in sandbox.look("/sandbox/faults")["faults"]))
        fast.handlers.advance_door(applied.booking_id, device_id)
        (code,) = fast.made(device_id)
        shifted = {"simulate": "time_frame_changed", "ends_at": in_days(5, "09:00:00")}
        sandbox.arrange("PATCH", f"/sandbox/access_codes/{code['access_code_id']}", shifted)

    at_once(partial(slow.handlers.advance_door, applied.booking_id, device_id), overtake)
    assert (len(machine.made(device_id)), machine.creates(device_id)) == (1, 1)


def test_an_emptied_data_server_makes_no_code_twice(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """The ledger can be rebuilt: the same bookings find the existing codes, and take them over."""
    device_id = sandbox.door()
    first = machine.until(machine.book(device_id, label="Suite"), "ready")
    redis_client.flushall()

    again = machine.until(machine.book(device_id, booking_id=first.booking_id, label="Renamed"), "ready")
    assert again.doors[0].code is not None
    assert first.doors[0].code is not None
    assert again.doors[0].code.access_code_id == first.doors[0].code.access_code_id
    assert (len(machine.made(device_id)), machine.creates(device_id)) == (1, 1)


SLOT = {"name": "x", "check_in": "15:40", "check_out": "10:00"}
SINCE: list[Any] = [
    pytest.param(("code", {"simulate": "time_frame_changed"}), "window_differs", id="somebody moved its window"),
    pytest.param(("code", {"simulate": "converted_to_unmanaged"}), "code_unmanaged", id="it isn't managed any more"),
    pytest.param(("door", {"slots": [SLOT]}), "window_differs", id="other slots"),
]


@pytest.mark.parametrize(("since", "reason"), SINCE)
def test_a_lost_ledger_takes_over_what_changed_since(
    machine: Machine, sandbox: Sandbox, redis_client: Redis, since: tuple[str, dict[str, Any]], reason: str
) -> None:
    """A second code would be worse than a code that lacks a part of the stay, which is told."""
    device_id = sandbox.door()
    first = machine.until(machine.book(device_id), "ready")
    code = first.doors[0].code
    assert code is not None
    what, change = since
    path = f"access_codes/{code.access_code_id}" if what == "code" else f"devices/{device_id}"
    sandbox.arrange("PATCH", f"/sandbox/{path}", change)
    redis_client.flushall()

    again = machine.book(device_id, booking_id=first.booking_id)
    again = machine.until(again, "failed" if reason == "code_unmanaged" else "issued")
    assert again.doors[0].code is not None
    assert again.doors[0].code.access_code_id == code.access_code_id
    assert (again.reason, machine.creates(device_id)) == (reason, 1)


def test_after_a_lost_ledger_an_earlier_revision_s_code_is_found(
    machine: Machine, sandbox: Sandbox, redis_client: Redis
) -> None:
    """It still opens the door: it is residual access, even if that revision wasn't replayed."""
    device_id = sandbox.door()
    before = machine.until(machine.book(device_id), "ready")
    later = {"check_out": in_days(6, "10:15:00")}
    after = machine.until(machine.update(before, 1, **later), "ready")
    redis_client.flushall()
    again = machine.until(machine.book(device_id, booking_id=before.booking_id, revision=1, **later), "ready")
    assert before.doors[0].code is not None
    assert [code.access_code_id for code in again.doors[0].residual] == [before.doors[0].code.access_code_id]
    assert again.residual_access_until == after.residual_access_until
    assert machine.creates(device_id) == 2


def test_a_code_of_a_booking_with_a_longer_id_is_not_taken_over(machine: Machine, sandbox: Sandbox) -> None:
    """BK-1 and BK-10, on one door and for the same days, have a code each."""
    device_id = sandbox.door()
    booking_id = machine.new_id()
    longer = machine.until(machine.book(device_id, booking_id=f"{booking_id}0"), "ready")
    shorter = machine.until(machine.book(device_id, booking_id=booking_id), "ready")
    assert longer.doors[0].code is not None
    assert shorter.doors[0].code is not None
    assert longer.doors[0].code.access_code_id != shorter.doors[0].code.access_code_id


def _rest(fault: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fault.items() if name not in ("operation", "kind")}
