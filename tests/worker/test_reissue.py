"""A lost code is replaced: one order makes one new code, whatever fails; the old one is deleted if Seam does it."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from pydantic import SecretStr
from redis import Redis

from shared.contracts import OPS_STREAM
from shared.domain.booking.record import Booking
from shared.ledger.bookings import BookingLedger
from shared.ops_commands import REISSUE, OpsCommand, command_from
from shared.seam.access_codes import AccessCodes
from tests.sandbox.harness import Sandbox
from tests.support.server import DataServer
from tests.worker.machine import Machine, at_once


def code_of(booking: Booking) -> str:
    """Return the access code of the booking's only door."""
    code = booking.doors[0].code
    assert code is not None
    return code.access_code_id


def order_of(booking: Booking, **fields: Any) -> OpsCommand:
    """Return the command that replaces the booking's code."""
    known = {"door": booking.doors[0].key, "access_code_id": code_of(booking), "reason": "card was stolen"}
    return OpsCommand(action=REISSUE, target=booking.booking_id, by="ann", **(known | fields))


def sweep_for(machine: Machine, minutes: int) -> None:
    """Let time pass and do what is due."""
    for _ in range(minutes):
        machine.clock.move(timedelta(minutes=1))
        machine.sweep()


def test_a_command_names_door_and_code() -> None:
    """It is read back unchanged; without them it is invalid."""
    command = OpsCommand(action=REISSUE, target="BK-1", by="ann", reason="lost", door="d-1", access_code_id="c-1")
    assert command_from(command.encoded()) == command
    with pytest.raises(ValueError, match="access code"):
        command_from(OpsCommand(action=REISSUE, target="BK-1", by="ann", door="d-1").encoded())


def test_a_code_that_cant_be_deleted_stays_as_residual_access(machine: Machine, sandbox: Sandbox) -> None:
    """The rule for Oracode: a second code for the same window; the story and the outcome say both."""
    before = machine.until(machine.book(sandbox.door()), "ready")
    machine.run_command(order_of(before))
    after = machine.until(before, "ready")
    assert code_of(after) != code_of(before)
    assert machine.creates(after.doors[0].device_id) == 2
    sweep_for(machine, 2)
    after = machine.ledger.get(after.booking_id)
    (old,) = after.doors[0].residual
    assert old.access_code_id == code_of(before)
    assert after.residual_access_until == old.window.ends_at
    (refusal,) = machine.story_lines(after.booking_id, "code.not_revoked")
    assert "doesn't let it be deleted" in refusal
    last = machine.outcomes(after.booking_id)[-1]["data"]
    assert (last["devices"][0]["pin_changed"], last["residual_access_until"]) == (True, old.window.ends_at.isoformat())
    assert "card was stolen" in machine.story_lines(after.booking_id, "code.reissue_asked")[0]


def test_a_code_that_may_be_deleted_goes_after_the_new_one_is_confirmed(machine: Machine, sandbox: Sandbox) -> None:
    """Then only the new code opens the door."""
    before = machine.until(machine.book(sandbox.door(code_flags={"is_cancellable": True})), "ready")
    machine.run_command(order_of(before))
    after = machine.until(before, "ready")
    for _ in range(10):
        machine._let_seam_work(after.booking_id)
        sweep_for(machine, 1)
        if not machine.ledger.get(after.booking_id).doors[0].residual:
            break
    after = machine.ledger.get(after.booking_id)
    assert (after.doors[0].residual, after.residual_access_until) == ((), None)
    told = [entry.what for entry in machine.ledger.history(after.booking_id)]
    assert told.index("code.removed") > max(at for at, what in enumerate(told) if what == "code.confirmed")
    alive = [each for each in machine.made(after.doors[0].device_id) if each["phase"] == "set"]
    assert [each["access_code_id"] for each in alive] == [code_of(after)]


def test_two_clicks_are_one_order(
    machine: Machine, sandbox: Sandbox, data_server: DataServer, redis_client: Redis
) -> None:
    """Of several people at the same moment, and again when the new code exists."""
    before = machine.until(machine.book(sandbox.door()), "ready")
    machines = [Machine(redis_client, data_server.url, sandbox) for _ in range(3)]
    at_once(*(partial(one.run_command, order_of(before)) for one in machines))
    after = machine.until(before, "ready")
    machine.run_command(order_of(before))
    assert machine.ledger.get(after.booking_id).doors[0].code == after.doors[0].code
    assert machine.creates(after.doors[0].device_id) == 2
    assert len(machine.story_lines(after.booking_id, "code.reissue_asked")) == 1


