"""A code is deleted if one of two flags says that it may work; a refusal is told, and Seam isn't asked again."""

import json
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from shared.domain.booking.record import Booking
from tests.sandbox.harness import Sandbox, in_days
from tests.support.server import DataServer
from tests.support.waiting import wait_until
from tests.worker.machine import Machine
from tests.worker.recording_server import Reply
from tests.worker.seam_proxy import PAGE, SeamProxy, not_found

DELETE = "/access_codes/delete"
DELETED = Reply(200, b'{"action_attempt": {"status": "pending"}, "ok": true}')
LATER: dict[str, Any] = {"check_out": in_days(6, "10:15:00")}


def refusal(error_type: str, message: str, *, status: int = 400) -> Reply:
    """Return Seam's answer for a refusal."""
    error = {"type": error_type, "message": message}
    return Reply(status, json.dumps({"error": error, "ok": False}).encode())


def failed_attempt(error_type: str, message: str) -> Reply:
    """Return Seam's other form of refusal: a failed action attempt, with HTTP 200."""
    attempt = {"status": "error", "error": {"type": error_type, "message": message}}
    return Reply(200, json.dumps({"action_attempt": attempt, "ok": True}).encode())


BUDGET = ("offline_access_code_not_revocable", "The override budget 739158 is exhausted.")
REFUSALS = [
    pytest.param(refusal(*BUDGET), id="HTTP 400"),
    pytest.param(refusal(*BUDGET, status=409), id="HTTP 409"),
    pytest.param(failed_attempt(*BUDGET), id="a failed attempt"),
]


@pytest.fixture
def machine(redis_client: Redis, data_server: DataServer, sandbox: Sandbox, proxy: SeamProxy) -> Machine:
    """Return a worker that reaches the sandbox only through the proxy."""
    return Machine(redis_client, data_server.url, sandbox, seam_endpoint=proxy.url)


def overridable(machine: Machine, sandbox: Sandbox) -> Booking:
    """Return a ready booking with a code that is overridable, and not cancellable."""
    return machine.until(machine.book(sandbox.door(code_flags={"is_overridable": True})), "ready")


def let_looks_come(machine: Machine, booking: Booking, *, rounds: int = 12) -> Booking:
    """Let time pass, and Seam finish its work; return the booking then."""

    def is_quiet() -> bool:
        codes = machine.sandbox.look("/sandbox/access_codes", name_prefix=booking.booking_id)["access_codes"]
        return not any(code["phase"] == "removing" and not code["errors"] for code in codes)

    for _ in range(rounds):
        wait_until(is_quiet, what="Seam")
        machine.clock.move(timedelta(minutes=6))
        machine.sweep()
    return machine.ledger.get(booking.booking_id)


def test_an_overridable_code_is_deleted(machine: Machine, sandbox: Sandbox, proxy: SeamProxy) -> None:
    """It counts as residual access until Seam doesn't have it any more: accepted doesn't mean done."""
    booking = overridable(machine, sandbox)
    code = booking.doors[0].code
    assert code is not None
    # Long enough that the look right after the call comes first.
    sandbox.arrange("POST", "/sandbox/settings", {"step_seconds": 3})
    cancelled = machine.cancel(booking)
    assert (cancelled.doors[0].state, cancelled.residual_access_until) == ("cancelled", code.window.ends_at)
    after = let_looks_come(machine, booking, rounds=2)
    assert (after.doors[0].state, after.residual_access_until) == ("cancelled", None)
    assert proxy.count(DELETE) == 1
    assert machine.story_lines(booking.booking_id, "code.not_revoked") == []
    residual = [each["data"]["residual_access_until"] for each in machine.outcomes(booking.booking_id)]
    assert residual[-2:] == [code.window.ends_at.isoformat(), None]


