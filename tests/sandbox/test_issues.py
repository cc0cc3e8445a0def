"""Errors and warnings of doors and connected accounts: who shows them, which events tell, what waits for them."""

from typing import Any
from uuid import uuid4

import pytest

from tests.sandbox.harness import Sandbox
from tests.support.waiting import wait_until


@pytest.fixture
def account_id(sandbox: Sandbox) -> str:
    """Add a connected account for one test."""
    body = {"connected_account_id": str(uuid4()), "customer_key": "customer-1"}
    return str(sandbox.arrange("POST", "/sandbox/connected_accounts", body)["connected_account_id"])


def of_door(device_id: str) -> str:
    """Return the endpoint of a door's issues."""
    return f"/sandbox/devices/{device_id}/issues"


def of_account(account_id: str) -> str:
    """Return the endpoint of an account's issues."""
    return f"/sandbox/connected_accounts/{account_id}/issues"


def codes_of(entries: list[Any]) -> list[str]:
    """Return the codes of errors or warnings."""
    return [entry.get("error_code", entry.get("warning_code")) for entry in entries]


def types_since(sandbox: Sandbox, before: list[Any], **asked: Any) -> list[str]:
    """Return the types of the events that were not there before, in order."""
    known = {event["event_id"] for event in before}
    return [event["event_type"] for event in sandbox.events(**asked) if event["event_id"] not in known]


@pytest.mark.parametrize(
    ("code", "opened", "cleared"),
    [
        ("device_disconnected", ["device.disconnected"], ["device.connected"]),
        ("hub_disconnected", ["device.disconnected"], ["device.connected"]),
        ("device_removed", ["device.removed"], ["device.added"]),
        ("insufficient_permissions", [], []),
    ],
)
def test_error_of_a_door(sandbox: Sandbox, code: str, opened: list[str], cleared: list[str]) -> None:
    """The door shows it and its codes inherit it; events tell where Seam has one; then all is well again."""
    device_id = sandbox.door()
    code_id = sandbox.wait_for_status(sandbox.created(device_id)["access_code_id"], "set")["access_code_id"]
    before = sandbox.events(device_id=device_id)
    shown = sandbox.arrange("POST", of_door(device_id), {"code": code, "message": "It is away."})
    sandbox.arrange("POST", of_door(device_id), {"code": code})

    device = sandbox.ask("/devices/get", device_id=device_id)["device"]
    assert device["errors"] == sandbox.code(code_id)["errors"] == shown["errors"]
    assert (codes_of(device["errors"]), device["errors"][0]["message"]) == ([code], "It is away.")
    assert types_since(sandbox, before, device_id=device_id) == opened

    before = sandbox.events(device_id=device_id)
    sandbox.arrange("DELETE", f"{of_door(device_id)}/{code}")
    assert sandbox.ask("/devices/get", device_id=device_id)["device"]["errors"] == []
    assert sandbox.code(code_id)["errors"] == []
    assert types_since(sandbox, before, device_id=device_id) == cleared


def test_disconnected_door_is_offline(sandbox: Sandbox) -> None:
    """The event carries the error; the device says that it isn't online."""
    device_id = sandbox.door()
    assert sandbox.ask("/devices/get", device_id=device_id)["device"]["properties"]["online"] is True
    sandbox.arrange("POST", of_door(device_id), {"code": "device_disconnected"})
    [event] = sandbox.events(device_id=device_id)
    assert event["error_code"] == "device_disconnected"
    assert codes_of(event["device_errors"]) == ["device_disconnected"]
    assert sandbox.ask("/devices/get", device_id=device_id)["device"]["properties"]["online"] is False


def test_door_that_is_never_online_has_no_events(sandbox: Sandbox) -> None:
    """Seam emits none for devices that work offline: the error can only be found by reading."""
    device_id = sandbox.door(online=False)
    sandbox.arrange("POST", of_door(device_id), {"code": "device_disconnected"})
    assert codes_of(sandbox.ask("/devices/get", device_id=device_id)["device"]["errors"]) == ["device_disconnected"]
    sandbox.arrange("DELETE", f"{of_door(device_id)}/device_disconnected")
    assert sandbox.events(device_id=device_id) == []


