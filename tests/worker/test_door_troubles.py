"""Issues of a door: noticed at each reading, told with the affected bookings, ended by themselves."""

import json
from datetime import datetime, timedelta
from typing import Any

from redis import Redis

from shared import redis_keys
from shared.domain.alerting.alert import Alert
from shared.domain.door.issues import issues_of_device
from shared.ledger.due_set import refresh_item
from shared.ledger.reconciliation import ReconciliationLedger
from tests.sandbox.harness import Sandbox, in_days
from tests.shared.ledgers import due_at
from tests.worker.machine import Machine

MISMATCH = {"warning_code": "time_zone_mismatch", "message": "The zones differ.", "created_at": "2026-01-01T00:00:00Z"}
REMOVED = {"error_code": "device_removed", "message": "It was removed.", "is_device_error": True}


def report(
    sandbox: Sandbox, device_id: str, *, errors: list[Any] | None = None, warnings: list[Any] | None = None
) -> None:
    """Have Seam report issues of a door."""
    device = sandbox.api.get("/devices/get", params={"device_id": device_id}).json()["device"]
    reported = {**device, "errors": errors or [], "warnings": warnings or []}
    sandbox.arrange("PATCH", f"/sandbox/devices/{device_id}", {"device": reported})


def alert_of(machine: Machine, device_id: str, what: str = "trouble") -> Alert:
    """Return an alert of the door."""
    alert = machine.alerts.get(f"door/{device_id}/{what}")
    assert alert is not None
    return alert


def readiness(machine: Machine) -> list[tuple[str, str]]:
    """Return the readiness of each arrival in the next days, and its reason."""
    now = machine.clock()
    return [(each.readiness, each.reason) for each in machine.arrivals(now, now + timedelta(days=4))]


