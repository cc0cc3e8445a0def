"""Errors and warnings of devices and accounts: opened and cleared, with the events that go with them.

Which event goes with which issue follows the descriptions of Seam's event types. Several have none:
``dormakaba_sites_disconnected``, ``time_zone_mismatch`` and ``max_access_codes_reached`` can only be found by reading.
A device that never reports to be online has no (dis)connected events either.
"""

from dataclasses import replace

from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.devices.accounts import Account
from deploy.sandbox.devices.door import Door
from deploy.sandbox.devices.issues import (
    ACCOUNT_ERRORS,
    ACCOUNT_WARNINGS,
    DEVICE_ERRORS,
    DEVICE_WARNINGS,
    Issue,
    IssueKind,
)
from deploy.sandbox.encoding import JsonObject

# The `error_code` of a `device.disconnected` event for the errors that it has a code for.
_DISCONNECTIONS = {
    "device_disconnected": "device_disconnected",
    "device_offline": "device_disconnected",
    "hub_disconnected": "hub_disconnected",
}
# Events of other issues: when one is opened and when it is cleared.
_OPENED = {
    "device_removed": "removed",
    "third_party_integration_detected": "third_party_integration_detected",
}
_CLEARED = {
    "device_removed": "added",
    "third_party_integration_detected": "third_party_integration_no_longer_detected",
    "device_has_flaky_connection": "connection_stabilized",
}


def open_device_issue(sandbox: Sandbox, door: Door, code: str, message: str | None = None) -> Door:
    """Let a device have an issue, if it hasn't already; its errors are inherited by its codes.

    `code` is one of `DEVICE_ERRORS` or `DEVICE_WARNINGS`.
    """
    if door.has(code):
        return door
    texts = {**DEVICE_ERRORS, **DEVICE_WARNINGS}
    kind = IssueKind.ERROR if code in DEVICE_ERRORS else IssueKind.WARNING
    issue = Issue(code, kind, message or texts[code], sandbox.clock(), _extra(sandbox, door, code))
    was_connected = door.is_connected
    door = sandbox.doors.put(replace(door, issues=(*door.issues, issue)))
    if code in _DISCONNECTIONS and was_connected:
        _emit_disconnected(sandbox, door, _DISCONNECTIONS[code])
    elif code == "device_has_flaky_connection":
        sandbox.device_events.of_device_with_issues(door, "connection_became_flaky")
    elif code in _OPENED:
        sandbox.device_events.of_device(door, _OPENED[code])
    return door


def clear_device_issue(sandbox: Sandbox, door: Door, code: str) -> Door:
    """Take an issue away from a device; codes that waited for it go on."""
    was_connected = door.is_connected
    door = sandbox.doors.put(replace(door, issues=tuple(each for each in door.issues if each.code != code)))
    if code in _DISCONNECTIONS and door.is_connected and not was_connected:
        _emit_connected(sandbox, door)
    elif code in _CLEARED:
        sandbox.device_events.of_device(door, _CLEARED[code])
    sandbox.lifecycle.wake(door.device_id)
    return door


def open_account_issue(sandbox: Sandbox, account: Account, code: str, message: str | None = None) -> Account:
    """Let an account have an issue, if it hasn't already; its errors are inherited by its devices and their codes.

    `code` is one of `ACCOUNT_ERRORS` or `ACCOUNT_WARNINGS`.
    """
    if account.has(code):
        return account
    texts = {**ACCOUNT_ERRORS, **ACCOUNT_WARNINGS}
    kind = IssueKind.ERROR if code in ACCOUNT_ERRORS else IssueKind.WARNING
    issue = Issue(code, kind, message or texts[code], sandbox.clock())
    account = sandbox.accounts.put(replace(account, issues=(*account.issues, issue)))
    if code == "account_disconnected":
        sandbox.device_events.of_account_with_issues(account, "disconnected")
        for door in _doors_of(sandbox, account):
            if door.is_connected:
                _emit_disconnected(sandbox, door, code)
    elif code == "account_reauthorization_requested":
        sandbox.device_events.of_account_with_issues(account, "reauthorization_requested")
    return account


def clear_account_issue(sandbox: Sandbox, account: Account, code: str) -> Account:
    """Take an issue away from an account; codes that waited for it go on."""
    kept = tuple(each for each in account.issues if each.code != code)
    account = sandbox.accounts.put(replace(account, issues=kept))
    doors = _doors_of(sandbox, account)
    if code == "account_disconnected":
        customer = {} if account.customer_key is None else {"customer_key": account.customer_key}
        sandbox.device_events.of_account(account, "connected", **customer)
        for door in doors:
            if door.is_connected:
                _emit_connected(sandbox, door)
        sandbox.device_events.of_account(account, "completed_first_sync_after_reconnection")
    for door in doors:
        sandbox.lifecycle.wake(door.device_id)
    return account


def delete_account(sandbox: Sandbox, account: Account) -> None:
    """Delete an account with all that belongs to it; nothing is taken off the locks ("Delete a Connected Account")."""
    for door in _doors_of(sandbox, account):
        for code in sandbox.codes.of_door(door.device_id):
            sandbox.lifecycle.forget(code)
        for found in sandbox.found_codes.of_door(door.device_id):
            sandbox.found_codes.remove(found.access_code_id)
        sandbox.device_events.of_device(door, "deleted", device_name=door.name)
        sandbox.doors.remove(door.device_id)
    customer = {} if account.customer_key is None else {"customer_key": account.customer_key}
    sandbox.device_events.of_account(account, "deleted", **customer)
    sandbox.accounts.remove(account.connected_account_id)


def _emit_disconnected(sandbox: Sandbox, door: Door, error_code: str) -> None:
    if door.reports_online:
        event_type = "disconnected" if door.is_managed else "unmanaged.disconnected"
        sandbox.device_events.of_device_with_issues(door, event_type, error_code=error_code)


def _emit_connected(sandbox: Sandbox, door: Door) -> None:
    if door.reports_online:
        sandbox.device_events.of_device(door, "connected" if door.is_managed else "unmanaged.connected")


def _extra(sandbox: Sandbox, door: Door, code: str) -> JsonObject:
    """Return the fields that only the warning about too many codes has."""
    if code != "max_access_codes_reached":
        return {}
    active = sandbox.codes.count_of_door(door.device_id)
    return {"active_access_code_count": active, "max_active_access_code_count": door.max_active_codes or active}


def _doors_of(sandbox: Sandbox, account: Account) -> list[Door]:
    return [door for door in sandbox.doors if door.connected_account_id == account.connected_account_id]
