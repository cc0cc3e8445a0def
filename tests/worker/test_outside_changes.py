"""Changes of codes and doors by others: each has its reaction and its text, and ends by itself when it is corrected."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from shared.domain.booking import transitions
from shared.domain.booking.record import AlertNotice, Booking
from shared.seam.access_codes import AccessCodes, CodeReport
from tests.domain.test_event_meanings import DOCUMENTED
from tests.sandbox.harness import Sandbox, in_days
from tests.worker.machine import Machine


def ready(machine: Machine, sandbox: Sandbox, **door: Any) -> tuple[Booking, str]:
    """Return a ready booking and its code's id."""
    booking = machine.until(machine.book(sandbox.door(**door)), "ready")
    code = booking.doors[0].code
    assert code is not None
    return booking, code.access_code_id


def look(machine: Machine, booking: Booking) -> Booking:
    """Look at the booking's door, as after an event."""
    machine.handlers.advance_door(booking.booking_id, booking.doors[0].key, prompted=True)
    return machine.ledger.get(booking.booking_id)


def slot(check_in: str, check_out: str) -> dict[str, str]:
    """Return a slot in the sandbox's form."""
    return {"name": f"{check_in} to {check_out}", "check_in": check_in, "check_out": check_out}


def open_alerts(machine: Machine, booking: Booking) -> list[AlertNotice]:
    """Return the booking's open alerts."""
    return [
        alert.notice
        for alert in machine.alerts.all()
        if alert.is_open and f"/{booking.booking_id}/" in alert.notice.key
    ]


REACTIONS: list[Any] = [
    pytest.param({"simulate": "modified_external"}, ("issued", "code_problem"), "changed: its PIN", id="modified"),
    pytest.param(
        {"simulate": "modified_external", "ends_at": in_days(5, "09:00:00")},
        ("issued", "code_problem"),
        f"changed: its end (now {in_days(5, '09:00:00')[:10]} ",
        id="end modified",
    ),
    pytest.param(
        {"simulate": "deleted_external"},
        ("issued", "code_problem"),
        "removed the code from the lock",
        id="removed outside",
    ),
    pytest.param({"simulate": "removed"}, ("failed", "code_gone"), "not at Seam any more", id="removed early"),
    pytest.param({"simulate": "converted_to_unmanaged"}, ("failed", "code_unmanaged"), "manage", id="unmanaged"),
    pytest.param({"simulate": "duplicate_code_on_device"}, ("failed", "code_problem"), "same PIN", id="duplicate"),
    pytest.param({"simulate": "no_space"}, ("failed", "code_problem"), "holds as many codes", id="no space"),
    pytest.param(
        {"simulate": "time_frame_changed", "ends_at": in_days(5, "09:00:00")},
        ("issued", "window_differs"),
        "09:00",
        id="ends before check-out",
    ),
    pytest.param(
        {"simulate": "time_frame_changed", "ends_at": in_days(5, "23:00:00")},
        ("ready", "window_differs"),
        "23:00",
        id="ends later",
    ),
]


@pytest.mark.parametrize(("what", "stands", "words"), REACTIONS)
def test_each_outside_change_has_its_reaction(
    machine: Machine, sandbox: Sandbox, what: dict[str, Any], stands: tuple[str, str], words: str
) -> None:
    """A state, one alert, and a text that says what happened."""
    booking, code_id = ready(machine, sandbox)
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", what)
    after = look(machine, booking)
    assert (after.state, after.reason) == stands
    (alert,) = open_alerts(machine, booking)
    assert words in alert.happened
    assert alert.next_step