def test_a_doors_issue_is_told_once_until_seam_takes_it_back(machine: Machine, sandbox: Sandbox) -> None:
    """Also for a booking with a confirmed code: its arrival is at risk while the issue lasts."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id), "ready")
    report(sandbox, device_id, warnings=[MISMATCH])
    for _ in range(3):
        machine.handlers.refresh_door(device_id)
    alert = alert_of(machine, device_id)
    assert (alert.is_open, alert.sequence, alert.count, alert.hit) == (True, 1, 1, 1)
    assert alert.notice.check_in == booking.doors[0].check_in
    assert booking.booking_id in alert.subjects[0]
    assert readiness(machine) == [("at risk", "door_trouble")]

    report(sandbox, device_id)
    machine.handlers.refresh_door(device_id)
    assert not alert_of(machine, device_id).is_open
    assert readiness(machine) == [("ready", "")]


def test_later_bookings_are_affected_too(machine: Machine, sandbox: Sandbox) -> None:
    """Planning the next booking on the door prompts a reading at once, and makes the alert more urgent."""
    device_id = sandbox.door()
    machine.book(device_id, check_in=in_days(200, "16:00:00"), check_out=in_days(202, "10:00:00"))
    report(sandbox, device_id, warnings=[MISMATCH])
    machine.handlers.refresh_door(device_id)
    assert alert_of(machine, device_id).hit == 1
    near = machine.book(device_id)
    machine.clock.move(timedelta(seconds=2))
    machine.sweep()
    alert = alert_of(machine, device_id)
    assert (alert.hit, alert.sequence) == (2, 1)
    assert alert.notice.check_in == near.doors[0].check_in


def test_an_issue_that_planning_finds_is_told(machine: Machine, sandbox: Sandbox) -> None:
    """Any reading of the door can notice it: the refresh, which tells people, is then due at once."""
    device_id = sandbox.door()
    report(sandbox, device_id, warnings=[MISMATCH])
    booking = machine.book(device_id)
    machine.sweep()
    assert alert_of(machine, device_id).is_open
    # The door's issue doesn't stop us from making the code: Seam decides.
    assert machine.until(booking, "ready").state == "ready"


def test_a_removed_door_is_one_alert(machine: Machine, sandbox: Sandbox) -> None:
    """If Seam lists it as removed, or answers 404. Nothing else is told about it."""
    device_id = sandbox.door()
    machine.until(machine.book(device_id), "ready")
    report(sandbox, device_id, warnings=[MISMATCH])
    machine.handlers.refresh_door(device_id)
    report(sandbox, device_id, errors=[REMOVED], warnings=[MISMATCH])
    machine.handlers.refresh_door(device_id)
    gone = alert_of(machine, device_id, "gone")
    assert (gone.is_open, gone.sequence, gone.hit) == (True, 1, 1)
    assert "device_removed: It was removed" in gone.notice.happened
    over = alert_of(machine, device_id)
    assert (over.is_open, over.notice.solved) == (False, "The door was removed at Seam, which is an alert of its own.")
    assert readiness(machine) == [("at risk", "door_gone")]

    sandbox.arrange("DELETE", f"/sandbox/devices/{device_id}")
    machine.handlers.refresh_door(device_id)
    assert alert_of(machine, device_id, "gone").sequence == 1
    sandbox.door(device_id=device_id)
    machine.handlers.refresh_door(device_id)
    assert not alert_of(machine, device_id, "gone").is_open
    assert readiness(machine) == [("ready", "")]


def test_the_alert_ends_with_the_last_stay(machine: Machine, sandbox: Sandbox) -> None:
    """While it is open, the door is read by itself, even if no booking would prompt that."""
    device_id = sandbox.door()
    machine.until(machine.book(device_id), "ready")
    report(sandbox, device_id, warnings=[MISMATCH])
    machine.handlers.refresh_door(device_id)
    machine.clock.move(timedelta(days=6))
    machine.sweep()
    assert not alert_of(machine, device_id).is_open
    assert due_at(machine.redis, refresh_item(device_id).encoded()) is None


def test_an_outage_of_seam_ends_no_alert(machine: Machine, sandbox: Sandbox) -> None:
    """The door wasn't read, so the issue isn't known to be gone."""
    device_id = sandbox.door()
    machine.until(machine.book(device_id), "ready")
    report(sandbox, device_id, warnings=[MISMATCH])
    machine.handlers.refresh_door(device_id)
    sandbox.arrange("POST", "/sandbox/outage", {"on": True})
    machine.handlers.refresh_door(device_id)
    sandbox.arrange("POST", "/sandbox/outage", {"on": False})
    assert alert_of(machine, device_id).is_open
    assert readiness(machine) == [("at risk", "door_trouble")]


def test_issues_are_no_change_of_the_slots(machine: Machine, sandbox: Sandbox) -> None:
    """No booking is planned again."""
    device_id = sandbox.door()
    machine.book(device_id)
    machine.handlers.refresh_door(device_id)
    before = machine.redis.get(redis_keys.door_fingerprint(device_id))
    report(sandbox, device_id, warnings=[MISMATCH])
    machine.handlers.refresh_door(device_id)
    assert machine.redis.get(redis_keys.door_fingerprint(device_id)) == before


def test_the_content_of_the_door_cache(machine: Machine, sandbox: Sandbox) -> None:
    """Issues without digits that may be a PIN; no custom metadata."""
    device_id = sandbox.door()
    device = sandbox.api.get("/devices/get", params={"device_id": device_id}).json()["device"]
    leaky = {"error_code": "new", "message": "PIN 47110815", "anything": "secret"}
    spoilt = {**device, "errors": [leaky, 7], "warnings": "none", "custom_metadata": {"owner": "Ann"}}
    sandbox.arrange("PATCH", f"/sandbox/devices/{device_id}", {"device": spoilt})
    machine.book(device_id)
    cached = json.loads(str(machine.redis.get(redis_keys.door_device(device_id))))
    assert cached["errors"] == [{"error_code": "new", "message": "PIN ########"}]
    assert cached["warnings"] == []
    assert "custom_metadata" not in cached


def test_a_door_that_an_older_process_cached_is_read(machine: Machine, sandbox: Sandbox) -> None:
    """It has no issues; the next reading has them."""
    device_id = sandbox.door()
    report(sandbox, device_id, warnings=[MISMATCH])
    machine.book(device_id)
    key = redis_keys.door_device(device_id)
    newer = json.loads(str(machine.redis.get(key)))
    assert issues_of_device(newer)
    older = {name: value for name, value in newer.items() if name not in ("errors", "warnings")}
    machine.redis.set(key, json.dumps(older), ex=60)
    booking = machine.book(device_id, check_in=_in(10, "16:00"), check_out=_in(11, "10:00"))
    assert machine.until(booking, "ready").state == "ready"


def _in(days: int, at: str) -> str:
    return f"{datetime.now().astimezone().date() + timedelta(days=days)}T{at}:00+00:00"


def event(event_type: str, **fields: Any) -> dict[str, Any]:
    """Return an event of Seam."""
    return {"event_id": f"e-{event_type}", "event_type": event_type, "occurred_at": "2026-11-21T10:00:00Z", **fields}


def deliver_events(machine: Machine, *events: dict[str, Any]) -> None:
    """Do what the dispatcher does with events from `web`."""
    ids = [str(machine.redis.xadd("seam-events", {"event": json.dumps(each)})) for each in events]
    machine.handlers.record_events(ids)


def reads(sandbox: Sandbox, device_id: str) -> int:
    """Return how often the door was read at Seam."""
    asked = sandbox.look("/sandbox/requests", device_id=device_id, path="/devices/get")
    return len(asked["requests"])


def test_an_event_of_a_door_prompts_a_reading(machine: Machine, sandbox: Sandbox) -> None:
    """Through the due-set; the event is acknowledged, is in no story, and changes no booking."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id), "ready")
    history = machine.ledger.history(booking.booking_id)
    report(sandbox, device_id, warnings=[MISMATCH])
    deliver_events(machine, event("device.disconnected", device_id=device_id, access_code_id="-"))
    assert machine.redis.xlen("seam-events") == 0
    assert machine.looked == []
    assert due_at(machine.redis, refresh_item(device_id).encoded()) is not None
    assert machine.redis.exists(redis_keys.code_events("-")) == 0
    machine.clock.move(timedelta(seconds=2))
    machine.sweep()
    assert alert_of(machine, device_id).is_open
    assert machine.ledger.get(booking.booking_id).state == "ready"
    assert machine.ledger.history(booking.booking_id) == history