def test_warning_of_a_door(sandbox: Sandbox) -> None:
    """Codes don't inherit warnings; the one about too many codes counts them."""
    device_id = sandbox.door(max_active_codes=2)
    code_id = sandbox.wait_for_status(sandbox.created(device_id)["access_code_id"], "set")["access_code_id"]
    for code in ("time_zone_mismatch", "max_access_codes_reached"):
        sandbox.arrange("POST", of_door(device_id), {"code": code})
    mismatch, too_many = sandbox.ask("/devices/get", device_id=device_id)["device"]["warnings"]
    assert mismatch["warning_code"] == "time_zone_mismatch"
    assert (too_many["active_access_code_count"], too_many["max_active_access_code_count"]) == (1, 2)
    assert sandbox.code(code_id)["warnings"] == sandbox.code(code_id)["errors"] == []


def test_codes_wait_for_their_door(sandbox: Sandbox) -> None:
    """A code that is created meanwhile isn't set before the error is cleared."""
    device_id = sandbox.door()
    sandbox.arrange("POST", of_door(device_id), {"code": "device_disconnected"})
    code_id = sandbox.created(device_id)["access_code_id"]

    def due_at() -> Any:
        return sandbox.look("/sandbox/access_codes", device_id=device_id)["access_codes"][0]["due_at"]

    first = due_at()
    wait_until(lambda: due_at() != first)
    assert (sandbox.code(code_id)["status"], sandbox.code(code_id)["code"]) == ("unset", None)
    sandbox.arrange("DELETE", f"{of_door(device_id)}/device_disconnected")
    sandbox.wait_for_status(code_id, "set")


def test_disconnected_account(sandbox: Sandbox, account_id: str) -> None:
    """Its doors and codes inherit the error, the codes' status is unknown; events tell of the account and the doors."""
    device_id = sandbox.door(connected_account_id=account_id)
    code_id = sandbox.wait_for_status(sandbox.created(device_id)["access_code_id"], "set")["access_code_id"]
    before = sandbox.events(connected_account_id=account_id)
    sandbox.arrange("POST", of_account(account_id), {"code": "account_disconnected"})

    account = sandbox.ask("/connected_accounts/get", connected_account_id=account_id)["connected_account"]
    device = sandbox.ask("/devices/get", device_id=device_id)["device"]
    code = sandbox.code(code_id)
    assert codes_of(account["errors"]) == codes_of(device["errors"]) == ["account_disconnected"]
    assert code["errors"] == device["errors"]
    assert (code["errors"][0]["is_connected_account_error"], code["errors"][0]["is_device_error"]) == (True, False)
    assert code["status"] == "unknown"
    types = ["connected_account.disconnected", "device.disconnected"]
    assert types_since(sandbox, before, connected_account_id=account_id) == types
    assert sandbox.events(device_id=device_id)[-1]["error_code"] == "account_disconnected"

    before = sandbox.events(connected_account_id=account_id)
    sandbox.arrange("DELETE", f"{of_account(account_id)}/account_disconnected")
    assert (sandbox.code(code_id)["status"], sandbox.code(code_id)["errors"]) == ("set", [])
    assert types_since(sandbox, before, connected_account_id=account_id) == [
        "connected_account.connected",
        "device.connected",
        "connected_account.completed_first_sync_after_reconnection",
    ]


def test_disconnected_sites_are_silent(sandbox: Sandbox, account_id: str) -> None:
    """Seam has no event for them: account, doors and codes show the error."""
    device_id = sandbox.door(connected_account_id=account_id)
    code_id = sandbox.wait_for_status(sandbox.created(device_id)["access_code_id"], "set")["access_code_id"]
    before = sandbox.events(connected_account_id=account_id)
    sandbox.arrange("POST", of_account(account_id), {"code": "dormakaba_sites_disconnected"})
    code = sandbox.code(code_id)
    assert (code["status"], codes_of(code["errors"])) == ("set", ["dormakaba_sites_disconnected"])
    assert code["errors"] == sandbox.ask("/devices/get", device_id=device_id)["device"]["errors"]
    assert types_since(sandbox, before, connected_account_id=account_id) == []


