"""Reading over HTTP: authentication, error bodies, devices, codes, pages, events."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import chain
from typing import Any
from uuid import UUID

import pytest

from tests.sandbox.harness import Sandbox
from tests.support.waiting import wait_until

ROOM_101 = "11111111-1111-1111-1111-444444444444"
UNKNOWN = "99999999-0000-4000-8000-000000000000"


@pytest.mark.parametrize("sent", [{}, {"authorization": "Bearer wrong"}])
def test_unauthorized(sandbox: Sandbox, sent: dict[str, str]) -> None:
    """401 in Seam's error shape, with a request id."""
    answer = sandbox.control.get("/devices/list", headers=sent)
    assert answer.status_code == 401
    assert answer.json() == {
        "error": {"type": "unauthorized", "message": "Unauthorized"},
        "ok": False,
    }
    assert str(UUID(answer.headers["seam-request-id"])) == answer.headers["seam-request-id"]


def test_health_needs_no_key(sandbox: Sandbox) -> None:
    """Anyone may ask whether it lives."""
    assert sandbox.control.get("/health").json()["ok"] is True


@pytest.mark.parametrize(("path", "status"), [("/nothing/here", 404), ("/access_codes/create", 405)])
def test_wrong_endpoint_or_method(sandbox: Sandbox, path: str, status: int) -> None:
    """Errors of the outer layer have Seam's shape too."""
    answer = sandbox.api.get(path)
    assert (answer.status_code, answer.json()["ok"]) == (status, False)


def test_get_and_post_read_alike(sandbox: Sandbox) -> None:
    """Query or JSON; ``_strict`` is accepted."""
    asked = {"device_id": ROOM_101}
    by_get = sandbox.api.get("/devices/get", params={**asked, "_strict": "true"}).json()
    assert by_get == sandbox.api.post("/devices/get", json=asked).json()
    assert sandbox.api.post("/locks/get", json=asked).json()["lock"] == by_get["device"]


def test_device_object(sandbox: Sandbox) -> None:
    """The seeded door has the fields of Seam's device resource and samples."""
    device = sandbox.api.get("/devices/get", params={"device_id": ROOM_101}).json()["device"]
    assert device["device_type"] == "dormakaba_oracode_door"
    assert device["can_program_offline_access_codes"] is True
    assert device["location"]["time_zone"] == "America/Los_Angeles"
    metadata = device["properties"]["dormakaba_oracode_metadata"]
    assert metadata["iana_timezone"] == "America/Los_Angeles"
    slots = {slot["name"]: slot for slot in metadata["predefined_time_slots"]}
    assert len(slots) == 7
    pacific = slots["Guest RCI D 3:30pm-10:30am"]
    assert pacific["check_in_time"] == "15:30:00[PST8PDT]"
    assert pacific["dormakaba_oracode_user_level_prefix"] == 0
    assert UUID(pacific["dormakaba_oracode_user_level_id"]).version


@pytest.mark.parametrize(
    ("path", "asked", "error_type"),
    [
        ("/devices/get", {"device_id": UNKNOWN}, "device_not_found"),
        ("/devices/get", {"name": "nope"}, "device_not_found"),
        ("/devices/unmanaged/get", {"device_id": ROOM_101}, "device_not_found"),
        ("/access_codes/get", {"access_code_id": UNKNOWN}, "access_code_not_found"),
        ("/access_codes/get", {"device_id": ROOM_101, "code": "nope"}, "access_code_not_found"),
        ("/access_codes/list", {"device_id": UNKNOWN}, "device_not_found"),
        ("/access_codes/unmanaged/get", {"access_code_id": UNKNOWN}, "unmanaged_access_code_not_found"),
        ("/access_codes/unmanaged/list", {"device_id": UNKNOWN}, "device_not_found"),
        ("/connected_accounts/get", {"connected_account_id": UNKNOWN}, "connected_account_not_found"),
        ("/connected_accounts/get", {"email": "nope"}, "connected_account_not_found"),
        ("/events/get", {"event_id": UNKNOWN}, "event_not_found"),
        ("/webhooks/get", {"webhook_id": "nope"}, "webhook_not_found"),
        ("/action_attempts/get", {"action_attempt_id": UNKNOWN}, "action_attempt_not_found"),
    ],
)
def test_not_found(sandbox: Sandbox, path: str, asked: dict[str, str], error_type: str) -> None:
    """404 names the resource."""
    answer = sandbox.api.get(path, params=asked)
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, error_type)


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/access_codes/list", {}),
        ("/access_codes/list", {"limit": "5"}),
        ("/devices/list", {"limit": "many"}),
        ("/devices/list", {"page_cursor": "%%%"}),
        ("/events/list", {}),
        ("/events/list", {"since": "yesterday"}),
        ("/events/list", {"between": ["2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"]}),
        ("/events/list", {"between": ["2026-01-02T00:00:00Z"]}),
        ("/events/list", {"since": "2026-01-01T00:00:00Z", "event_type": "access_code.invented"}),
        ("/events/list", {"since": "2026-01-01T00:00:00Z", "unstable_offset": "-1"}),
        ("/events/get", {"event_type": "access_code.created"}),
        ("/access_codes/get", {"device_id": ROOM_101}),
        ("/connected_accounts/get", {}),
        ("/devices/get", {}),
    ],
)
def test_unusable_question(sandbox: Sandbox, path: str, asked: dict[str, Any]) -> None:
    """400 ``invalid_input``, by GET and by POST."""
    for answer in (sandbox.api.get(path, params=asked), sandbox.api.post(path, json=asked)):
        assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_input")


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"'])
def test_unreadable_body(sandbox: Sandbox, body: bytes) -> None:
    """What isn't a JSON object is ``invalid_input``."""
    answer = sandbox.api.post("/devices/get", content=body)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_input")