def test_a_prompted_look_is_repeated_if_another_one_overtakes_it(
    machine: Machine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other look had read the code before the event: the news must not wait for hours."""
    booking, code_id = ready(machine, sandbox)
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", {"simulate": "no_space"})
    read, reads = AccessCodes.get, []

    def overtaken(codes: AccessCodes, access_code_id: str) -> CodeReport | None:
        report = read(codes, access_code_id)
        reads.append(access_code_id)
        if len(reads) == 1:
            now, key = machine.clock(), booking.doors[0].key
            later = now + timedelta(hours=6)
            machine.ledger.record(
                booking,
                lambda it: transitions.record_unconfirmed_code(
                    it, key, reason="", detail="", failed=False, due_at=later, now=now
                ),
            )
        return report

    monkeypatch.setattr(AccessCodes, "get", overtaken)
    after = look(machine, booking)
    assert (after.state, after.reason, len(reads)) == ("failed", "code_problem", 2)


def retry(machine: Machine, booking: Booking) -> Booking:
    """Do what `oracode bookings retry` does, and what follows at once."""
    now = machine.clock()
    retried = machine.ledger.record(machine.ledger.get(booking.booking_id), lambda it: transitions.retry(it, now=now))
    machine.handlers.advance_door(booking.booking_id, retried.doors[0].key)
    return machine.ledger.get(booking.booking_id)


def test_a_code_that_was_removed_outside_of_seam_becomes_ready_again(machine: Machine, sandbox: Sandbox) -> None:
    """It stays the booking's: a retry meanwhile makes no second code, and the guest keeps the PIN."""
    booking, code_id = ready(machine, sandbox)
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", {"simulate": "deleted_external"})
    look(machine, booking)
    again = retry(machine, booking)
    assert (again.state, again.reason) == ("issued", "code_problem")
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", {"simulate": "set"})
    after = machine.until(booking, "ready", every=timedelta(minutes=30))
    assert after.doors[0].code is not None
    assert after.doors[0].code.access_code_id == code_id
    assert open_alerts(machine, booking) == []
    assert (machine.creates(booking.doors[0].device_id), after.doors[0].residual) == (1, ())


def test_a_code_that_was_deleted_at_seam_is_made_again_by_a_retry(machine: Machine, sandbox: Sandbox) -> None:
    """Nothing of it is left, so the retry that its alert advises makes another one."""
    booking, code_id = ready(machine, sandbox)
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", {"simulate": "removed"})
    look(machine, booking)
    again = machine.until(retry(machine, booking), "ready")
    assert again.doors[0].code is not None
    assert again.doors[0].code.access_code_id != code_id
    assert open_alerts(machine, booking) == []


def test_an_unmanaged_code_of_an_earlier_revision_is_residual_access(machine: Machine, sandbox: Sandbox) -> None:
    """As long as Seam knows it at all."""
    before, code_id = ready(machine, sandbox)
    after = machine.until(machine.update(before, 1, check_out=in_days(6, "10:15:00")), "ready")
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", {"simulate": "converted_to_unmanaged"})
    assert [each.access_code_id for each in look(machine, after).doors[0].residual] == [code_id]


def test_an_unmanaged_code_is_residual_access_when_another_is_made(machine: Machine, sandbox: Sandbox) -> None:
    """Seam answers 404 for the managed code, but the lock still has it."""
    before, code_id = ready(machine, sandbox)
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", {"simulate": "converted_to_unmanaged"})
    after = machine.until(machine.update(before, 1, check_out=in_days(6, "10:15:00")), "ready")
    assert [each.access_code_id for each in after.doors[0].residual] == [code_id]


def test_a_retry_of_a_code_with_a_problem_only_reads_it(machine: Machine, sandbox: Sandbox) -> None:
    """The alert doesn't end for a moment, and the booking system is told nothing."""
    booking, code_id = ready(machine, sandbox)
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", {"simulate": "no_space"})
    look(machine, booking)
    told = machine.outcome_types(booking.booking_id)
    (before,) = open_alerts(machine, booking)
    again = retry(machine, booking)
    assert (again.state, machine.outcome_types(booking.booking_id)) == ("failed", told)
    alert = machine.alerts.get(before.key)
    assert alert is not None
    assert (alert.is_open, alert.count) == (True, 1)


def test_a_moved_window_is_told_with_its_real_times(machine: Machine, sandbox: Sandbox) -> None:
    """The guest is told when the code really ends."""
    booking, code_id = ready(machine, sandbox)
    moved = {"simulate": "time_frame_changed", "ends_at": in_days(5, "09:00:00")}
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", moved)
    after = look(machine, booking)
    assert after.doors[0].code is not None
    assert after.doors[0].code.window.ends_at == datetime.fromisoformat(in_days(5, "09:00:00"))
    # A revision that changes nothing makes no second code.
    machine.until(machine.update(after, 1), "issued")
    assert machine.creates(booking.doors[0].device_id) == 1


def test_a_late_code_stays_late_while_seam_is_away(machine: Machine, sandbox: Sandbox) -> None:
    """The code wasn't read, so the problem isn't known to be over."""
    sandbox.arrange("POST", "/sandbox/settings", {"step_seconds": 3600})
    booking = machine.book(sandbox.door())
    # After check-in and before check-out, at any time of day.
    machine.clock.move(timedelta(days=3))
    look(machine, booking)
    (late,) = open_alerts(machine, booking)
    assert late.problem == "late_set"
    sandbox.arrange("POST", "/sandbox/outage", {"on": True})
    for _ in range(6):
        look(machine, booking)
    assert late.key in {each.key for each in open_alerts(machine, booking)}
    assert machine.ledger.get(booking.booking_id).reason == "late_set"


def test_another_user_level_than_asked_for_is_told(machine: Machine, sandbox: Sandbox) -> None:
    """It may open another door: both levels are named."""
    booking, _ = ready(machine, sandbox)
    asked = booking.doors[0].asked_user_level_id
    assert asked
    changed = machine.ledger.record(booking, lambda it: _asked_for(it, "another-level"))
    after = look(machine, changed)
    assert (after.state, after.reason) == ("ready", "user_level_differs")
    assert "another-level" in after.doors[0].detail
    assert asked in after.doors[0].detail


def _asked_for(booking: Booking, level: str) -> Any:
    from dataclasses import replace  # noqa: PLC0415 - only here

    from shared.domain.booking.record import Change  # noqa: PLC0415 - only here

    return Change(replace(booking, doors=(replace(booking.doors[0], asked_user_level_id=level),)))


def events(machine: Machine, redis: Redis, code_id: str, names: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Deliver events of a code, a minute apart."""
    now = machine.clock()
    entries = []
    for number, (name, fields) in enumerate(names):
        event = {
            "event_id": str(uuid4()),
            "event_type": f"access_code.{name}",
            "access_code_id": code_id,
            "occurred_at": (now + timedelta(minutes=number)).isoformat(),
            **fields,
        }
        entries.append(str(redis.xadd("seam-events", {"event": json.dumps(event)})))
    machine.handlers.record_events(entries)


def test_a_replaced_pin_is_told(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """No PIN is stored, so a look can't notice it: only the event can."""
    booking, code_id = ready(machine, sandbox)
    changed = {"from": {"code": "[removed]"}, "to": {"code": "[removed]"}}
    events(machine, redis_client, code_id, [("code_changed", changed)])
    look(machine, booking)
    (alert,) = open_alerts(machine, booking)
    assert alert.problem == "pin_changed"
    assert machine.ledger.get(booking.booking_id).state == "ready"


def test_the_first_pin_is_no_news(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """There was none before."""
    booking, code_id = ready(machine, sandbox)
    events(machine, redis_client, code_id, [("code_changed", {"from": {}, "to": {"code": "[removed]"}})])
    look(machine, booking)
    assert open_alerts(machine, booking) == []


def test_a_slot_that_was_removed_under_a_code_is_told_once(machine: Machine, sandbox: Sandbox) -> None:
    """And resolved when the installer puts it back."""
    booking, _ = ready(machine, sandbox)
    device_id = booking.doors[0].device_id
    sandbox.arrange("PATCH", f"/sandbox/devices/{device_id}", {"slots": [slot("09:00", "21:00")]})
    machine.handlers.refresh_door(device_id)
    machine.sweep()
    (alert,) = open_alerts(machine, booking)
    assert (alert.problem, machine.ledger.get(booking.booking_id).state) == ("slot_changed", "ready")
    machine.handlers.refresh_door(device_id)
    machine.sweep()
    found = machine.alerts.get(alert.key)
    assert found is not None
    assert found.count == 1
    sandbox.arrange("PATCH", f"/sandbox/devices/{device_id}", {"slots": [slot("16:00", "10:00")]})
    machine.handlers.refresh_door(device_id)
    machine.sweep()
    assert open_alerts(machine, booking) == []


def test_one_changed_door_prompts_readings_of_the_others(machine: Machine, sandbox: Sandbox) -> None:
    """A building that was wiped is told as a whole within minutes; each door is read once."""
    booked = [ready(machine, sandbox)[0] for _ in range(3)]
    devices = [booking.doors[0].device_id for booking in booked]
    machine.handlers.periodic_jobs("refresh_doors")
    for device_id in devices:
        sandbox.arrange("PATCH", f"/sandbox/devices/{device_id}", {"slots": [slot("09:00", "21:00")]})
    machine.handlers.refresh_door(devices[0])
    for _ in range(4):
        machine.clock.move(timedelta(seconds=5))
        machine.sweep()
    assert [alert.problem for booking in booked for alert in open_alerts(machine, booking)] == ["slot_changed"] * 3
    waiting = [item.subject for item, _ in machine.handlers.due.claim(machine.clock() + timedelta(minutes=1), 500)]
    assert "refresh" not in waiting


def test_doors_with_bookings_are_read_in_turn(machine: Machine, sandbox: Sandbox) -> None:
    """Spread over the interval, each once; a booking that waits for a slot gets it by itself."""
    device_id = sandbox.door(slots=[])
    booking = machine.book(device_id)
    assert (booking.state, booking.reason) == ("waiting", "no_slots_configured")
    machine.handlers.periodic_jobs("refresh_doors")
    sandbox.arrange("PATCH", f"/sandbox/devices/{device_id}", {"slots": [slot("16:00", "10:00")]})
    machine.handlers.refresh_door(device_id)
    machine.sweep()
    assert machine.ledger.get(booking.booking_id).state in ("issued", "ready")
    machine.until(booking, "ready")


EVENTS: list[tuple[str, dict[str, Any]]] = [(name, {}) for name in DOCUMENTED]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(EVENTS), min_size=1, max_size=30))
def test_any_order_of_a_codes_events_ends_in_the_same_state(
    machine: Machine, sandbox: Sandbox, redis_client: Redis, told: list[tuple[str, dict[str, Any]]]
) -> None:
    """With repeats, and whatever they say: the code as Seam has it now decides, and it has no problem."""
    booking, code_id = _kept_ready(machine, sandbox)
    before = machine.ledger.get(booking.booking_id).doors
    events(machine, redis_client, code_id, told)
    for _ in range(2):
        for looked in machine.looked:
            machine.handlers.advance_door(*looked, prompted=True)
    machine.looked.clear()
    after = machine.ledger.get(booking.booking_id)
    assert (after.state, after.reason) == ("ready", "")
    if not any(name == "backup_access_code_pulled" for name, _ in told):
        assert [door.code for door in after.doors] == [door.code for door in before]


_READY: dict[int, tuple[Booking, str]] = {}


def _kept_ready(machine: Machine, sandbox: Sandbox) -> tuple[Booking, str]:
    if id(machine) not in _READY:
        _READY.clear()
        _READY[id(machine)] = ready(machine, sandbox)
    return _READY[id(machine)]