def test_warning_of_an_account(sandbox: Sandbox, account_id: str) -> None:
    """Its doors don't inherit it."""
    device_id = sandbox.door(connected_account_id=account_id)
    sandbox.arrange("POST", of_account(account_id), {"code": "dormakaba_sites_unapproved"})
    account = sandbox.ask("/connected_accounts/get", connected_account_id=account_id)["connected_account"]
    assert codes_of(account["warnings"]) == ["dormakaba_sites_unapproved"]
    device = sandbox.ask("/devices/get", device_id=device_id)["device"]
    assert device["warnings"] == device["errors"] == []


def test_events_of_codes_carry_all_issues(sandbox: Sandbox, account_id: str) -> None:
    """Those of the code, its door and its account, apart from each other."""
    device_id = sandbox.door(connected_account_id=account_id)
    code_id = sandbox.created(device_id)["access_code_id"]
    sandbox.arrange("POST", of_account(account_id), {"code": "dormakaba_sites_disconnected"})
    sandbox.arrange("POST", of_door(device_id), {"code": "device_disconnected"})
    sandbox.arrange("POST", of_door(device_id), {"code": "time_zone_mismatch"})
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", {"simulate": "failed_to_set"})
    event = sandbox.events(access_code_id=code_id)[-1]
    assert codes_of(event["access_code_errors"]) == ["failed_to_set_on_device"]
    assert codes_of(event["device_errors"]) == ["device_disconnected"]
    assert codes_of(event["device_warnings"]) == ["time_zone_mismatch"]
    assert codes_of(event["connected_account_errors"]) == ["dormakaba_sites_disconnected"]


def test_deleted_account_takes_everything_along(sandbox: Sandbox, account_id: str) -> None:
    """An event tells of each code, door and the account; Seam knows none of them any more."""
    device_id = sandbox.door(connected_account_id=account_id)
    code_id = sandbox.created(device_id)["access_code_id"]
    before = sandbox.events(connected_account_id=account_id)
    assert sandbox.ask("/connected_accounts/delete", connected_account_id=account_id)["ok"] is True
    types = ["access_code.deleted", "device.deleted", "connected_account.deleted"]
    assert types_since(sandbox, before, connected_account_id=account_id) == types
    assert sandbox.code(code_id) is None
    assert sandbox.ask("/devices/get", device_id=device_id)["error"]["type"] == "device_not_found"
    answer = sandbox.ask("/connected_accounts/get", connected_account_id=account_id)
    assert answer["error"]["type"] == "connected_account_not_found"


def test_unknown_issue_is_refused(sandbox: Sandbox, account_id: str) -> None:
    """A mistyped code must not pass for one; what isn't there can't be cleared."""
    for path in (of_door(sandbox.door()), of_account(account_id)):
        answer = sandbox.control.post(path, json={"code": "disconected"})
        assert (answer.status_code, "disconected" in answer.json()["error"]) == (400, True)
        assert sandbox.control.delete(f"{path}/account_disconnected").status_code == 404


def test_accounts_are_found(sandbox: Sandbox, account_id: str) -> None:
    """By id, by login, by customer, metadata and text."""
    sandbox.ask("/connected_accounts/update", connected_account_id=account_id, custom_metadata={"region": "w7"})

    def found(**asked: Any) -> bool:
        listed = sandbox.ask("/connected_accounts/list", **asked)["connected_accounts"]
        return account_id in {account["connected_account_id"] for account in listed}

    assert found()
    assert found(customer_key="customer-1", custom_metadata_has={"region": "w7"})
    assert found(search="w7")
    assert not found(customer_key="customer-2")
    by_email = sandbox.ask("/connected_accounts/get", email="jane@example.com")["connected_account"]
    assert by_email["user_identifier"]["email"] == "jane@example.com"