def test_a_kill_after_the_record_loses_nothing(
    machine: Machine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The door's due time was written with the record; the order comes again, and is done already."""
    before = machine.until(machine.book(sandbox.door()), "ready")
    entry_id = machine.append_command(order_of(before))

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(BookingLedger, "publish", killed)
        with pytest.raises(KeyboardInterrupt):
            machine.handlers.run_ops_command(entry_id)
    machine.handlers.run_ops_command(entry_id)
    after = machine.until(before, "ready", every=timedelta(seconds=30))
    assert code_of(after) != code_of(before)
    assert machine.creates(after.doors[0].device_id) == 2
    assert machine.redis.xlen(OPS_STREAM) == 0


def test_a_create_in_doubt_never_takes_the_old_code_for_the_new_one(
    machine: Machine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have the same window and name. The worker dies after the call; a look finds the new code."""
    before = machine.until(machine.book(sandbox.door()), "ready")

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    machine.run_command(order_of(before))
    with monkeypatch.context() as patch:
        patch.setattr("worker.handlers.create_results.CreateResults.issuing", killed)
        with pytest.raises(KeyboardInterrupt):
            machine.handlers.advance_door(before.booking_id, before.doors[0].key)
    assert machine.ledger.get(before.booking_id).doors[0].intent is not None
    after = machine.until(before, "ready", every=timedelta(seconds=30))
    assert code_of(after) != code_of(before)
    assert machine.creates(after.doors[0].device_id) == 2
    assert [each.access_code_id for each in after.doors[0].residual] == [code_of(before)]


def test_an_impossible_order_is_refused(machine: Machine, sandbox: Sandbox) -> None:
    """No slot fits the stay any more: the guest keeps the code, and the story says why."""
    before = machine.until(machine.book(sandbox.door()), "ready")
    sandbox.arrange("PATCH", f"/sandbox/devices/{before.doors[0].device_id}", {"slots": []})
    machine.run_command(order_of(before))
    (line,) = machine.story_lines(before.booking_id, "code.not_reissued")
    assert "no slots configured" in line
    assert code_of(machine.ledger.get(before.booking_id)) == code_of(before)
    assert machine.creates(before.doors[0].device_id) == 1


def test_a_full_lock(machine: Machine, sandbox: Sandbox) -> None:
    """If the old code can't be deleted, there is no place for another; if it can, it goes first."""
    stays = machine.until(machine.book(sandbox.door(max_active_codes=1)), "ready")
    machine.run_command(order_of(stays))
    (line,) = machine.story_lines(stays.booking_id, "code.not_reissued")
    assert "the lock is full" in line
    goes = machine.until(machine.book(sandbox.door(max_active_codes=1, code_flags={"is_cancellable": True})), "ready")
    machine.run_command(order_of(goes))
    after = machine.until(goes, "ready", every=timedelta(seconds=30))
    assert code_of(after) != code_of(goes)


def test_a_new_code_with_the_same_pin_is_told(
    machine: Machine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock may give two codes of one window the same PIN: both PINs are read and compared."""
    before = machine.until(machine.book(sandbox.door()), "ready")
    monkeypatch.setattr(AccessCodes, "pin", lambda *_: SecretStr("739158"))
    machine.run_command(order_of(before))
    after = machine.until(before, "ready")
    sweep_for(machine, 1)
    (alert,) = [each for each in machine.alerts.all() if each.notice.problem == "same_pin"]
    assert alert.is_open
    assert code_of(before) in alert.notice.happened
    assert "739158" not in repr([machine.ledger.history(after.booking_id), machine.ledger.get(after.booking_id)])


def test_a_stay_that_is_cancelled_meanwhile(machine: Machine, sandbox: Sandbox) -> None:
    """No code is made, and the old one is residual access."""
    before = machine.until(machine.book(sandbox.door()), "ready")
    machine.run_command(order_of(before))
    machine.cancel(before)
    sweep_for(machine, 2)
    after = machine.ledger.get(before.booking_id)
    assert after.state == "cancelled"
    assert [each.access_code_id for each in after.doors[0].residual] == [code_of(before)]
    assert machine.creates(after.doors[0].device_id) == 1
