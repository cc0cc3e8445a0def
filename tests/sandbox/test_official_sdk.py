"""The vendor's own Python SDK against the sandbox: if it is content, the shapes are right."""

from typing import Any

import pytest

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
        ("undeletable", "SeamHttpInvalidInputError", "invalid_input", 400),
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