def test_pages(sandbox: Sandbox) -> None:
    """The cursor walks through a list; new codes don't disturb it."""
    device_id = sandbox.door()
    made = [sandbox.created(device_id)["access_code_id"] for _ in range(5)]
    asked: dict[str, Any] = {"device_id": device_id, "limit": 2}
    pages: list[list[str]] = []
    while True:
        answer = sandbox.api.get("/access_codes/list", params=asked).json()
        pages.append([code["access_code_id"] for code in answer["access_codes"]])
        pagination = answer["pagination"]
        if not pagination["has_next_page"]:
            break
        following = sandbox.api.get(pagination["next_page_url"]).json()["access_codes"]
        assert following[0]["access_code_id"] == made[len(pages) * 2]
        asked["page_cursor"] = pagination["next_page_cursor"]
        made.append(sandbox.created(device_id)["access_code_id"])

    assert list(chain.from_iterable(pages)) == made
    assert pagination == {"next_page_cursor": None, "has_next_page": False, "next_page_url": None}


def test_search_and_ids(sandbox: Sandbox) -> None:
    """``search`` is a partial match of name, PIN or id; ids select across doors."""
    device_id = sandbox.door()
    first = sandbox.created(device_id, name="BK-77 Room")["access_code_id"]
    second = sandbox.created(device_id, name="Other")["access_code_id"]
    pin = sandbox.wait_for_status(second, "set")["code"]

    def found(**asked: Any) -> list[str]:
        answer = sandbox.api.get("/access_codes/list", params=asked).json()
        return [code["access_code_id"] for code in answer["access_codes"]]

    assert found(device_id=device_id, search="bk-77") == [first]
    assert found(device_id=device_id, search=pin) == [second]
    assert found(search=first[:20]) == [first]
    assert found(access_code_ids=[second, first, UNKNOWN]) == [first, second]
    assert found(access_grant_id=UNKNOWN) == []


def test_code_by_door_and_pin(sandbox: Sandbox) -> None:
    """The other way to name a code."""
    device_id = sandbox.door(pin_at_create=True)
    code = sandbox.created(device_id)
    asked = {"device_id": device_id, "code": code["code"]}
    answer = sandbox.api.post("/access_codes/get", json=asked).json()
    assert answer["access_code"]["access_code_id"] == code["access_code_id"]


def test_device_filters(sandbox: Sandbox) -> None:
    """Each finds the door that it describes."""

    def found(**asked: Any) -> list[str]:
        return [device["device_id"] for device in sandbox.ask("/devices/list", **asked)["devices"]]

    device_id = sandbox.door(name="Penthouse", custom_metadata={"unit": "P1", "is_corner": True})
    device = sandbox.ask("/devices/get", device_id=device_id)["device"]
    assert set(found(device_ids=[device_id, ROOM_101])) == {device_id, ROOM_101}
    assert found(device_type="dormakaba_oracode_door", search="penthouse") == [device_id]
    assert found(search=device_id[:8]) == found(search="P1") == [device_id]
    assert found(search=device_id[:3] + "~") == []
    assert found(custom_metadata_has={"unit": "P1", "is_corner": True}) == [device_id]
    assert found(custom_metadata_has={"unit": "P1", "floor": None}) == [device_id]
    assert device_id in found(connected_account_ids=[device["connected_account_id"]], manufacturer="dormakaba_oracode")
    assert device_id not in found(created_before=device["created_at"])
    assert ROOM_101 in found(created_before=device["created_at"])
    assert len(found(limit=3)) == 3
    asked = {"custom_metadata_has.unit": "P1", "custom_metadata_has.is_corner": "true"}
    [by_query] = sandbox.api.get("/devices/list", params=asked).json()["devices"]
    assert by_query == device


def test_device_is_changed(sandbox: Sandbox) -> None:
    """Name and metadata through the API; a key is taken away by null."""
    device_id = sandbox.door(name="Old name", custom_metadata={"unit": "9", "floor": "2"})
    asked = {"device_id": device_id}
    sandbox.ask("/devices/update", **asked, name="New name", custom_metadata={"unit": "10", "floor": None})
    device = sandbox.ask("/devices/get", **asked)["device"]
    assert (device["display_name"], device["nickname"]) == ("New name", "New name")
    assert device["custom_metadata"] == {"unit": "10"}
    assert sandbox.ask("/devices/get", name="New name")["device"] == device
    [event] = sandbox.events(**asked)
    assert (event["event_type"], event["device_name"]) == ("device.name_changed", "New name")
    assert event["device_custom_metadata"] == {"unit": "10"}


