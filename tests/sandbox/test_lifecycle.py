"""A code's life over HTTP: statuses, events, failures, and what outsiders do to it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.sandbox.harness import Sandbox, in_days
from tests.support.waiting import wait_until


def slot_ending_in(seconds: float) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a slot whose check-out is so many seconds away, and the window that takes it."""
    end = (datetime.now(UTC) + timedelta(seconds=seconds)).replace(microsecond=0)
    start = end - timedelta(hours=6)
    slot = {"name": "now", "check_in": f"{start:%H:%M:%S}", "check_out": f"{end:%H:%M:%S}"}
    return slot, {"starts_at": start.isoformat(), "ends_at": end.isoformat()}


def test_code_gets_set(sandbox: Sandbox) -> None:
    """``unset``, ``setting``, ``set``; the PIN is in the code and in the event, in clear."""
    device_id = sandbox.door()
    code_id = sandbox.created(device_id)["access_code_id"]
    code = sandbox.wait_for_status(code_id, "set")

    assert code["pending_mutations"] == code["errors"] == []
    assert sandbox.event_types(code_id) == ["created", "mutations_requested", "set_on_device"]
    event = sandbox.events(access_code_id=code_id)[-1]
    assert event["code"] == code["code"]
    assert event["device_id"] == device_id
    assert {"event_id", "workspace_id", "connected_account_id", "occurred_at"} <= event.keys()
    assert code["code"] in sandbox.look("/sandbox/secrets")["pins"]


def test_code_is_removed_after_its_end(sandbox: Sandbox) -> None:
    """Events tell of it, and then Seam answers 404; the PIN stays among the secrets."""
    slot, window = slot_ending_in(2)
    code_id = sandbox.created(sandbox.door(slots=[slot]), **window)["access_code_id"]
    pin = sandbox.wait_for_status(code_id, "set")["code"]
    wait_until(lambda: sandbox.code(code_id) is None)

    assert sandbox.event_types(code_id)[-2:] == ["removed_from_device", "deleted"]
    answer = sandbox.api.get("/access_codes/get", params={"access_code_id": code_id})
    assert answer.json()["error"]["type"] == "access_code_not_found"
    assert pin in sandbox.look("/sandbox/secrets")["pins"]


def test_programming_is_deferred(sandbox: Sandbox) -> None:
    """With a lead time the code waits ``unset``, and says until when."""
    code = sandbox.created(sandbox.door(program_lead_seconds=3600))

    assert code["status"] == "unset"
    [pending] = code["pending_mutations"]
    assert pending["mutation_code"] == "deferring_creation"
    assert pending["scheduled_at"] == in_days(2, "15:00:00.000", offset="Z")


def test_lead_time_that_has_begun_is_no_delay(sandbox: Sandbox) -> None:
    """A code whose programming time has passed is programmed at once."""
    device_id = sandbox.door(program_lead_seconds=30 * 86_400)
    sandbox.wait_for_status(sandbox.created(device_id)["access_code_id"], "set")


def test_no_slot_fails_later(sandbox: Sandbox) -> None:
    """Where the door is set so, 200, and the failure comes as error and event."""
    device_id = sandbox.door(no_slot_behaviour="fail_later")
    code_id = sandbox.created(device_id, starts_at=in_days(2, "08:00:00"))["access_code_id"]
    code = wait_until(lambda: (found := sandbox.code(code_id))["errors"] and found)

    assert code["errors"][0]["error_code"] == "provider_issue"
    assert code["errors"][0]["is_access_code_error"] is True
    assert (code["status"], code["code"]) == ("unset", None)
    event = sandbox.events(access_code_id=code_id)[-1]
    assert event["event_type"] == "access_code.failed_to_set_on_device"
    assert event["access_code_errors"][0]["error_code"] == "provider_issue"
    assert event["device_errors"] == event["connected_account_warnings"] == []


def test_full_lock(sandbox: Sandbox) -> None:
    """One code more than the lock takes is accepted, and then fails."""
    device_id = sandbox.door(max_active_codes=1)
    first = sandbox.created(device_id)["access_code_id"]
    second = sandbox.created(device_id)["access_code_id"]
    sandbox.wait_for_status(first, "set")
    code = wait_until(lambda: (found := sandbox.code(second))["errors"] and found)
    assert code["errors"][0]["error_code"] == "no_space_for_access_code_on_device"