def test_many_events_cost_one_reading(machine: Machine, sandbox: Sandbox) -> None:
    """A door without guests to come costs none; nor does an event that is only noted."""
    device_id, empty = sandbox.door(), sandbox.door()
    machine.until(machine.book(device_id), "ready")
    before = reads(sandbox, device_id)
    for number in range(30):
        flap = ("device.connected", "device.disconnected")[number % 2]
        deliver_events(
            machine,
            event(flap, device_id=device_id),
            event(flap, device_id=empty),
            event("device.battery_status_changed", device_id=device_id),
        )
    machine.clock.move(timedelta(seconds=2))
    machine.sweep()
    assert reads(sandbox, device_id) == before + 1
    assert reads(sandbox, empty) == 0
    deliver_events(machine, event("device.battery_status_changed", device_id=device_id))
    assert due_at(machine.redis, refresh_item(device_id).encoded()) is None


def test_an_unknown_event_of_a_door_prompts_a_reading(machine: Machine, sandbox: Sandbox) -> None:
    """A needless reading costs one call."""
    device_id = sandbox.door()
    machine.until(machine.book(device_id), "ready")
    deliver_events(machine, event("device.teleported", device_id=device_id))
    assert due_at(machine.redis, refresh_item(device_id).encoded()) is not None


def test_a_prompted_reading_that_fails_is_repeated(machine: Machine, sandbox: Sandbox) -> None:
    """Within a minute, not in the next interval."""
    device_id = sandbox.door()
    machine.until(machine.book(device_id), "ready")
    deliver_events(machine, event("device.disconnected", device_id=device_id))
    sandbox.arrange("POST", "/sandbox/outage", {"on": True})
    machine.handlers.refresh_door(device_id)
    sandbox.arrange("POST", "/sandbox/outage", {"on": False})
    again = due_at(machine.redis, refresh_item(device_id).encoded())
    assert again is not None
    assert again <= machine.clock() + timedelta(minutes=1)


def test_events_without_an_id_of_their_subject_are_parked(machine: Machine) -> None:
    """They block nothing."""
    deliver_events(
        machine,
        event("device.connected"),
        event("device.connected", device_id=7),
        event("connected_account.disconnected", device_id="d-1"),
    )
    problems = [entry.parked.problems[0] for entry in machine.parked.list()]
    assert [problem.split()[0] for problem in problems] == ["device_id", "device_id", "connected_account_id"]
    assert machine.redis.xlen("seam-events") == 0


def test_missed_events_of_doors_are_fetched(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """Those that prompt a reading, in the same short form. They don't count as a gap of webhooks."""
    device_id = sandbox.door()
    machine.until(machine.book(device_id), "ready")
    machine.handlers.periodic_jobs("reconcile")
    redis_client.delete("seam-events")
    before = sandbox.arrange("POST", "/sandbox/events", {"event_type": "device.low_battery", "device_id": device_id})
    fields = {"device_id": device_id, "device_custom_metadata": {"owner": "Ann"}}
    wanted = [
        sandbox.arrange("POST", "/sandbox/events", {"event_type": "device.disconnected", **fields}) for _ in range(5)
    ]
    machine.clock.move(timedelta(minutes=2))
    machine.handlers.periodic_jobs("reconcile")
    entries: Any = redis_client.xrange("seam-events")
    found = {each["event_id"]: each for each in (json.loads(fields["event"]) for _, fields in entries)}
    assert {each["event_id"] for each in wanted} <= found.keys()
    assert before["event_id"] not in found
    assert not any("device_custom_metadata" in found[each["event_id"]] for each in wanted)
    about_codes = [each for each in found.values() if each["event_type"].startswith("access_code.")]
    assert ReconciliationLedger(redis_client).load().missed == len(about_codes)
