"""The control endpoints: doors, bad input, settings, secrets, the alert sink and the pages."""

import ast
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.sandbox.harness import API_KEY, ROOT, Sandbox, in_days

SCRIPT = "<script>alert(1)</script>"
# The account that every new sandbox has.
ACCOUNT = "99999999-9999-4999-8999-000000000002"


def test_index_names_every_endpoint(sandbox: Sandbox) -> None:
    """``GET /sandbox`` has one line for each."""
    endpoints = sandbox.look("/sandbox")["endpoints"]
    assert {"method": "GET", "path": "/sandbox", "what": "This index.", "examples": []} in endpoints
    assert all(entry["what"] for entry in endpoints)


def test_every_example_of_the_index_works() -> None:
    """Each body is taken by its endpoint as it stands there."""
    with Sandbox() as sandbox:
        [account] = sandbox.look("/sandbox/connected_accounts")["connected_accounts"]
        for entry in sandbox.look("/sandbox")["endpoints"]:
            for body in entry["examples"]:
                # An example may have been a fault.
                sandbox.arrange("DELETE", "/sandbox/faults")
                device_id = sandbox.door()
                path = entry["path"].format(
                    device_id=device_id,
                    access_code_id=sandbox.created(device_id)["access_code_id"],
                    connected_account_id=account["connected_account_id"],
                )
                sandbox.arrange(entry["method"], path, body)


@pytest.mark.parametrize(
    ("method", "path", "body", "complaint"),
    [
        ("POST", "/sandbox/devices", {"time_zone": "Mars/Base"}, "time_zone"),
        ("POST", "/sandbox/devices", {"slots": [{"name": "x", "check_in": "25:00"}]}, "slots.0"),
        ("POST", "/sandbox/devices", {"device": {"no": "id"}}, "device_id"),
        ("POST", "/sandbox/devices", {"device": {"device_id": "raw-1"}}, "device_id"),
        ("POST", "/sandbox/devices", {"device_id": "door-1"}, "device_id"),
        ("POST", "/sandbox/devices", {"device": 3}, "device"),
        ("POST", "/sandbox/faults", {"operation": "x", "kind": "explode"}, "kind"),
        ("POST", "/sandbox/faults", {"operation": "x", "kind": "slow", "tims": 3}, "tims"),
        ("POST", "/sandbox/faults", {"operation": "x", "kind": "slow", "times": 0}, "times"),
        ("POST", "/sandbox/connected_accounts", {"connected_account_id": "x"}, "connected_account_id"),
        ("POST", "/sandbox/connected_accounts", {"connected_account_id": ACCOUNT}, "exists already"),
        ("POST", "/sandbox/outage", {}, "on"),
        ("POST", "/sandbox/settings", {"step_seconds": -1}, "step_seconds"),
        ("POST", "/sandbox/settings", {"speed": 1}, "speed"),
        ("POST", "/sandbox/delivery", {"drop": 2}, "drop"),
        ("POST", "/sandbox/delivery", {"delay_seconds": [3, 1]}, "delay_seconds"),
        ("POST", "/sandbox/delivery/release", {"order": "up"}, "order"),
        ("POST", "/sandbox/events", {}, "event_type"),
        ("PUT", "/sandbox/webhook", {"url": "nowhere"}, "url"),
        ("GET", "/sandbox/requests?limit=x", None, "limit"),
        ("GET", "/sandbox/requests?since=now", None, "since"),
    ],
)
def test_bad_input_says_what_is_wrong(
    sandbox: Sandbox, method: str, path: str, body: dict[str, Any] | None, complaint: str
) -> None:
    """400, and a sentence that names the field: a mistyped fault must not pass for one."""
    answer = sandbox.control.request(method, path, json=body)
    assert answer.status_code == 400
    assert complaint in answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/sandbox/devices/nope"),
        ("DELETE", "/sandbox/devices/nope"),
        ("DELETE", "/sandbox/devices/nope/issues/device_removed"),
        ("DELETE", "/sandbox/connected_accounts/nope/issues/account_disconnected"),
        ("PATCH", "/sandbox/access_codes/nope"),
        ("DELETE", "/sandbox/faults/nope"),
    ],
)
def test_unknown_id(sandbox: Sandbox, method: str, path: str) -> None:
    """404, with the id in the sentence."""
    answer = sandbox.control.request(method, path, json={})
    assert answer.status_code == 404
    assert "nope" in answer.json()["error"]