def test_action_attempt_follows_the_code(sandbox: Sandbox) -> None:
    """Pending, then success; or the error that the code met."""
    answer = sandbox.create(sandbox.door()).json()
    sandbox.wait_for_status(answer["access_code"]["access_code_id"], "set")
    asked = {"action_attempt_id": answer["action_attempt"]["action_attempt_id"]}
    attempt = sandbox.api.get("/action_attempts/get", params=asked).json()["action_attempt"]
    assert (attempt["status"], attempt["error"]) == ("success", None)


@pytest.mark.parametrize(
    ("simulation", "event_type", "error_code"),
    [
        ("modified_external", "modified_external_to_seam", "conflicting_external_modification"),
        ("deleted_external", "deleted_external_to_seam", "conflicting_external_modification"),
        ("failed_to_set", "failed_to_set_on_device", "failed_to_set_on_device"),
        ("duplicate_code_on_device", "failed_to_set_on_device", "duplicate_code_on_device"),
        ("no_space", "failed_to_set_on_device", "no_space_for_access_code_on_device"),
    ],
)
def test_simulated_errors(sandbox: Sandbox, simulation: str, event_type: str, error_code: str) -> None:
    """Each leaves its error on the code and emits its event. ``set`` takes the error away."""
    code_id = sandbox.created(sandbox.door())["access_code_id"]
    sandbox.wait_for_status(code_id, "set")
    path = f"/sandbox/access_codes/{code_id}"
    sandbox.arrange("PATCH", path, {"simulate": simulation})

    assert sandbox.code(code_id)["errors"][0]["error_code"] == error_code
    assert sandbox.event_types(code_id)[-1] == event_type
    sandbox.arrange("PATCH", path, {"simulate": "set"})
    assert sandbox.code(code_id)["errors"] == []


def test_simulated_delay(sandbox: Sandbox) -> None:
    """A warning and its event; the code stays ``setting``."""
    code_id = sandbox.created(sandbox.door(program_lead_seconds=60))["access_code_id"]
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", {"simulate": "delay_in_setting"})
    code = sandbox.code(code_id)
    assert code["status"] == "setting"
    assert code["warnings"][0]["warning_code"] == "delay_in_setting_on_device"
    assert sandbox.event_types(code_id)[-1] == "delay_in_setting_on_device"


@pytest.mark.parametrize(
    ("simulation", "event_type"),
    [("removed", "deleted"), ("converted_to_unmanaged", "unmanaged.created")],
)
def test_simulated_disappearance(sandbox: Sandbox, simulation: str, event_type: str) -> None:
    """The managed endpoints don't know the code any more."""
    device_id = sandbox.door()
    code_id = sandbox.created(device_id)["access_code_id"]
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", {"simulate": simulation})
    assert sandbox.code(code_id) is None
    assert sandbox.codes(device_id) == []
    assert sandbox.event_types(code_id)[-1] == event_type


def test_simulated_changes(sandbox: Sandbox) -> None:
    """A new PIN or window is told with what it was and what it is."""
    code_id = sandbox.created(sandbox.door())["access_code_id"]
    before = sandbox.wait_for_status(code_id, "set")
    path = f"/sandbox/access_codes/{code_id}"
    sandbox.arrange("PATCH", path, {"simulate": "code_changed", "code": "777777"})
    ends_at = in_days(5, "09:00:00", offset="Z")
    sandbox.arrange("PATCH", path, {"simulate": "time_frame_changed", "ends_at": ends_at})

    code = sandbox.code(code_id)
    assert (code["code"], code["ends_at"]) == ("777777", in_days(5, "09:00:00.000", offset="Z"))
    changed, _, moved, together = sandbox.events(access_code_id=code_id)[-4:]
    assert changed["event_type"] == "access_code.code_changed"
    assert (changed["from"], changed["to"]) == ({"code": before["code"]}, {"code": "777777"})
    assert moved["from"]["ends_at"] == before["ends_at"]
    assert together["changed_properties"][0]["property"] == "ends_at"
    assert {before["code"], "777777"} <= set(sandbox.look("/sandbox/secrets")["pins"])
