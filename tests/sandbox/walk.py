"""A walk through everything that the sandbox can answer, so that all of it can be judged."""

from typing import Any
from uuid import uuid4

from tests.sandbox.harness import Sandbox, in_days
from tests.support.waiting import wait_until

_FLAGS = ("is_cancellable", "is_extendable", "is_early_checkin_able", "is_overridable")
_SIMULATIONS: tuple[dict[str, Any], ...] = (
    {"simulate": "modified_external"},
    {"simulate": "modified_external", "code": "777777", "ends_at": in_days(5, "09:00:00")},
    {"simulate": "modified_external", "is_external_modification_allowed": True},
    {"simulate": "deleted_external"},
    {"simulate": "deleted_external", "is_external_modification_allowed": True},
    {"simulate": "failed_to_set"},
    {"simulate": "failed_to_issue"},
    {"simulate": "provider_issue"},
    {"simulate": "access_code_inactive"},
    {"simulate": "duplicate_code_on_device"},
    {"simulate": "no_space"},
    {"simulate": "delay_in_setting"},
    {"simulate": "delay_in_issuing"},
    {"simulate": "code_changed"},
    {"simulate": "time_frame_changed"},
    {"simulate": "removed"},
)
DEVICE_ISSUES = (
    "device_disconnected",
    "device_offline",
    "device_removed",
    "hub_disconnected",
    "insufficient_permissions",
    "missing_device_credentials",
    "device_communication_degraded",
    "device_has_flaky_connection",
    "max_access_codes_reached",
    "privacy_mode",
    "provider_issue",
    "scheduled_maintenance_window",
    "third_party_integration_detected",
    "time_zone_mismatch",
    "time_zone_unknown",
    "unreliable_online_status",
)
ACCOUNT_ISSUES = (
    "account_disconnected",
    "dormakaba_sites_disconnected",
    "account_reauthorization_requested",
    "being_deleted",
    "dormakaba_sites_unapproved",
    "provider_service_unavailable",
    "scheduled_maintenance_window",
    "setup_required",
    "unknown_issue_with_connected_account",
)


def walk(sandbox: Sandbox) -> None:
    """Ask for everything, in every state that it can be in."""
    _doors(sandbox)
    _life_of_a_code(sandbox)
    _what_outsiders_do(sandbox)
    _changes(sandbox)
    _what_the_device_refuses(sandbox)
    _unmanaged(sandbox)
    _issues_of_devices(sandbox)
    _accounts(sandbox)
    _webhooks(sandbox)
    _rest(sandbox)
    _refusals(sandbox)


def _doors(sandbox: Sandbox) -> None:
    for tod_style in ("zone", "offset_zone", "bare"):
        sandbox.door(tod_style=tod_style, prefix_field="ext", max_active_codes=3, online=False)
    device_id = sandbox.door(prefix_field="schema", custom_metadata={"unit": "101", "is_corner": True})
    for path in ("/devices/get", "/locks/get"):
        sandbox.ask(path, device_id=device_id)
    for path in ("/devices/list", "/locks/list", "/devices/list_device_providers"):
        sandbox.ask(path)
    sandbox.ask("/devices/list", limit=1)
    sandbox.ask("/devices/update", device_id=device_id, name="Room 9", custom_metadata={"unit": "9", "is_corner": None})
    sandbox.ask("/devices/get", device_id=device_id)
    sandbox.ask("/devices/update", device_id=device_id, is_managed=False)
    sandbox.ask("/devices/unmanaged/get", device_id=device_id)
    sandbox.ask("/devices/unmanaged/list")
    sandbox.ask("/devices/unmanaged/update", device_id=device_id, is_managed=True)


def _life_of_a_code(sandbox: Sandbox) -> None:
    late = sandbox.door(program_lead_seconds=3600)
    sandbox.code(sandbox.created(late)["access_code_id"])
    failing = sandbox.door(no_slot_behaviour="fail_later")
    code_id = sandbox.created(failing, starts_at=in_days(2, "08:00:00"))["access_code_id"]
    wait_until(lambda: sandbox.code(code_id)["errors"])
    device_id = sandbox.door()
    for door in (late, failing, device_id):
        answer = sandbox.create(door).json()
        attempt_id = answer["action_attempt"]["action_attempt_id"]
        sandbox.ask("/action_attempts/get", action_attempt_id=attempt_id)
        if door == device_id:
            sandbox.wait_for_status(answer["access_code"]["access_code_id"], "set")
        sandbox.ask("/action_attempts/get", action_attempt_id=attempt_id)
        sandbox.ask("/action_attempts/list", device_id=door)
        sandbox.codes(door)
    sandbox.ask("/access_codes/list", device_id=device_id, limit=1)


