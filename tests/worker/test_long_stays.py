"""Stays of more than 31 days: refused, or served by consecutive codes if LONG_STAYS says so."""

from datetime import timedelta

import pytest
from redis import Redis

from shared.domain.booking.record import Booking
from tests.sandbox.harness import Sandbox, in_days
from tests.support.server import DataServer
from tests.worker.machine import Machine

FIFTY_NIGHTS = {"check_in": in_days(2, "15:45:00"), "check_out": in_days(52, "10:15:00")}


@pytest.fixture
def splitting(redis_client: Redis, data_server: DataServer, sandbox: Sandbox) -> Machine:
    """Return a worker that splits long stays and makes every code at once."""
    lead_time = timedelta(days=90)
    return Machine(redis_client, data_server.url, sandbox, long_stays="split", create_lead_time=lead_time)


def windows_of(booking: Booking) -> list[tuple[str, str]]:
    """Return the windows of the existing codes, in their order."""
    codes = sorted((door.code for door in booking.doors if door.code), key=lambda code: code.window.starts_at)
    return [(code.window.starts_at.isoformat(), code.window.ends_at.isoformat()) for code in codes]


def test_a_long_stay_becomes_consecutive_codes(splitting: Machine, sandbox: Sandbox) -> None:
    """Two codes of at most 31 days, the second from before the end of the first; both are in the outcome."""
    device_id = sandbox.door()
    booking = splitting.book(device_id, **FIFTY_NIGHTS)
    ready = splitting.until(booking, "ready")
    codes = sorted((door.code.window for door in ready.doors if door.code), key=lambda window: window.starts_at)
    assert len(codes) == 2
    assert all(window.ends_at - window.starts_at <= timedelta(days=31, hours=1) for window in codes)
    assert codes[1].starts_at <= codes[0].ends_at
    assert len(splitting.made(device_id)) == 2
    assert {door.key for door in ready.doors} == {f"{device_id}#1", f"{device_id}#2"}


def test_a_later_code_waits_for_its_lead_time(redis_client: Redis, data_server: DataServer, sandbox: Sandbox) -> None:
    """The stay is ready with its first code; the second is made at its own time."""
    machine = Machine(redis_client, data_server.url, sandbox, long_stays="split")
    device_id = sandbox.door()
    ready = machine.until(machine.book(device_id, **FIFTY_NIGHTS), "ready")
    assert len(machine.made(device_id)) == 1
    assert sorted(door.state for door in ready.doors) == ["ready", "scheduled"]


def test_a_long_stay_that_was_shortened_needs_one_code(splitting: Machine, sandbox: Sandbox) -> None:
    """The other codes are told as residual access; one code serves the stay."""
    device_id = sandbox.door()
    booking = splitting.until(splitting.book(device_id, **FIFTY_NIGHTS), "ready")
    short = {"check_in": in_days(2, "15:45:00"), "check_out": in_days(6, "10:15:00")}
    after = splitting.until(splitting.update(booking, 1, **short), "ready")
    wanted = [door for door in after.doors if door.wanted]
    assert [(door.state, bool(door.code)) for door in wanted] == [("ready", True)]
    assert after.residual_access_until is not None
    assert len(splitting.made(device_id)) == 3


def test_a_repeated_long_stay_makes_no_code(splitting: Machine, sandbox: Sandbox) -> None:
    """The same stay in a higher revision keeps both codes."""
    device_id = sandbox.door()
    booking = splitting.until(splitting.book(device_id, **FIFTY_NIGHTS), "ready")
    again = splitting.until(splitting.update(booking, 1, **FIFTY_NIGHTS), "ready")
    assert windows_of(again) == windows_of(booking)
    assert len(splitting.made(device_id)) == 2


def test_without_the_setting_it_is_refused(machine: Machine, sandbox: Sandbox) -> None:
    """People are told; no code is made."""
    device_id = sandbox.door()
    assert machine.book(device_id, **FIFTY_NIGHTS).reason == "too_long"
    assert machine.made(device_id) == []
