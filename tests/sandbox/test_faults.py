"""What a caller experiences under each fault, seen through httpx, and whether the call had its effect."""

import signal
import threading
import time
from typing import Any

import httpx
import pytest

from tests.sandbox.harness import Sandbox
from tests.support.waiting import wait_until

CREATE = "access_codes.create"


@pytest.fixture
def device_id(sandbox: Sandbox) -> str:
    """Add a door for one test."""
    return sandbox.door()


@pytest.mark.parametrize(
    ("kind", "more", "status", "error_type", "codes"),
    [
        ("refuse", {}, 400, "invalid_input", 0),
        ("refuse", {"status": 409, "error_type": "duplicate_access_code"}, 409, "duplicate_access_code", 0),
        ("error_before", {}, 500, "internal_server_error", 0),
        ("error_after", {"status": 503}, 503, "internal_server_error", 1),
        ("rate_limit", {"retry_after": 3}, 429, "rate_limit_exceeded", 0),
    ],
)  # fmt: skip
def test_error_answers(
    sandbox: Sandbox,
    device_id: str,
    *,
    kind: str,
    more: dict[str, Any],
    status: int,
    error_type: str,
    codes: int,
) -> None:
    """Seam's error shape; ``_after`` had its effect; the next call is well again."""
    sandbox.fault(CREATE, kind, device_id=device_id, **more)
    answer = sandbox.create(device_id)

    assert (answer.status_code, answer.json()["error"]["type"]) == (status, error_type)
    assert answer.headers.get("retry-after") == ("3" if more.get("retry_after") else None)
    assert len(sandbox.codes(device_id)) == codes
    assert sandbox.create(device_id).status_code == 200


def test_endpoint_that_seam_does_not_have(sandbox: Sandbox, device_id: str) -> None:
    """A known endpoint answers like an unknown one: 404 in Seam's error shape, until the fault is removed."""
    path, asked = "/access_codes/unmanaged/list", {"device_id": device_id}
    fault = sandbox.fault("access_codes.unmanaged.list", "unknown_endpoint", times=None)
    for known in (path, "/access_codes/nothing/here"):
        answer = sandbox.api.get(known, params=asked)
        assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found")
        assert answer.json().keys() == {"error", "ok"}
    sandbox.arrange("DELETE", f"/sandbox/faults/{fault['fault_id']}")
    assert sandbox.api.get(path, params=asked).status_code == 200


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("disconnect_before", 0),
        ("disconnect_after", 1),
        ("timeout_before", 0),
        ("timeout_after", 1),
        ("truncated", 1),
    ],
)
def test_broken_connections(sandbox: Sandbox, device_id: str, kind: str, codes: int) -> None:
    """The connection really is closed: no status, no 500 in its place."""
    sandbox.fault(CREATE, kind, device_id=device_id, seconds=0.1)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        sandbox.create(device_id)
    assert len(sandbox.codes(device_id)) == codes


def test_timeout_outlasts_the_callers_patience(sandbox: Sandbox, device_id: str) -> None:
    """The caller's own timeout is what ends the wait."""
    sandbox.fault(CREATE, "timeout_after", device_id=device_id)
    sandbox.api.timeout = httpx.Timeout(0.2)
    with pytest.raises(httpx.ReadTimeout):
        sandbox.create(device_id)
    sandbox.api.timeout = httpx.Timeout(20)
    assert len(sandbox.codes(device_id)) == 1


def test_answers_that_make_no_sense(sandbox: Sandbox, device_id: str) -> None:
    """Garbage with a 200, though the code exists; and a proxy's HTML page, where it doesn't."""
    sandbox.fault(CREATE, "garbage", device_id=device_id)
    answer = sandbox.create(device_id)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"codec|Expecting"):
        answer.json()
    sandbox.fault(CREATE, "html_502", device_id=device_id)
    answer = sandbox.create(device_id)
    assert answer.status_code == 502
    assert answer.headers["content-type"] == "text/html"
    assert len(sandbox.codes(device_id)) == 1


def test_slow(sandbox: Sandbox, device_id: str) -> None:
    """The true answer, late."""
    sandbox.fault("devices.get", "slow", device_id=device_id, seconds=0.2)
    answer = sandbox.api.get("/devices/get", params={"device_id": device_id})
    assert (answer.status_code, answer.elapsed.total_seconds() > 0.19) == (200, True)


def test_stale_list(sandbox: Sandbox, device_id: str) -> None:
    """A list that doesn't know the newest codes yet; a second look does."""
    sandbox.created(device_id)
    sandbox.fault("access_codes.list", "stale_list", device_id=device_id, seconds=30)
    assert sandbox.codes(device_id) == []
    assert len(sandbox.codes(device_id)) == 1


