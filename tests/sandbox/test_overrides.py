"""What becomes of changes and deletions at the device: the override budget, refused updates and removals."""

from typing import Any

from tests.sandbox.harness import Sandbox, in_days
from tests.support.waiting import wait_until


def set_code(sandbox: Sandbox, device_id: str) -> Any:
    """Create a code on a door, and wait until it is set."""
    return sandbox.wait_for_status(sandbox.created(device_id)["access_code_id"], "set")


def overridable(sandbox: Sandbox, code_id: str) -> bool:
    """Whether Seam says that a code can be overridden."""
    found: bool = sandbox.code(code_id)["dormakaba_oracode_metadata"]["is_overridable"]
    return found


def test_overridable_codes_are_deletable_while_the_budget_lasts(sandbox: Sandbox) -> None:
    """Each override spends of the door's budget; then all its codes say that they can't be overridden."""
    device_id = sandbox.door(code_flags={"is_overridable": True}, override_budget=2)
    first, second, third = (set_code(sandbox, device_id)["access_code_id"] for _ in range(3))
    assert sandbox.ask("/access_codes/delete", access_code_id=first)["ok"] is True
    assert overridable(sandbox, third)
    assert sandbox.ask("/access_codes/update", access_code_id=second, name="BK-9")["ok"] is True
    assert not overridable(sandbox, third)

    refusal = sandbox.ask("/access_codes/delete", access_code_id=third)["error"]
    assert (refusal["type"], "override budget" in refusal["message"]) == ("offline_access_code_not_revocable", True)
    refusal = sandbox.ask("/access_codes/update", access_code_id=third, name="BK-9")["error"]
    assert (refusal["type"], "override budget" in refusal["message"]) == ("invalid_input", True)
    wait_until(lambda: sandbox.code(first) is None)
    assert sandbox.code(third)["status"] == "set"


def test_cancellable_codes_spend_no_override(sandbox: Sandbox) -> None:
    """Nor does an extension that its own flag allows."""
    flags = {"is_cancellable": True, "is_extendable": True, "is_overridable": True}
    device_id = sandbox.door(code_flags=flags, override_budget=1)
    first, second = (set_code(sandbox, device_id)["access_code_id"] for _ in range(2))
    sandbox.ask("/access_codes/delete", access_code_id=first)
    sandbox.ask("/access_codes/update", access_code_id=second, ends_at=in_days(6, "10:00:00"))
    assert overridable(sandbox, second)


def test_deletion_is_shown_until_it_is_done(sandbox: Sandbox) -> None:
    """Status, pending mutation and warning say that the code goes; the attempt is pending, then done."""
    device_id = sandbox.door(code_flags={"is_cancellable": True}, removals_fail=True)
    code_id = set_code(sandbox, device_id)["access_code_id"]
    attempt = sandbox.ask("/access_codes/delete", access_code_id=code_id)["action_attempt"]
    assert (attempt["action_type"], attempt["status"]) == ("DELETE_ACCESS_CODE", "pending")
    code = sandbox.code(code_id)
    assert code["status"] == "removing"
    assert code["pending_mutations"][0]["mutation_code"] == "deleting"
    assert code["warnings"][0]["warning_code"] == "being_deleted"

    wait_until(lambda: sandbox.code(code_id)["errors"])
    assert sandbox.code(code_id)["errors"][0]["error_code"] == "failed_to_remove_from_device"
    assert sandbox.event_types(code_id)[-1] == "failed_to_remove_from_device"
    asked = {"action_attempt_id": attempt["action_attempt_id"]}
    assert sandbox.ask("/action_attempts/get", **asked)["action_attempt"]["status"] == "error"

    sandbox.arrange("POST", "/sandbox/settings", {"set_again_seconds": 0.05})
    try:
        sandbox.arrange("PATCH", f"/sandbox/devices/{device_id}", {"removals_fail": False})
        sandbox.arrange("POST", f"/sandbox/devices/{device_id}/issues", {"code": "device_disconnected"})
        sandbox.arrange("DELETE", f"/sandbox/devices/{device_id}/issues/device_disconnected")
        wait_until(lambda: sandbox.code(code_id) is None)
    finally:
        sandbox.arrange("POST", "/sandbox/settings", {"set_again_seconds": 60})
    assert sandbox.ask("/action_attempts/get", **asked)["action_attempt"]["status"] == "success"


