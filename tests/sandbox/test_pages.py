"""The sandbox's pages: slots and codes on one clock, buttons for the control endpoints, alerts as they are read."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from tests.sandbox.harness import Sandbox

SCRIPT = "<script>alert(1)</script>"
OURS = {"sec-fetch-site": "same-origin"}


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    """Run a sandbox of its own: the page shows the first doors, and others' tests make many."""
    with Sandbox("--step", "0.02", "--retry-scale", "0.01") as running:
        yield running


def press(sandbox: Sandbox, button: str, /, headers: Mapping[str, str] | None = None, **fields: Any) -> httpx.Response:
    """Send the form of a button, as a browser does."""
    path = f"/sandbox/buttons/{button}"
    return sandbox.control.post(path, data=fields, headers=OURS if headers is None else headers)


def test_every_page_is_closed_to_scripts(sandbox: Sandbox) -> None:
    """No style or script within, nothing from elsewhere, and nothing that keeps a page with PINs."""
    for path in ("/", "/alerts", "/sandbox/endpoints"):
        answer = sandbox.control.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert "<style" not in answer.text
        assert " style=" not in answer.text
    assert sandbox.control.get("/sandbox/style.css").headers["content-type"].startswith("text/css")


def test_slots_and_codes_are_on_one_clock(sandbox: Sandbox) -> None:
    """In the door's zone; one that passes midnight is two bars; hostile names stay text."""
    device_id = sandbox.door(name=f"Clock {SCRIPT}", time_zone="Europe/Berlin")
    sandbox.created(device_id, name="BK-{0} | x", starts_at="2036-12-01T15:00:00Z", ends_at="2036-12-02T09:00:00Z")
    page = sandbox.control.get("/").text
    assert "<script>" not in page
    card = next(part for part in page.split('<article class="card"') if device_id in part)
    assert "BK-{0}" in card
    assert "1 Dec 16:00 → 2 Dec 10:00" in card
    slot, _ = re.findall(r'class="slot" x="([0-9.]+)%"', card)
    codes = re.findall(r'class="code" x="([0-9.]+)%"', card)
    assert codes == [slot, "0.000"]
    assert "It is " in card


def test_seam_is_taken_away_and_brought_back(sandbox: Sandbox) -> None:
    """The page says how it is, and stays up."""
    assert "Seam answers" in sandbox.control.get("/").text
    done = press(sandbox, "outage", on="true", kind="http_503")
    assert (done.status_code, done.headers["location"]) == (303, "/?done=away")
    assert sandbox.api.post("/devices/list", json={}).status_code == 503
    page = sandbox.control.get("/?done=away").text
    assert "Seam is away" in page
    assert "Bring Seam back" in page
    press(sandbox, "outage", on="false")
    assert sandbox.api.post("/devices/list", json={}).status_code == 200


def test_webhooks_are_lost_and_delivered(sandbox: Sandbox) -> None:
    """As the endpoint of delivery does it."""
    press(sandbox, "webhooks", drop="1")
    assert "Webhooks are lost" in sandbox.control.get("/").text
    press(sandbox, "webhooks", drop="0")
    assert "Webhooks are delivered" in sandbox.control.get("/").text
    sandbox.arrange("POST", "/sandbox/delivery", {"duplicate": 0.5})
    assert "Webhooks are disturbed" in sandbox.control.get("/").text


def test_the_next_calls_fail(sandbox: Sandbox) -> None:
    """As often as was chosen; the page says what is still to come."""
    press(sandbox, "fault", operation="devices.get", kind="error_before", times="3")
    device_id = sandbox.door()
    assert sandbox.api.post("/devices/get", json={"device_id": device_id}).status_code == 500
    assert "2 more" in sandbox.control.get("/").text
    press(sandbox, "clear")
    assert sandbox.api.post("/devices/get", json={"device_id": device_id}).status_code == 200


def test_slots_are_changed_as_an_installer_would(sandbox: Sandbox) -> None:
    """What the form doesn't show stays; a slot without a name goes; a new row is a new slot."""
    master = {"name": "Master", "check_in": "00:00", "check_out": "00:00", "is_master": True}
    guest = {"name": "Guest", "check_in": "16:00", "check_out": "10:00", "user_level_id": "level-1"}
    device_id = sandbox.door(slots=[guest, {"name": "Day", "check_in": "07:00", "check_out": "19:00"}, master])
    done = press(
        sandbox,
        "slots",
        device_id=device_id,
        name=["Guest", "", "Master", "Late"],
        check_in=["15:00", "", "00:00", "18:00"],
        check_out=["10:00", "", "00:00", "12:00"],
    )
    assert done.status_code == 303
    door = next(it for it in sandbox.look("/sandbox/devices")["devices"] if it["device_id"] == device_id)
    slots = door["spec"]["slots"]
    assert [(it["name"], it["check_in"], it["is_master"]) for it in slots] == [
        ("Guest", "15:00", False),
        ("Master", "00:00", True),
        ("Late", "18:00", False),
    ]
    assert slots[0]["user_level_id"] == "level-1"


@pytest.mark.parametrize(
    ("name", "fields", "status", "told"),
    [
        ("slots", {"device_id": "d0000000-0000-0000-0000-000000000404"}, 400, "d0000000"),
        ("fault", {"operation": "*", "kind": SCRIPT}, 400, "kind"),
        ("outage", {"on": "true", "kind": "x"}, 400, "kind"),
        ("nothing", {}, 404, "no such button"),
    ],
)
def test_what_cant_be_done_is_said(sandbox: Sandbox, name: str, fields: dict[str, Any], status: int, told: str) -> None:
    """Nothing changes, and the page says why."""
    answer = press(sandbox, name, **fields)
    assert (answer.status_code, told in answer.text) == (status, True)
    assert "<script>" not in answer.text
    assert sandbox.look("/sandbox/faults")["faults"] == []


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "http://elsewhere"}, {}])
def test_a_form_of_another_site_is_refused(sandbox: Sandbox, headers: dict[str, str]) -> None:
    """A page that somebody has open elsewhere takes nothing away."""
    assert press(sandbox, "outage", headers, on="true").status_code == 403
    assert not sandbox.look("/sandbox/stats")["outage"]["on"]


def test_alerts_as_people_get_them(sandbox: Sandbox) -> None:
    """Slack's markup rendered, one channel at a time, and what is said again once."""
    sandbox.arrange("DELETE", "/alerts")
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": ":warning: Booking BK-1"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": f"*Next:* run `oracode up` &lt;b&gt; {SCRIPT}\nline"}},
        {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Try again"}}]},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "no_slot"}]},
    ]
    for _ in range(3):
        sandbox.control.post("/alerts/slack", json={"blocks": blocks})
    webhook = {"delivery_id": "1", "title": "Booking BK-1", "happened": "It waits.", "problem": "no_slot"}
    sandbox.control.post("/alerts/webhook", json=webhook)
    page = sandbox.control.get("/alerts").text
    assert page.count('<article class="message">') == 1
    assert "3 times since" in page
    assert "<strong>Next:</strong> run <code>oracode up</code> &lt;b&gt; &lt;script&gt;" in page
    assert "<br>line" in page
    assert "<span>Try again</span>" in page
    assert "It waits." not in page
    everything = sandbox.control.get("/alerts?channel=all").text
    assert everything.count('<article class="message">') == 2
    assert "<strong>What happened:</strong> It waits." in everything
    assert "No alert matches." in sandbox.control.get("/alerts?channel=all&q=nothing+of+this").text
    assert sandbox.control.get("/alerts?channel=all&q=it+waits").text.count('<article class="message">') == 1