def test_unmanaged_device(sandbox: Sandbox) -> None:
    """Seam shows less of it, manages none of its codes, and takes no new ones, until it is managed again."""
    device_id = sandbox.door()
    code_id = sandbox.created(device_id)["access_code_id"]
    asked = {"device_id": device_id}
    sandbox.ask("/devices/update", **asked, is_managed=False)
    device = sandbox.ask("/devices/unmanaged/get", **asked)["device"]
    assert "dormakaba_oracode_metadata" not in device["properties"]
    assert sandbox.ask("/devices/get", **asked)["error"]["type"] == "device_not_found"
    assert sandbox.create(device_id).status_code == 404
    assert sandbox.code(code_id) is None
    sandbox.ask("/devices/unmanaged/update", **asked, is_managed=True)
    assert sandbox.create(device_id).status_code == 200
    types = {event["event_type"] for event in sandbox.events(**asked)}
    assert {"device.converted_to_unmanaged", "device.unmanaged.converted_to_managed"} <= types


def test_action_attempts_are_listed(sandbox: Sandbox) -> None:
    """By door and by id, oldest first."""
    device_id = sandbox.door()
    ids = [sandbox.create(device_id).json()["action_attempt"]["action_attempt_id"] for _ in range(2)]

    def found(**asked: Any) -> list[str]:
        listed = sandbox.ask("/action_attempts/list", **asked)["action_attempts"]
        return [attempt["action_attempt_id"] for attempt in listed]

    assert found(device_id=device_id) == ids
    assert found(action_attempt_ids=ids[1:]) == ids[1:]


def test_events_since_and_between(sandbox: Sandbox) -> None:
    """Bounds are exclusive; events are in the order of their creation."""
    device_id = sandbox.door()
    code_id = sandbox.created(device_id)["access_code_id"]
    sandbox.wait_for_status(code_id, "set")
    events = sandbox.events(device_id=device_id)
    first, last = events[0]["created_at"], events[-1]["created_at"]
    assert [event["created_at"] for event in events] == sorted(e["created_at"] for e in events)

    later = sandbox.events(device_id=device_id, since=first)
    assert all(event["created_at"] > first for event in later)
    inside = {"device_id": device_id, "between": ["2020-01-01T00:00:00Z", last]}
    answer = sandbox.api.post("/events/list", json=inside).json()
    assert all(event["created_at"] < last for event in answer["events"])
    assert len(sandbox.events(device_id=device_id, limit=1)) == 1
    assert sandbox.events(device_id=device_id, unstable_offset=1) == events[1:]


def test_event_filters(sandbox: Sandbox) -> None:
    """Type, code and id select events; one event can be read alone."""
    device_id = sandbox.door()
    code_id = sandbox.created(device_id)["access_code_id"]
    sandbox.wait_for_status(code_id, "set")
    [event] = sandbox.events(access_code_id=code_id, event_type="access_code.set_on_device")
    types = ["access_code.created", "access_code.set_on_device"]
    assert len(sandbox.events(access_code_ids=[code_id], event_types=types)) == 2
    assert sandbox.events(event_ids=[event["event_id"]]) == [event]
    for asked in (
        {"event_id": event["event_id"]},
        {"event_type": event["event_type"], "device_id": device_id},
    ):
        assert sandbox.api.get("/events/get", params=asked).json()["event"] == event


def test_full_door_slows_no_other(sandbox: Sandbox) -> None:
    """Lists are indexed by door: an empty door answers at once beside a full one."""
    sandbox.arrange("POST", "/sandbox/settings", {"rate_limits": False})
    full, other = sandbox.door(), sandbox.door()
    for _ in range(300):
        sandbox.created(full)
    sandbox.arrange("POST", "/sandbox/settings", {"rate_limits": True})

    def took(device_id: str) -> timedelta:
        asked = {"device_id": device_id}
        answers = [sandbox.api.get("/access_codes/list", params=asked) for _ in range(5)]
        return min(answer.elapsed for answer in answers)

    wait_until(lambda: took(other) * 2 < took(full))
    assert len(sandbox.codes(full)) == 300


def test_latency_does_not_block(sandbox: Sandbox) -> None:
    """Calls wait beside each other, not one after the other; the most at once are counted."""
    device_id = sandbox.door()
    sandbox.arrange("POST", "/sandbox/settings", {"latency_seconds": 0.3})
    try:
        started = time.monotonic()
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(sandbox.create, [device_id] * 8))
        took = time.monotonic() - started
    finally:
        sandbox.arrange("POST", "/sandbox/settings", {"latency_seconds": 0})
    assert {answer.status_code for answer in answers} == {200}
    assert 0.3 <= took < 1.2
    most = sandbox.look("/sandbox/stats")["most_concurrent_creates_by_door"]
    assert most[device_id] > 1
