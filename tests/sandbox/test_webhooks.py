"""Webhooks as an endpoint gets them: bodies, signatures, retries, and faults of their delivery."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from svix.webhooks import Webhook, WebhookVerificationError

from tests.sandbox.harness import Receiver, Sandbox
from tests.sandbox.judged import run_with_sdk
from tests.support.waiting import wait_until

SET = "access_code.set_on_device"


@pytest.fixture
def secret(sandbox: Sandbox, receiver: Receiver) -> Iterator[str]:
    """Point the local webhook at the receiver; return its secret."""
    everything = {"url": receiver.url, "event_types": ["*"]}
    yield sandbox.arrange("PUT", "/sandbox/webhook", everything)["secret"]
    for webhook in sandbox.api.get("/webhooks/list").json()["webhooks"]:
        sandbox.api.post("/webhooks/delete", json={"webhook_id": webhook["webhook_id"]})


def test_body_is_the_bare_event_and_signed(sandbox: Sandbox, receiver: Receiver, secret: str) -> None:
    """Svix's own library verifies it; the body is what ``/events/get`` serves."""
    sandbox.created(sandbox.door())
    [got] = wait_until(lambda: receiver.of_type(SET))

    Webhook(secret).verify(got.body, got.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(got.body + b" ", got.headers)
    event = sandbox.api.get("/events/get", params={"event_id": got.event["event_id"]}).json()
    assert got.event == event["event"]
    assert got.event["code"].isdecimal()


def test_official_sdk_verifies_and_reads(sandbox: Sandbox, receiver: Receiver, secret: str) -> None:
    """Seam's own receiver takes each webhook for what it is."""
    device_id = sandbox.door()
    sandbox.wait_for_status(sandbox.created(device_id)["access_code_id"], "set")
    sandbox.arrange("POST", f"/sandbox/devices/{device_id}/issues", {"code": "device_disconnected"})
    wait_until(lambda: receiver.of_type("device.disconnected"))
    got = [receiver.of_type(event_type)[0] for event_type in ("access_code.created", SET, "device.disconnected")]
    lines = [json.dumps({"headers": each.headers, "body": each.body.decode()}) for each in got]
    assert run_with_sdk("verify", secret, sent="\n".join(lines)) == [
        "AccessCodeCreatedEvent",
        "AccessCodeSetOnDeviceEvent",
        "DeviceDisconnectedEvent",
    ]


def test_retries_have_one_id_and_their_own_timestamp(sandbox: Sandbox, receiver: Receiver, secret: str) -> None:
    """Anything but a 2xx, a redirect too, is tried again after the vendor's pauses (scaled here)."""
    receiver.statuses.extend([500, 302])
    event_id = sandbox.arrange("POST", "/sandbox/events", {"event_type": "custom.retry"})["event_id"]
    first, second, third = wait_until(lambda: len(got := receiver.of_type("custom.retry")) == 3 and got)

    assert first.headers["svix-id"] == second.headers["svix-id"] == third.headers["svix-id"]
    assert int(third.headers["svix-timestamp"]) - int(first.headers["svix-timestamp"]) >= 2
    for got in (first, second, third):
        Webhook(secret).verify(got.body, got.headers)
    delivery = wait_until(lambda: (found := _delivery(sandbox, event_id))["fate"] == "delivered" and found)
    assert [attempt["status"] for attempt in delivery["attempts"]] == [500, 302, 200]
    assert delivery["next_attempt_at"] is None


def test_next_attempt_follows_the_schedule(sandbox: Sandbox, receiver: Receiver) -> None:
    """An endpoint that can't be reached: the error and the next try are shown; a new URL gets it."""
    sandbox.arrange("PUT", "/sandbox/webhook", {"url": "http://127.0.0.1:9/closed"})
    event_id = sandbox.arrange("POST", "/sandbox/events", {"event_type": "custom.gone"})["event_id"]
    delivery = wait_until(lambda: (found := _delivery(sandbox, event_id))["attempts"] and found)
    assert delivery["attempts"][0]["error"].startswith("ConnectError")
    next_at, tried_at = (
        datetime.fromisoformat(each) for each in (delivery["next_attempt_at"], delivery["attempts"][0]["at"])
    )
    assert next_at > tried_at

    sandbox.arrange("PUT", "/sandbox/webhook", {"url": receiver.url})
    wait_until(lambda: receiver.of_type("custom.gone"))


def test_webhooks_through_the_api(sandbox: Sandbox, receiver: Receiver) -> None:
    """Create, read, change the event types, delete; each webhook gets what it wants."""
    wanted = {"url": receiver.url, "event_types": ["custom.wanted"]}
    created = sandbox.api.post("/webhooks/create", json=wanted).json()["webhook"]
    asked = {"webhook_id": created["webhook_id"]}
    assert created["secret"].startswith("whsec_")
    assert sandbox.api.get("/webhooks/get", params=asked).json()["webhook"] == created
    assert created in sandbox.api.get("/webhooks/list").json()["webhooks"]

    sandbox.arrange("POST", "/sandbox/events", {"event_type": "custom.unwanted"})
    sandbox.arrange("POST", "/sandbox/events", {"event_type": "custom.wanted"})
    [got] = wait_until(lambda: receiver.of_type("custom.wanted"))
    Webhook(created["secret"]).verify(got.body, got.headers)
    assert receiver.of_type("custom.unwanted") == []

    sandbox.api.put("/webhooks/update", json={**asked, "event_types": ["custom.other"]})
    changed = sandbox.api.get("/webhooks/get", params=asked).json()["webhook"]
    assert changed["event_types"] == ["custom.other"]
    assert sandbox.api.delete("/webhooks/delete", params=asked).json()["ok"] is True
    assert sandbox.api.get("/webhooks/get", params=asked).status_code == 404
    assert created["secret"] in sandbox.look("/sandbox/secrets")["webhook_secrets"]


@pytest.mark.parametrize("body", [{"url": ""}, {}, {"url": "ftp://x"}, {"url": 3}])
def test_bad_webhook(sandbox: Sandbox, body: dict[str, object]) -> None:
    """400 names the URL."""
    answer = sandbox.api.post("/webhooks/create", json=body)
    assert answer.json()["error"]["validation_errors"]["url"]


@pytest.mark.usefixtures("secret")
def test_local_webhook_keeps_its_id_and_secret(sandbox: Sandbox, receiver: Receiver) -> None:
    """Upserted without a secret, it has the one from before; a given one replaces it."""
    first = sandbox.arrange("PUT", "/sandbox/webhook", {"url": receiver.url})
    again = sandbox.arrange("PUT", "/sandbox/webhook", {"url": receiver.url + "2"})
    assert (again["webhook_id"], again["secret"]) == (first["webhook_id"], first["secret"])
    given = {"url": receiver.url, "secret": "whsec_" + "QUJD" * 8}
    assert sandbox.arrange("PUT", "/sandbox/webhook", given)["secret"] == given["secret"]
    bad = sandbox.control.put("/sandbox/webhook", json={**given, "secret": "whsec_"})
    assert bad.status_code == 400


@pytest.mark.usefixtures("secret")
def test_dropped_and_doubled(sandbox: Sandbox, receiver: Receiver) -> None:
    """A dropped event is only in the event list; a doubled one comes twice with one id."""
    sandbox.arrange("POST", "/sandbox/delivery", {"drop": 1.0})
    lost = sandbox.arrange("POST", "/sandbox/events", {"event_type": "custom.lost"})
    sandbox.arrange("POST", "/sandbox/delivery", {"duplicate": 1.0})
    sandbox.arrange("POST", "/sandbox/events", {"event_type": "custom.twice"})

    twice = wait_until(lambda: len(got := receiver.of_type("custom.twice")) == 2 and got)
    assert twice[0].headers["svix-id"] == twice[1].headers["svix-id"]
    assert receiver.of_type("custom.lost") == []
    assert _delivery(sandbox, lost["event_id"])["fate"] == "dropped"
    assert sandbox.events(event_ids=[lost["event_id"]])


@pytest.mark.usefixtures("secret")
def test_held_and_released_in_reverse(sandbox: Sandbox, receiver: Receiver) -> None:
    """Held messages wait for the release, in the order that it names."""
    sandbox.arrange("POST", "/sandbox/delivery", {"hold": True})
    for number in range(3):
        sandbox.arrange("POST", "/sandbox/events", {"event_type": "custom.held", "number": number})
    sandbox.arrange("POST", "/sandbox/delivery", {})
    assert receiver.of_type("custom.held") == []
    released = sandbox.arrange("POST", "/sandbox/delivery/release", {"order": "reverse"})
    assert released == {"released": 3}
    got = wait_until(lambda: len(found := receiver.of_type("custom.held")) == 3 and found)
    assert sorted(received.event["number"] for received in got) == [0, 1, 2]


@pytest.mark.usefixtures("secret")
def test_delayed(sandbox: Sandbox, receiver: Receiver) -> None:
    """A delayed message says when it is due."""
    sandbox.arrange("POST", "/sandbox/delivery", {"delay_seconds": [0.3, 0.4], "shuffle": False})
    event_id = sandbox.arrange("POST", "/sandbox/events", {"event_type": "custom.late"})["event_id"]
    delivery = _delivery(sandbox, event_id)
    assert (delivery["fate"], delivery["attempts"]) == ("pending", [])
    wait_until(lambda: receiver.of_type("custom.late"))


@pytest.mark.usefixtures("secret")
def test_event_is_sent_again_on_demand(sandbox: Sandbox, receiver: Receiver) -> None:
    """A replay has the same ids as the first message."""
    event = sandbox.arrange("POST", "/sandbox/events", {"event_type": "custom.again"})
    wait_until(lambda: receiver.of_type("custom.again"))
    body = {"event_id": event["event_id"], "times": 3}
    [message_id] = sandbox.arrange("POST", "/sandbox/deliver", body)["message_ids"]
    got = wait_until(lambda: len(found := receiver.of_type("custom.again")) == 4 and found)
    assert {received.headers["svix-id"] for received in got} == {message_id}


def _delivery(sandbox: Sandbox, event_id: str) -> dict[str, Any]:
    found = sandbox.look("/sandbox/deliveries", event_id=event_id)["deliveries"]
    assert len(found) == 1
    delivery: dict[str, Any] = found[0]
    return delivery