def test_update_that_the_device_does_not_take(sandbox: Sandbox) -> None:
    """An error and its event, once; the requested state is shown as pending; Seam goes on trying until it is taken."""
    sandbox.arrange("POST", "/sandbox/settings", {"set_again_seconds": 0.05})
    try:
        device_id = sandbox.door(code_flags={"is_extendable": True}, updates_fail=True)
        code = set_code(sandbox, device_id)
        code_id = code["access_code_id"]
        attempt = sandbox.ask("/access_codes/update", access_code_id=code_id, ends_at=in_days(6, "10:00:00"))
        asked = {"action_attempt_id": attempt["action_attempt"]["action_attempt_id"]}
        wait_until(lambda: sandbox.code(code_id)["errors"])
        changed = sandbox.code(code_id)
        assert [error["error_code"] for error in changed["errors"]] == ["failed_to_update"]
        [pending] = changed["pending_mutations"]
        assert (pending["mutation_code"], pending["from"]["ends_at"]) == ("updating_time_frame", code["ends_at"])
        assert sandbox.ask("/action_attempts/get", **asked)["action_attempt"]["error"]["type"] == "failed_to_update"

        sandbox.arrange("PATCH", f"/sandbox/devices/{device_id}", {"updates_fail": False})
        wait_until(lambda: not sandbox.code(code_id)["pending_mutations"])
    finally:
        sandbox.arrange("POST", "/sandbox/settings", {"set_again_seconds": 60})
    assert (sandbox.code(code_id)["errors"], sandbox.code(code_id)["status"]) == ([], "set")
    assert sandbox.event_types(code_id).count("failed_to_update") == 1
    assert sandbox.event_types(code_id)[-2:] == ["time_frame_changed", "changed"]


def test_code_that_outlives_its_end(sandbox: Sandbox) -> None:
    """A removal that the device refuses after the code's end has an error of its own."""
    device_id = sandbox.door(removals_fail=True)
    code_id = set_code(sandbox, device_id)["access_code_id"]
    ended = {"simulate": "time_frame_changed", "ends_at": in_days(-1, "10:00:00")}
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", ended)
    wait_until(lambda: sandbox.code(code_id)["errors"])
    assert sandbox.code(code_id)["errors"][0]["error_code"] == "failed_to_delete"
    assert sandbox.event_types(code_id)[-1] == "failed_to_delete"


def test_what_only_seam_keeps_can_always_be_changed(sandbox: Sandbox) -> None:
    """Whether Seam manages a code, and whether changes outside of it stand, is no matter of the lock."""
    code_id = set_code(sandbox, sandbox.door())["access_code_id"]
    for name in ("is_external_modification_allowed", "allow_external_modification"):
        for value in (True, False):
            assert sandbox.ask("/access_codes/update", access_code_id=code_id, **{name: value})["ok"] is True
            assert sandbox.code(code_id)["is_external_modification_allowed"] is value
    assert sandbox.ask("/access_codes/update", access_code_id=code_id, type="time_bound")["ok"] is True
    assert sandbox.ask("/access_codes/update", access_code_id=code_id, type="ongoing")["ok"] is False
    assert sandbox.ask("/access_codes/update", access_code_id=code_id, is_managed=False)["ok"] is True
    assert sandbox.code(code_id) is None


def test_unmanaged_code(sandbox: Sandbox) -> None:
    """It is found by id, PIN and text; it can be managed again, and deleted only if its flags allow it."""
    device_id = sandbox.door()
    code = set_code(sandbox, device_id)
    code_id = code["access_code_id"]
    sandbox.ask("/access_codes/update", access_code_id=code_id, is_managed=False)
    path = "/access_codes/unmanaged"
    unmanaged = sandbox.ask(f"{path}/get", access_code_id=code_id)["access_code"]
    assert unmanaged["is_managed"] is False
    assert sandbox.ask(f"{path}/get", device_id=device_id, code=code["code"])["access_code"] == unmanaged
    assert sandbox.ask(f"{path}/list", device_id=device_id, search="bk-")["access_codes"] == [unmanaged]
    assert sandbox.ask(f"{path}/list", device_id=device_id, search="other")["access_codes"] == []
    refusal = sandbox.ask(f"{path}/delete", access_code_id=code_id)["error"]
    assert refusal["type"] == "offline_access_code_not_revocable"
    sandbox.ask(f"{path}/convert_to_managed", access_code_id=code_id)
    assert sandbox.code(code_id) == code
    assert sandbox.event_types(code_id)[-1] == "unmanaged.converted_to_managed"


def test_code_that_seam_found_on_the_lock(sandbox: Sandbox) -> None:
    """It belongs to no stay: it can be seen, neither managed nor deleted; its PIN is a secret too."""
    device_id = sandbox.door()
    made = {"device_id": device_id, "code": "4711", "name": "Cleaner"}
    found = sandbox.ask("/access_codes/simulate/create_unmanaged_access_code", **made)["access_code"]
    assert (found["type"], found["cannot_be_managed"]) == ("ongoing", True)
    assert sandbox.ask("/access_codes/unmanaged/list", device_id=device_id)["access_codes"] == [found]
    for name in ("convert_to_managed", "delete"):
        assert sandbox.ask(f"/access_codes/unmanaged/{name}", access_code_id=found["access_code_id"])["ok"] is False
    assert sandbox.event_types(found["access_code_id"]) == ["unmanaged.created"]
    assert "4711" in sandbox.look("/sandbox/secrets")["pins"]