def test_body_that_is_no_json(sandbox: Sandbox) -> None:
    """400 too."""
    for content in (b"{", b"[1]"):
        assert sandbox.control.post("/sandbox/faults", content=content).status_code == 400


def test_installer_changes_the_slots(sandbox: Sandbox) -> None:
    """The device shows the new slots, and codes take them."""
    device_id = sandbox.door(slots=[])
    assert sandbox.create(device_id).status_code == 400
    slots = [{"name": "New", "check_in": "16:00", "check_out": "10:00"}]
    sandbox.arrange("PATCH", f"/sandbox/devices/{device_id}", {"slots": slots})
    assert _slots(sandbox, device_id)[0]["name"] == "New"
    assert sandbox.create(device_id).status_code == 200
    zone = {"time_zone": "Europe/Berlin"}
    sandbox.arrange("PATCH", f"/sandbox/devices/{device_id}", zone)
    assert _slots(sandbox, device_id)[0]["check_in_time"] == "16:00:00[Europe/Berlin]"
    code = sandbox.created(
        device_id,
        starts_at=in_days(2, "16:00:00", offset="+01:00"),
        ends_at=in_days(3, "10:00:00", offset="+01:00"),
    )
    assert code["starts_at"][11:16] in {"14:00", "15:00"}


@pytest.mark.parametrize(
    ("spec", "check_in_time", "prefix_name"),
    [
        ({}, "16:00:00[UTC]", "dormakaba_oracode_user_level_prefix"),
        ({"tod_style": "bare"}, "16:00:00", "dormakaba_oracode_user_level_prefix"),
        (
            {"tod_style": "offset_zone", "prefix_field": "ext"},
            "16:00:00+00:00[UTC]",
            "ext_dormakaba_oracode_user_level_prefix",
        ),
    ],
)
def test_spellings(sandbox: Sandbox, spec: dict[str, str], check_in_time: str, prefix_name: str) -> None:
    """Doors can be served in every form that Seam's pages show; all of them work."""
    device_id = sandbox.door(**spec)
    [slot] = _slots(sandbox, device_id)
    assert slot["check_in_time"] == check_in_time
    assert slot[prefix_name] == 0
    assert sandbox.create(device_id).status_code == 200


def test_raw_device_is_served_intact(sandbox: Sandbox) -> None:
    """The object comes back as it was given, unknown fields too."""
    device_id = str(uuid4())
    path, asked = f"/sandbox/devices/{device_id}", {"device_id": device_id}
    device = {**asked, "properties": None, "surprise": [1, {"a": None}]}
    sandbox.arrange("POST", "/sandbox/devices", {"device": device, "pin_at_create": True})
    served = sandbox.api.get("/devices/get", params=asked).json()["device"]
    assert served == device
    assert sandbox.create(device_id).status_code == 400
    sandbox.arrange("PATCH", path, {"program_lead_seconds": 5})
    refused = sandbox.control.patch(path, json={"slots": []})
    assert "slots" in refused.json()["error"]
    sandbox.arrange("PATCH", path, {"device": {"surprise": 2}})
    [door] = [d for d in sandbox.look("/sandbox/devices")["devices"] if d["device_id"] == device_id]
    assert door["device"] == {**asked, "surprise": 2}
    assert door["behaviour"]["program_lead_seconds"] == 5
    sandbox.arrange("DELETE", path)
    assert sandbox.api.get("/devices/get", params=asked).status_code == 404