def _what_outsiders_do(sandbox: Sandbox) -> None:
    for what in _SIMULATIONS:
        device_id = sandbox.door()
        code_id = sandbox.created(device_id)["access_code_id"]
        sandbox.wait_for_status(code_id, "set")
        sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", what)
        sandbox.code(code_id)
        sandbox.codes(device_id)
        sandbox.ask("/action_attempts/list", device_id=device_id)


def _changes(sandbox: Sandbox) -> None:
    device_id = sandbox.door(code_flags=dict.fromkeys(_FLAGS, True))
    code_id = sandbox.wait_for_status(sandbox.created(device_id)["access_code_id"], "set")["access_code_id"]
    sandbox.ask("/access_codes/update", access_code_id=code_id, name="BK-2", ends_at=in_days(6, "10:00:00"))
    sandbox.code(code_id)
    wait_until(lambda: not sandbox.code(code_id)["pending_mutations"])
    sandbox.ask("/action_attempts/list", device_id=device_id)
    sandbox.ask("/access_codes/delete", access_code_id=code_id)
    sandbox.code(code_id)
    wait_until(lambda: sandbox.code(code_id) is None)
    sandbox.ask("/action_attempts/list", device_id=device_id)


def _what_the_device_refuses(sandbox: Sandbox) -> None:
    device_id = sandbox.door(code_flags=dict.fromkeys(_FLAGS, True), updates_fail=True, removals_fail=True)
    code_id = sandbox.wait_for_status(sandbox.created(device_id)["access_code_id"], "set")["access_code_id"]
    sandbox.ask("/access_codes/update", access_code_id=code_id, name="BK-2")
    wait_until(lambda: sandbox.code(code_id)["errors"])
    sandbox.ask("/action_attempts/list", device_id=device_id)
    sandbox.ask("/access_codes/delete", access_code_id=code_id)
    wait_until(lambda: len(sandbox.code(code_id)["errors"]) == 2)
    sandbox.ask("/action_attempts/list", device_id=device_id)
    code_id = sandbox.wait_for_status(sandbox.created(device_id)["access_code_id"], "set")["access_code_id"]
    ended = {"simulate": "time_frame_changed", "ends_at": in_days(-1, "10:00:00")}
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", ended)
    wait_until(lambda: sandbox.code(code_id)["errors"])


def _unmanaged(sandbox: Sandbox) -> None:
    for flags in ({}, {"is_cancellable": True}):
        device_id = sandbox.door(code_flags=flags)
        code_id = sandbox.wait_for_status(sandbox.created(device_id)["access_code_id"], "set")["access_code_id"]
        sandbox.ask("/access_codes/update", access_code_id=code_id, is_managed=False)
        found = {"code": "1234", "device_id": device_id, "name": "Cleaner"}
        sandbox.ask("/access_codes/simulate/create_unmanaged_access_code", **found)
        sandbox.ask("/access_codes/unmanaged/get", access_code_id=code_id)
        sandbox.ask("/access_codes/unmanaged/list", device_id=device_id)
        sandbox.ask("/access_codes/unmanaged/convert_to_managed", access_code_id=code_id)
        sandbox.ask("/access_codes/update", access_code_id=code_id, is_managed=False)
        sandbox.ask("/access_codes/unmanaged/update", access_code_id=code_id, is_managed=True)
        sandbox.ask("/access_codes/update", access_code_id=code_id, is_managed=False)
        sandbox.ask("/access_codes/unmanaged/delete", access_code_id=code_id)
        if not flags:
            sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", {"simulate": "removed"})