def test_which_calls_are_concerned(sandbox: Sandbox, device_id: str) -> None:
    """Operation, door and name select; the rest is untouched; the count tells how often."""
    fault = sandbox.fault(CREATE, "refuse", times=None, device_id=device_id, name_prefix="BK-9")
    assert sandbox.create(device_id, name="BK-10").status_code == 200
    assert sandbox.create(sandbox.door(), name="BK-9").status_code == 200
    assert sandbox.codes(device_id)
    assert sandbox.create(device_id, name="BK-99").status_code == 400
    assert sandbox.create(device_id, name="BK-9").status_code == 400

    listed = {found["fault_id"]: found for found in sandbox.look("/sandbox/faults")["faults"]}
    assert listed[fault["fault_id"]]["fired"] == 2
    sandbox.arrange("DELETE", f"/sandbox/faults/{fault['fault_id']}")
    assert sandbox.create(device_id, name="BK-9").status_code == 200


@pytest.mark.parametrize("operation", ["*", "access_codes.*"])
def test_wildcards_and_code_names(sandbox: Sandbox, device_id: str, operation: str) -> None:
    """A call that names a code is about that code's door and name."""
    code_id = sandbox.created(device_id, name="BK-W1")["access_code_id"]
    sandbox.fault(operation, "error_before", name_prefix="BK-W", device_id=device_id)
    asked = {"access_code_id": code_id}
    assert sandbox.api.get("/access_codes/get", params=asked).status_code == 500
    assert sandbox.api.get("/access_codes/get", params=asked).status_code == 200


def test_probability_is_repeatable(sandbox: Sandbox, device_id: str) -> None:
    """With a seed, the same calls fail again."""

    def statuses() -> list[int]:
        fault = sandbox.fault("devices.get", "error_before", times=None, probability=0.5, seed=7)
        asked = {"device_id": device_id}
        found = [sandbox.api.get("/devices/get", params=asked).status_code for _ in range(12)]
        sandbox.arrange("DELETE", f"/sandbox/faults/{fault['fault_id']}")
        return found

    first = statuses()
    assert set(first) == {200, 500}
    assert statuses() == first


def test_requests_show_the_fault(sandbox: Sandbox, device_id: str) -> None:
    """The log has every call, answered or not, with what befell it."""
    sandbox.fault(CREATE, "disconnect_after", device_id=device_id)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        sandbox.create(device_id, name="BK-log")
    answer = sandbox.create(device_id, name="BK-log")
    asked = {"device_id": device_id, "path": "/access_codes/create"}
    lost, answered = sandbox.look("/sandbox/requests", **asked)["requests"]

    assert (lost["status"], lost["fault"]) == (0, "disconnect_after")
    assert lost["access_code_id"] in {c["access_code_id"] for c in sandbox.codes(device_id)}
    assert (answered["status"], answered["fault"]) == (200, None)
    assert answered["params"]["name"] == "BK-log"
    assert answered["request_id"] == answer.headers["seam-request-id"]


@pytest.mark.parametrize("kind", ["http_503", "disconnect"])
def test_outage(sandbox: Sandbox, kind: str) -> None:
    """The API is down for everyone, the control endpoints aren't."""
    sandbox.arrange("POST", "/sandbox/outage", {"on": True, "kind": kind})
    if kind == "http_503":
        assert sandbox.api.get("/health").status_code == 503
    else:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            sandbox.api.get("/devices/list")
    sandbox.arrange("POST", "/sandbox/outage", {"on": False})
    assert sandbox.api.get("/devices/list").status_code == 200


def test_ends_within_two_seconds_of_sigterm() -> None:
    """Held calls, slow calls and idle connections don't keep it."""
    with Sandbox("--step", "5") as running:
        running.fault("devices.list", "timeout_before")
        running.fault("devices.get", "slow", seconds=30)
        running.look("/sandbox/stats")

        def ask(path: str) -> None:
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                running.api.get(path).raise_for_status()

        paths = ("/devices/list", "/devices/get?device_id=11111111-1111-1111-1111-444444444444")
        threads = [threading.Thread(target=ask, args=(path,)) for path in paths]
        for thread in threads:
            thread.start()
        wait_until(lambda: all(f["fired"] for f in running.look("/sandbox/faults")["faults"]))
        started = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        running.process.wait(timeout=10)
        took = time.monotonic() - started
        for thread in threads:
            thread.join()
    assert took < 2