def test_a_deletion_that_is_done_at_once_is_told_at_once(machine: Machine, sandbox: Sandbox, proxy: SeamProxy) -> None:
    """The code is read right after the call: otherwise an outcome with residual access would be wrong."""
    booking = overridable(machine, sandbox)
    proxy.instead[DELETE] = DELETED
    proxy.instead["/access_codes/get"] = Reply(404, not_found("access_code_not_found"))
    proxy.instead["/access_codes/unmanaged/get"] = Reply(404, not_found("access_code_not_found"))
    cancelled = machine.cancel(booking)
    assert (cancelled.doors[0].state, cancelled.residual_access_until) == ("cancelled", None)


def test_a_failed_deletion_is_told_with_seams_text(machine: Machine, sandbox: Sandbox, proxy: SeamProxy) -> None:
    """The alert also reaches those who look after the next guest's stay.

    Seam isn't asked again, and the alert ends once the code is gone.
    """
    door = sandbox.door(code_flags={"is_cancellable": True}, removals_fail=True)
    booking = machine.until(machine.book(door), "ready")
    code = booking.doors[0].code
    assert code is not None
    machine.cancel(booking)
    follower = machine.book(door)
    after = let_looks_come(machine, booking, rounds=3)
    assert after.residual_access_until == code.window.ends_at
    (text,) = machine.story_lines(booking.booking_id, "code.not_revoked")
    assert "failed_to_remove_from_device" in text
    assert proxy.count(DELETE) == 1
    (alert,) = [each for each in machine.alerts.all() if each.notice.problem == "residual_overlap" and each.is_open]
    assert booking.booking_id in alert.notice.subject
    assert follower.booking_id in alert.notice.subject
    assert "failed_to_remove_from_device" in alert.notice.happened

    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code.access_code_id}", {"simulate": "removed"})
    assert let_looks_come(machine, booking).residual_access_until is None
    assert not [each for each in machine.alerts.all() if each.notice.key == alert.notice.key and each.is_open]


def test_a_deletion_that_is_never_done_is_told(machine: Machine, sandbox: Sandbox, proxy: SeamProxy) -> None:
    """It is accepted, and then nothing happens: no error, no event, the code stays."""
    booking = overridable(machine, sandbox)
    proxy.instead[DELETE] = DELETED
    machine.cancel(booking)
    after = let_looks_come(machine, booking)
    assert after.residual_access_until is not None
    (text,) = machine.story_lines(booking.booking_id, "code.not_revoked")
    assert "the code is still there" in text
    assert proxy.count(DELETE) == 1


def test_the_text_of_a_failed_attempt_is_told(machine: Machine, sandbox: Sandbox, proxy: SeamProxy) -> None:
    """The attempt ends in an error, but the code has none."""
    booking = overridable(machine, sandbox)
    attempt = {"action_attempt_id": "attempt-1", "status": "pending"}
    proxy.instead[DELETE] = Reply(200, json.dumps({"action_attempt": attempt, "ok": True}).encode())
    proxy.instead["/action_attempts/get"] = failed_attempt("provider_issue", "Site 4711 says no.")
    machine.cancel(booking)
    let_looks_come(machine, booking, rounds=1)
    (text,) = machine.story_lines(booking.booking_id, "code.not_revoked")
    assert "Seam says: provider_issue: Site #### says no." in text


def test_seam_may_be_away_while_a_code_is_deleted(machine: Machine, sandbox: Sandbox, proxy: SeamProxy) -> None:
    """The looks go on until Seam answers one."""
    booking = overridable(machine, sandbox)
    # This comes before the cancellation: the first look may follow as soon as the deletion is accepted.
    proxy.instead["/access_codes/get"] = Reply(503, PAGE)
    machine.cancel(booking)
    assert let_looks_come(machine, booking, rounds=3).residual_access_until is not None
    proxy.pass_all()
    assert let_looks_come(machine, booking, rounds=2).residual_access_until is None


