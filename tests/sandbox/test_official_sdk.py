"""The vendor's own Python SDK against the sandbox: if it is content, the shapes are right."""

from typing import Any

import pytest

from deploy.sandbox.api.operations import OPERATIONS
from tests.sandbox.harness import API_KEY, Sandbox, in_days
from tests.sandbox.judged import run_with_sdk


@pytest.fixture(scope="module")
def seen(shared_sandbox: Sandbox) -> dict[str, Any]:
    """Run a whole session of the SDK; return its report."""
    device_id, full = shared_sandbox.door(name="SDK door"), shared_sandbox.door()
    for _ in range(10):
        shared_sandbox.created(full)
    window = (in_days(2, "15:45:00", offset="Z"), in_days(5, "10:15:00", offset="Z"))
    report: dict[str, Any] = run_with_sdk("session", shared_sandbox.url, API_KEY, device_id, full, *window)
    return report


def test_devices(seen: dict[str, Any]) -> None:
    """Listed, paged and read, with typed metadata."""
    assert seen["devices"] == seen["locks"] == seen["paged_devices"] >= 7
    assert (seen["device_name"], seen["can_program"]) == ("SDK door", True)
    assert seen["slots"] == ["Guest"]


def test_codes(seen: dict[str, Any]) -> None:
    """Created with the slot's times, read back, listed, paged."""
    code_id, starts_at, status = seen["created"]
    assert (starts_at, status) == (in_days(2, "16:00:00.000", offset="Z"), "unset")
    assert seen["read"] == [code_id, "BK-SDK", True]
    assert seen["mutations"] == ["creating"]
    assert seen["listed"] == seen["paged"] == [code_id, seen["second"]]


def test_events_and_webhooks(seen: dict[str, Any]) -> None:
    """Events have types; a new webhook has a secret."""
    assert "access_code.created" in seen["events"]
    assert seen["webhook"] == "whsec_"


@pytest.mark.parametrize(
    ("call", "error_class", "code", "status"),
    [
        ("no_slot", "SeamHttpInvalidInputError", "invalid_input", 400),
        ("bad_field", "SeamHttpInvalidInputError", "invalid_input", 400),
        ("not_found", "SeamHttpApiError", "access_code_not_found", 404),
        ("too_many", "SeamHttpApiError", "rate_limit_exceeded", 429),
        ("undeletable", "SeamHttpApiError", "offline_access_code_not_revocable", 400),
        ("unchangeable", "SeamHttpInvalidInputError", "invalid_input", 400),
        ("stranger", "SeamHttpUnauthorizedError", "unauthorized", 401),
    ],
)
def test_typed_errors(seen: dict[str, Any], call: str, error_class: str, code: str, status: int) -> None:
    """Every refusal is an error that the SDK knows, with the request id."""
    refusal = seen[call]
    assert (refusal["class"], refusal["code"], refusal["status"]) == (error_class, code, status)
    assert refusal["request_id"]
    if call == "bad_field":
        assert refusal["fields"] == ["starts_at"]
    if call == "no_slot":
        assert refusal["message"] == "no time slots found"


# Calls that no Oracode door can serve, with what Seam's stand-in answers to them.
UNSERVED = {
    "/access_codes/create_multiple": "400 invalid_input",
    "/access_codes/generate_code": "400 invalid_input",
    "/access_codes/pull_backup_access_code": "400 invalid_input",
    "/access_codes/report_device_constraints": "400 invalid_input",
    "/access_codes/update_multiple": "404 access_code_not_found",
    "/devices/report_provider_metadata": "400 invalid_input",
    "/devices/simulate/connect_to_hub": "400 invalid_input",
    "/devices/simulate/disconnect_from_hub": "400 invalid_input",
    "/devices/simulate/paid_subscription": "400 invalid_input",
    "/locks/configure_auto_lock": "400 invalid_input",
    "/locks/lock_door": "400 invalid_input",
    "/locks/unlock_door": "400 invalid_input",
    "/locks/simulate/keypad_code_entry": "400 invalid_input",
    "/locks/simulate/manual_lock_via_keypad": "400 invalid_input",
}


@pytest.fixture(scope="module")
def driven() -> dict[str, Any]:
    """Make every call of the SDK that concerns doors, codes, events and webhooks; return its report."""
    with Sandbox("--step", "0.02") as sandbox:
        sandbox.arrange("POST", "/sandbox/settings", {"rate_limits": False})
        window = (in_days(2, "15:45:00", offset="Z"), in_days(5, "10:15:00", offset="Z"))
        report: dict[str, Any] = run_with_sdk("drive", sandbox.url, API_KEY, *window)
    return report


def test_no_call_of_the_sdk_is_left_out(driven: dict[str, Any]) -> None:
    """What a newer SDK adds must be served, or refused with a reason."""
    assert driven["not_driven"] == []


@pytest.mark.parametrize("path", OPERATIONS)
def test_every_call_of_the_sdk(driven: dict[str, Any], path: str) -> None:
    """Each is served with its type or refused with the reason that no Oracode door can; its raw answer is as typed."""
    call = driven["driven"][path]
    assert call["violations"] == []
    assert call["calls"] == 1
    if path in UNSERVED:
        assert call["outcome"] == UNSERVED[path]
    else:
        assert not call["outcome"].startswith(("4", "5", "empty", "DeepAttrDict"))


def test_every_paginated_list(driven: dict[str, Any]) -> None:
    """The SDK's paginator finds all pages."""
    assert driven["paged"] == dict.fromkeys(driven["paged"], True)
    assert len(driven["paged"]) == 6
