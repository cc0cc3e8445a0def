"""Which error each status and type of Seam's error becomes: one table, by endpoint."""

import ast
from pathlib import Path
from typing import Any

import pytest

from shared.seam.errors import (
    CreateNotFound,
    NoSuchAccessCode,
    NoSuchAccount,
    NoSuchDevice,
    RateLimited,
    Refused,
    SeamError,
    Unauthorized,
    UnexpectedNotFound,
    UnnamedNotFound,
    Unreachable,
)
from shared.seam.refusals import ENDPOINTS, Reply, refusal_of
from tests.worker.seam import answering

TYPES = (
    "device_not_found",
    "access_code_not_found",
    "unmanaged_access_code_not_found",
    "not_found",
    "unknown_endpoint",
    "event_not_found",
    "webhook_not_found",
    "Device_Not_Found",
    None,
)
READS = (
    "/devices/get",
    "/devices/list",
    "/access_codes/get",
    "/access_codes/list",
    "/access_codes/unmanaged/get",
    "/access_codes/unmanaged/list",
    "/action_attempts/get",
    "/connected_accounts/get",
    "/events/list",
    "/webhooks/list",
)
REPEATABLE = ("/access_codes/update", "/access_codes/delete")
CREATES = ("/access_codes/create", "/webhooks/create")
# Any other combination is unexpected.
MEANT: dict[tuple[str, str | None], type[SeamError]] = {
    ("/devices/get", "device_not_found"): NoSuchDevice,
    ("/devices/get", "not_found"): UnnamedNotFound,
    ("/connected_accounts/get", "connected_account_not_found"): NoSuchAccount,
    ("/access_codes/list", "device_not_found"): NoSuchDevice,
    ("/access_codes/unmanaged/list", "device_not_found"): NoSuchDevice,
    ("/access_codes/create", "device_not_found"): NoSuchDevice,
    ("/access_codes/get", "access_code_not_found"): NoSuchAccessCode,
    ("/access_codes/get", "not_found"): UnnamedNotFound,
    ("/access_codes/unmanaged/get", "unmanaged_access_code_not_found"): NoSuchAccessCode,
    ("/access_codes/unmanaged/get", "access_code_not_found"): NoSuchAccessCode,
    ("/access_codes/unmanaged/get", "not_found"): UnnamedNotFound,
    ("/access_codes/update", "access_code_not_found"): NoSuchAccessCode,
    ("/access_codes/delete", "access_code_not_found"): NoSuchAccessCode,
}


def judged(path: str, status: int, error_type: str | None) -> SeamError:
    """Return the error for an answer of this endpoint."""
    return refusal_of(Reply(path=path, status=status, error_type=error_type), is_read=path in READS)


def test_every_endpoint_that_is_called_is_in_the_table(project: Path) -> None:
    """Every endpoint that is called is in the table of 404s, and in the tables of this test."""
    called = {
        node.value
        for package in ("worker", "shared/seam")
        for path in (project / package).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        for node in call.args
        # A path in a comparison isn't a call.
        if getattr(call.func, "attr", "") != "endswith"
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if node.value.startswith("/") and node.value.count("/") >= 2 and ":" not in node.value
        # The sandbox's control endpoints aren't part of Seam.
        if not node.value.startswith("/sandbox/")
    }
    assert "/access_codes/create" in called
    assert called <= set(ENDPOINTS)
    assert {*READS, *REPEATABLE, *CREATES} == set(ENDPOINTS)


@pytest.mark.parametrize("error_type", TYPES, ids=str)
@pytest.mark.parametrize("path", [*READS, *REPEATABLE, *CREATES])
def test_every_404(path: str, error_type: str | None) -> None:
    """By the endpoint and the type. Any other is tried again; a create only after a look."""
    unexpected = CreateNotFound if path in CREATES else UnexpectedNotFound
    assert type(judged(path, 404, error_type)) is MEANT.get((path, error_type), unexpected)


@pytest.mark.parametrize("path", [*READS, *REPEATABLE, *CREATES])
def test_every_405(path: str) -> None:
    """An endpoint that doesn't accept POST doesn't exist for us, whatever the body says."""
    unexpected = CreateNotFound if path in CREATES else UnexpectedNotFound
    assert type(judged(path, 405, "device_not_found")) is unexpected
    assert type(judged(path, 405, None)) is unexpected


OTHERS: list[Any] = [
    (400, Refused),
    (401, Unauthorized),
    (403, Unauthorized),
    (408, Unreachable),
    (409, Refused),
    (410, Refused),
    (422, Refused),
    (425, Unreachable),
    (429, RateLimited),
]


@pytest.mark.parametrize(("status", "kind"), OTHERS)
@pytest.mark.parametrize("path", [*READS, *REPEATABLE, *CREATES])
def test_every_other_status(path: str, status: int, kind: type[SeamError]) -> None:
    """The type changes nothing: `device_not_found` with a 400 is a refusal, not a missing door."""
    for error_type in ("device_not_found", None):
        assert type(judged(path, status, error_type)) is kind


@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"error": "device_not_found"}', '{"type": "device_not_found"}'])
def test_a_404_without_an_error_of_seam(body: str) -> None:
    """A proxy's page says nothing about a door. The text has the endpoint and the request id."""
    client = answering(404, body, {"seam-request-id": "r-1"})
    with pytest.raises(UnexpectedNotFound, match=r"^/devices/get: HTTP 404 unknown: .* \(request r-1\)$"):
        client.read("/devices/get", {})
    with pytest.raises(CreateNotFound, match=r"^/access_codes/create: HTTP 404 unknown: .* \(request r-1\)$"):
        client.change("/access_codes/create", {})


def test_an_unexpected_type_of_404() -> None:
    """The type is named, its digits masked."""
    body = '{"error": {"type": "unknown_endpoint_739158", "message": "No 739158"}, "ok": false}'
    with pytest.raises(UnexpectedNotFound, match=r"^/access_codes/unmanaged/list: HTTP 404 unknown_endpoint_######: "):
        answering(404, body).read("/access_codes/unmanaged/list", {})


def test_an_endpoint_that_is_not_in_the_table() -> None:
    """Its 404s prove nothing, and it may create something."""
    body = '{"error": {"type": "device_not_found", "message": ""}, "ok": false}'
    with pytest.raises(UnexpectedNotFound):
        answering(404, body).read("/path", {})
    with pytest.raises(CreateNotFound):
        answering(404, body).change("/path", {})