def test_a_booking_that_comes_back_does_not_take_over_a_code_that_is_being_deleted(
    machine: Machine, sandbox: Sandbox, proxy: SeamProxy
) -> None:
    """The guest's PIN would be deleted with the code."""
    booking = overridable(machine, sandbox)
    proxy.instead[DELETE] = DELETED
    machine.cancel(booking)
    again = machine.until(machine.update(booking, 1), "ready")
    assert booking.doors[0].code is not None
    assert again.doors[0].code is not None
    assert again.doors[0].code.access_code_id != booking.doors[0].code.access_code_id
    assert len(machine.made(booking.doors[0].device_id)) == 2


@pytest.mark.parametrize("answer", REFUSALS)
def test_a_refusal_is_told(machine: Machine, sandbox: Sandbox, proxy: SeamProxy, answer: Reply) -> None:
    """It is in the story, without digits; the code counts as residual access; Seam isn't asked again."""
    booking = overridable(machine, sandbox)
    proxy.instead[DELETE] = answer
    cancelled = machine.cancel(booking)
    code = booking.doors[0].code
    assert code is not None
    assert (cancelled.doors[0].state, cancelled.residual_access_until) == ("cancelled", code.window.ends_at)
    (text,) = machine.story_lines(booking.booking_id, "code.not_revoked")
    assert code.access_code_id in text
    assert "offline_access_code_not_revocable: The override budget ###### is exhausted." in text

    # Seam's own events about the refusal only prompt looks.
    for _ in range(3):
        machine.handlers.advance_door(booking.booking_id, booking.doors[0].key, prompted=True)
        machine.clock.move(timedelta(minutes=10))
        machine.sweep()
    assert proxy.count(DELETE) == 1
    assert len(machine.story_lines(booking.booking_id, "code.not_revoked")) == 1
    assert machine.ledger.get(booking.booking_id).residual_access_until == code.window.ends_at

    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code.access_code_id}", {"simulate": "removed"})
    machine.handlers.advance_door(booking.booking_id, booking.doors[0].key, prompted=True)
    assert machine.ledger.get(booking.booking_id).residual_access_until is None


@pytest.mark.parametrize(
    "answer",
    [Reply(500, PAGE), Reply(503, PAGE), Reply(404, PAGE), Reply(429, b"{}"), Reply(401, b"{}"), Reply(cut=True)],
    ids=["500", "503", "404", "429", "401", "cut"],
)
def test_a_temporary_failure_is_no_refusal(machine: Machine, sandbox: Sandbox, proxy: SeamProxy, answer: Reply) -> None:
    """It is tried again until Seam accepts or refuses."""
    booking = overridable(machine, sandbox)
    proxy.instead[DELETE] = answer
    assert machine.cancel(booking).doors[0].state != "cancelled"
    for _ in range(5):
        machine.clock.move(timedelta(minutes=2))
        machine.sweep()
    assert proxy.count(DELETE) > 2
    proxy.pass_all()
    after = let_looks_come(machine, booking, rounds=4)
    assert (after.doors[0].state, after.residual_access_until) == ("cancelled", None)
    assert machine.story_lines(booking.booking_id, "code.not_revoked") == []


def test_a_code_without_either_flag_is_not_deleted(machine: Machine, sandbox: Sandbox, proxy: SeamProxy) -> None:
    """Oracode codes can't be deleted, as a rule."""
    booking = machine.until(machine.book(sandbox.door(code_flags={"is_extendable": True})), "ready")
    cancelled = machine.cancel(booking)
    assert cancelled.residual_access_until is not None
    assert proxy.count(DELETE) == 0


@pytest.mark.parametrize("answer", REFUSALS)
def test_a_replaced_code_is_deleted_too(machine: Machine, sandbox: Sandbox, proxy: SeamProxy, answer: Reply) -> None:
    """If its window can't be changed, it is deleted, or kept as residual access. The new code is made."""
    booking = overridable(machine, sandbox)
    proxy.instead["/access_codes/update"] = refusal("provider_issue", "Not now.")
    proxy.instead[DELETE] = answer
    after = machine.until(machine.update(booking, 1, **LATER), "ready")
    assert booking.doors[0].code is not None
    assert [each.access_code_id for each in after.doors[0].residual] == [booking.doors[0].code.access_code_id]
    assert proxy.count(DELETE) == 1
    assert len(machine.story_lines(booking.booking_id, "code.not_revoked")) == 1
    assert len(machine.made(booking.doors[0].device_id)) == 2


