"""The judge of the sandbox's answers: what is wrong, it must notice, or its verdicts are worth nothing."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.harness import Sandbox
from tests.sandbox.judged import run_with_sdk

Change = Callable[[Any], object]
ERROR = {"error_code": "provider_issue", "message": "m", "is_access_code_error": True, "created_at": None}
EXTERNAL = {**ERROR, "error_code": "conflicting_external_modification", "change_type": "modified"}

# What is done to an honest answer, and what the judge must say of it (nothing: it is honest still).
WRONGS: list[tuple[str, Change, str]] = [
    ("nothing at all", lambda _: None, ""),
    ("an optional field is away", lambda code: code.pop("is_backup"), ""),
    ("an optional field is null", lambda code: code.update(starts_at=None), ""),
    ("a known error", lambda code: code.update(errors=[ERROR]), ""),
    ("a known field of it", lambda code: code.update(errors=[{**EXTERNAL, "modified_fields": []}]), ""),
    ("a field is missing", lambda code: code.pop("device_id"), "device_id: missing"),
    ("a field is null", lambda code: code.update(device_id=None), "device_id: None is not of type str"),
    ("a field is unknown", lambda code: code.update(surprise=1), "surprise: the schema of AccessCode doesn't know"),
    ("a number for a text", lambda code: code.update(name=7), "name: 7 is not of type str"),
    ("a boolean for a number", lambda code: code["dormakaba_oracode_metadata"].update(stay_id=True), "stay_id: True"),
    ("an unknown status", lambda code: code.update(status="ready"), "status: 'ready' is none of"),
    (
        "an unknown error",
        lambda code: code.update(errors=[{"error_code": "odd"}]),
        "the schema has no variant",
    ),
    ("a bare error", lambda code: code.update(errors=["odd"]), "errors[0]: 'odd'"),
    ("errors in no list", lambda code: code.update(errors={}), "errors: {} is not a list"),
    (
        "a name for an object",
        lambda code: code.update(errors=[{**EXTERNAL, "modified_fields": ["code"]}]),
        "errors[0].modified_fields[0]: 'code' is not an object",
    ),
    ("a managed code that isn't", lambda code: code.update(is_managed=False), "is_managed: False is none of (True,)"),
    ("no UUID", lambda code: code.update(device_id="door"), "device_id: 'door' is not a UUID"),
    ("no instant", lambda code: code.update(created_at="today"), "created_at: 'today' is not an ISO 8601"),
    ("an object for a code", lambda code: code.clear(), "access_code_id: missing"),
]

ENVELOPES: list[tuple[dict[str, Any], str]] = [
    ({"status": 200, "body": {"access_code": ..., "ok": True}}, ""),
    ({"status": 200, "body": {"access_code": ...}}, ".ok: None, not true"),
    ({"status": 200, "body": {"ok": True}}, ".access_code: missing"),
    ({"status": 200, "body": {"access_code": ..., "ok": True, "more": 1}}, ".more: neither the SDK nor"),
    ({"status": 200, "body": []}, "[] is not an object"),
    ({"status": 404, "body": {"error": {"type": "x", "message": "y"}, "ok": False}}, ""),
    ({"status": 404, "body": {"error": {"type": "x"}, "ok": False}}, ".error.message: None"),
    ({"status": 400, "body": {"error": {"type": "invalid_input", "message": "y"}, "ok": False}}, "validation_errors"),
    ({"status": 404, "body": {"detail": "Not Found"}}, "without Seam's error body"),
]

EVENTS: list[tuple[Change, str]] = [
    (lambda _: None, ""),
    (lambda event: event.update(event_type="access_code.invented"), "the schema has no variant"),
    (lambda event: event.pop("occurred_at"), "occurred_at: missing"),
    (lambda event: event.update(pin="1234"), "pin: the schema of AccessCodeCreatedEvent doesn't know"),
    (lambda event: event.update(event_type="access_code.failed_to_update"), "access_code_errors: missing"),
]


@pytest.fixture(scope="module")
def honest(shared_sandbox: Sandbox) -> Any:
    """Return an access code as the sandbox serves it."""
    return shared_sandbox.code(shared_sandbox.created(shared_sandbox.door())["access_code_id"])


def test_every_wrong_is_noticed(honest: Any) -> None:
    """Each change is found out, and nothing else is complained of."""
    lines = []
    for _, change, _ in WRONGS:
        code = json.loads(json.dumps(honest))
        change(code)
        lines.append({"path": "/access_codes/get", "status": 200, "body": {"access_code": code, "ok": True}})
    _compare(lines, [(name, wanted) for name, _, wanted in WRONGS])


def test_envelopes(honest: Any) -> None:
    """``ok``, the key of the answer and Seam's error body are held too."""
    lines = []
    for line, _ in ENVELOPES:
        body = line["body"]
        if isinstance(body, dict):
            body = {name: honest if value is ... else value for name, value in body.items()}
        lines.append({"path": "/access_codes/get", "status": line["status"], "body": body})
    _compare(lines, [(str(line), wanted) for line, wanted in ENVELOPES])


def test_events(shared_sandbox: Sandbox, honest: Any) -> None:
    """An event is judged by its type, one that isn't released by the nearest that is."""
    [event] = shared_sandbox.events(access_code_id=honest["access_code_id"], event_type="access_code.created")
    lines = []
    for change, _ in EVENTS:
        changed = dict(event)
        change(changed)
        lines.append({"event": changed})
    _compare(lines, [(wanted, wanted) for _, wanted in EVENTS])


def _compare(lines: list[dict[str, Any]], wanted: list[tuple[str, str]]) -> None:
    found = run_with_sdk("judge", sent="\n".join(json.dumps(line) for line in lines))["violations"]
    for (name, problem), violations in zip(wanted, found, strict=True):
        if problem:
            assert any(problem in violation for violation in violations), (name, violations)
        else:
            assert violations == [], name