def test_all_codes_are_shown_with_pins(sandbox: Sandbox) -> None:
    """Also before Seam shows the PIN."""
    device_id = sandbox.door(program_lead_seconds=60)
    sandbox.created(device_id, name="BK-S1")
    found = sandbox.look("/sandbox/access_codes", device_id=device_id, name_prefix="BK-S")
    [code] = found["access_codes"]
    assert (code["code"], code["phase"]) == (None, "unset")
    secrets = sandbox.look("/sandbox/secrets")
    assert code["pin"] in secrets["pins"]
    assert secrets["api_keys"] == [API_KEY]


def test_stats_count_creates(sandbox: Sandbox) -> None:
    """Create calls and codes by door."""
    device_id = sandbox.door()
    sandbox.created(device_id)
    sandbox.create(device_id, ends_at=...)
    stats = sandbox.look("/sandbox/stats")
    assert stats["create_calls_by_door"][device_id] == 2
    assert stats["codes_by_door"][device_id] == 1
    assert stats["by_path_and_status"]["/access_codes/create"]["400"] >= 1


def test_alert_sink(sandbox: Sandbox) -> None:
    """It takes anything, answers as the channel would, and keeps it."""
    sandbox.arrange("DELETE", "/alerts")
    slack = sandbox.control.post("/alerts/slack/T1/B2", json={"text": "door *101*"})
    assert (slack.status_code, slack.text) == (200, "ok")
    other = sandbox.control.post("/alerts/pager", content=b"\xff plain", headers={"x-key": "k"})
    assert other.json() == {"ok": True}

    first, second = sandbox.look("/alerts.json")["alerts"]
    assert (first["channel"], first["json"]) == ("slack/T1/B2", {"text": "door *101*"})
    assert second["headers"]["x-key"] == "k"
    assert second["json"] is None
    assert sandbox.arrange("DELETE", "/alerts") == {"deleted": 2}


def test_alert_sink_with_faults(sandbox: Sandbox) -> None:
    """Channels fail too; ``*`` means the API, not them."""
    sandbox.fault("*", "error_before", times=None)
    assert sandbox.control.post("/alerts/slack", json={}).status_code == 200
    sandbox.fault("alerts.slack*", "rate_limit", retry_after=1)
    answer = sandbox.control.post("/alerts/slack", json={})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    sandbox.fault("alerts.teams", "error_before", status=500)
    assert sandbox.control.post("/alerts/teams", json={}).status_code == 500
    assert sandbox.control.post("/alerts/teams", json={}).status_code == 200


def test_pages_escape_what_came_from_outside(sandbox: Sandbox) -> None:
    """Names of doors and codes, channels and texts of alerts are text, never markup."""
    device_id = sandbox.door(name=SCRIPT)
    sandbox.created(device_id, name=SCRIPT)
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": f"Hello {SCRIPT}"}}]
    sandbox.control.post("/alerts/slack", json={"blocks": blocks})
    sandbox.control.post(f"/alerts/{SCRIPT}", content=SCRIPT.encode())
    for path in ("/", "/alerts"):
        answer = sandbox.control.get(path)
        assert answer.headers["content-type"].startswith("text/html")
        assert "<script>" not in answer.text
        assert "&lt;script&gt;" in answer.text
    assert "<p>Hello " in sandbox.control.get("/alerts").text


def test_sandbox_is_independent() -> None:
    """It imports nothing of the service: a mistake there must not be mirrored here."""
    for path in (ROOT / "deploy" / "sandbox").rglob("*.py"):
        for package in _imported(path):
            assert package not in {"receiver", "worker", "shared"}, path


def _imported(path: Path) -> list[str]:
    tree = ast.parse(path.read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names = [alias.name for node in imports for alias in node.names]
    return [name.split(".")[0] for name in names + [node.module or "" for node in froms]]


def _slots(sandbox: Sandbox, device_id: str) -> list[Any]:
    device = sandbox.api.get("/devices/get", params={"device_id": device_id}).json()["device"]
    slots: list[Any] = device["properties"]["dormakaba_oracode_metadata"]["predefined_time_slots"]
    return slots