def test_a_change_with_a_failed_attempt_is_a_refusal(machine: Machine, sandbox: Sandbox, proxy: SeamProxy) -> None:
    """HTTP 200 with a failed attempt changed nothing: the old code is set aside, and a new one made."""
    booking = machine.until(machine.book(sandbox.door(code_flags={"is_extendable": True})), "ready")
    proxy.instead["/access_codes/update"] = failed_attempt("provider_issue", "Not now.")
    after = machine.until(machine.update(booking, 1, **LATER), "ready")
    assert after.doors[0].residual == (booking.doors[0].code,)
    assert len(machine.made(booking.doors[0].device_id)) == 2


ACCEPTED = {"action_attempt_id": "attempt-2", "status": "pending"}


def test_a_change_that_fails_later_is_told_with_seams_text(
    machine: Machine, sandbox: Sandbox, proxy: SeamProxy
) -> None:
    """Seam accepted it, and its attempt ends in an error, but the code has none; the attempt is read once."""
    booking = machine.until(machine.book(sandbox.door(code_flags={"is_extendable": True})), "ready")
    code = booking.doors[0].code
    assert code is not None
    proxy.instead["/access_codes/update"] = Reply(200, json.dumps({"action_attempt": ACCEPTED, "ok": True}).encode())
    proxy.instead["/action_attempts/get"] = failed_attempt("provider_issue", "Site 4711 says no.")
    after = machine.update(booking, 1, **LATER)
    assert (after.state, after.reason) == ("issued", "window_differs")
    (line,) = machine.story_lines(booking.booking_id, "code.not_changed")
    assert line.endswith("which Seam had accepted, has failed. Seam says: provider_issue: Site #### says no.")
    (alert,) = [each for each in machine.alerts.all() if each.is_open and each.notice.booking_id == booking.booking_id]
    assert "Seam says of the change: provider_issue: Site #### says no." in alert.notice.happened
    for _ in range(3):
        machine.handlers.advance_door(booking.booking_id, booking.doors[0].key, prompted=True)
    assert proxy.count("/action_attempts/get") == 1
    assert len(machine.story_lines(booking.booking_id, "code.not_changed")) == 1

    proxy.pass_all()
    moved = {"simulate": "time_frame_changed", "ends_at": in_days(6, "10:00:00")}
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code.access_code_id}", moved)
    machine.handlers.advance_door(booking.booking_id, booking.doors[0].key, prompted=True)
    now_it = machine.ledger.get(booking.booking_id)
    assert (now_it.state, now_it.reason) == ("ready", "")
    assert now_it.doors[0].code is not None
    assert (now_it.doors[0].code.update_attempt_id, now_it.doors[0].code.update_failure) == ("", "")
    assert len(machine.made(booking.doors[0].device_id)) == 1


def test_an_attempt_that_cannot_be_read_changes_nothing(machine: Machine, sandbox: Sandbox, proxy: SeamProxy) -> None:
    """It only explains: the state is read from the code itself."""
    booking = machine.until(machine.book(sandbox.door(code_flags={"is_extendable": True})), "ready")
    proxy.instead["/access_codes/update"] = Reply(200, json.dumps({"action_attempt": ACCEPTED, "ok": True}).encode())
    proxy.instead["/action_attempts/get"] = Reply(404, PAGE)
    after = machine.update(booking, 1, **LATER)
    assert (after.state, after.reason, machine.story_lines(booking.booking_id, "code.not_changed")) == (
        "issued",
        "window_differs",
        [],
    )
    assert "Seam says" not in after.doors[0].detail