def _issues_of_devices(sandbox: Sandbox) -> None:
    for code in DEVICE_ISSUES:
        device_id = sandbox.door()
        code_id = sandbox.wait_for_status(sandbox.created(device_id)["access_code_id"], "set")["access_code_id"]
        sandbox.arrange("POST", f"/sandbox/devices/{device_id}/issues", {"code": code})
        _look(sandbox, device_id, code_id)
        sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", {"simulate": "failed_to_set"})
        sandbox.ask("/devices/update", device_id=device_id, is_managed=False)
        sandbox.ask("/devices/unmanaged/get", device_id=device_id)
        sandbox.ask("/access_codes/unmanaged/list", device_id=device_id)
        sandbox.arrange("DELETE", f"/sandbox/devices/{device_id}/issues/{code}")
    unmanaged = sandbox.door()
    sandbox.ask("/devices/update", device_id=unmanaged, is_managed=False)
    sandbox.arrange("POST", f"/sandbox/devices/{unmanaged}/issues", {"code": "device_disconnected"})
    device_id = sandbox.door()
    for path in ("disconnect", "connect", "remove"):
        sandbox.ask(f"/devices/simulate/{path}", device_id=device_id)
        sandbox.ask("/devices/get", device_id=device_id)


def _accounts(sandbox: Sandbox) -> None:
    for code in ACCOUNT_ISSUES:
        account = {"connected_account_id": str(uuid4())}
        sandbox.arrange("POST", "/sandbox/connected_accounts", {**account, "customer_key": "customer-1"})
        sandbox.ask("/connected_accounts/update", **account, custom_metadata={"region": "west"})
        device_id = sandbox.door(**account)
        code_id = sandbox.created(device_id)["access_code_id"]
        path = f"/sandbox/connected_accounts/{account['connected_account_id']}/issues"
        sandbox.arrange("POST", path, {"code": code})
        sandbox.ask("/connected_accounts/get", **account)
        sandbox.ask("/connected_accounts/list")
        _look(sandbox, device_id, code_id)
        sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", {"simulate": "failed_to_set"})
        sandbox.arrange("DELETE", f"{path}/{code}")
        sandbox.ask("/connected_accounts/sync", **account)
        sandbox.ask("/connected_accounts/simulate/disconnect", **account)
        sandbox.ask("/connected_accounts/delete", **account)


def _look(sandbox: Sandbox, device_id: str, code_id: str) -> None:
    sandbox.ask("/devices/get", device_id=device_id)
    sandbox.code(code_id)
    sandbox.codes(device_id)


def _webhooks(sandbox: Sandbox) -> None:
    webhook_id = sandbox.ask("/webhooks/create", url="http://127.0.0.1:9/x")["webhook"]["webhook_id"]
    sandbox.ask("/webhooks/get", webhook_id=webhook_id)
    sandbox.ask("/webhooks/list")
    sandbox.ask("/webhooks/update", webhook_id=webhook_id, event_types=["access_code.created"])
    sandbox.ask("/webhooks/delete", webhook_id=webhook_id)
    sandbox.ask("/webhooks/get", webhook_id=webhook_id)


def _rest(sandbox: Sandbox) -> None:
    sandbox.ask("/events/get", event_id=sandbox.events()[0]["event_id"])
    sandbox.ask("/workspaces/get")
    sandbox.ask("/workspaces/list")


def _refusals(sandbox: Sandbox) -> None:
    device_id = sandbox.door()
    sandbox.create(device_id, starts_at="soon")
    sandbox.create(device_id, starts_at=in_days(2, "03:00:00"))
    for _ in range(11):
        sandbox.create(device_id)
    code_id = sandbox.codes(device_id)[0]["access_code_id"]
    sandbox.ask("/access_codes/delete", access_code_id=code_id)
    sandbox.ask("/access_codes/update", access_code_id=code_id, name="BK-3")
    sandbox.ask("/access_codes/pull_backup_access_code", access_code_id=code_id)
    sandbox.ask("/access_codes/create_multiple", device_ids=[device_id])
    sandbox.ask("/access_codes/update_multiple", common_code_key="none")
    sandbox.ask("/devices/report_provider_metadata", devices=[])
    sandbox.ask("/devices/simulate/paid_subscription", device_id=device_id, is_expired=True)
    sandbox.ask("/locks/configure_auto_lock", device_id=device_id, auto_lock_enabled=True)
    sandbox.ask("/locks/simulate/keypad_code_entry", device_id=device_id, code="1234")
    for path in (
        "/access_codes/generate_code",
        "/access_codes/report_device_constraints",
        "/devices/simulate/connect_to_hub",
        "/devices/simulate/disconnect_from_hub",
        "/locks/lock_door",
        "/locks/unlock_door",
        "/locks/simulate/manual_lock_via_keypad",
    ):
        sandbox.ask(path, device_id=device_id)
