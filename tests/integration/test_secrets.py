"""No secret in anything that is written, said or answered; and secrets can be changed without losing an event."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest

from shared import redis_keys
from shared.clock import system_clock
from tests.integration.test_life_of_a_booking import HOTEL, _nights
from tests.receiver.web import event_of, signed
from tests.support.leaks import everything_in, everything_on, everything_said, leaks, secrets_of
from tests.support.machine import Machine
from tests.support.waiting import wait_until
from tests.worker.recording_server import Recorder, Reply, recording

OLD, NEW = "whsec_b2xkIHNlY3JldCBvZiB0aGUgdGVzdHM=", "whsec_bmV3IHNlY3JldCBvZiB0aGUgdGVzdHM="
REVEAL_TOKEN = "a-reveal-token-of-the-tests"
# Nothing but webhooks may bring the events.
ALONE = {"RECONCILE_EVERY": "1h"}
FAULTS = ("error_after", "timeout_after", "html_502")


@pytest.fixture
def receiver() -> Iterator[Recorder]:
    """Run a booking system that takes outcomes with PINs, once it has refused a few."""
    with recording(lambda _: Reply(200)) as recorder:
        recorder.faults = [
            Reply(503, b"busy"),
            Reply(cut=True),
            Reply(302, headers={"location": "http://127.0.0.1:1/"}),
        ]
        yield recorder


@pytest.fixture
def debugging(tmp_path: Path, receiver: Recorder) -> Iterator[Machine]:
    """Run everything with all that it can log, and all that may show a PIN."""
    settings = {
        "LOG_LEVEL": "debug",
        "RECLAIM_AFTER": "3s",
        "SEAM_TIMEOUT": "1s",
        "WAITING_RETRY_EVERY": "2s",
        "OUTCOME_WEBHOOK_URLS": f"{receiver.url.replace('http://', f'http://{OLD}@')}/outcomes",
        "OUTCOME_PIN": "true",
        "REVEAL_TOKENS": REVEAL_TOKEN,
    }
    machine = Machine(tmp_path / "data", settings)
    machine.start()
    yield machine
    machine.stop()


def test_no_secret_is_written_said_or_answered(debugging: Machine, receiver: Recorder) -> None:
    """After lives with faults, crashes, codes that changed, and attacks that carry a PIN: searched everywhere."""
    machine = debugging
    door = machine.add_door(HOTEL, pin_at_create=True)
    booked = [machine.publish(device_ids=[door], label="Room 7", **_nights())]
    machine.wait_for(booked[0], "ready")
    for kind in FAULTS:
        fault = {"operation": "access_codes.create", "kind": kind, "times": 1, "device_id": door, "seconds": 2}
        machine.seam("POST", "/sandbox/faults", fault)
        booked.append(machine.publish(device_ids=[door], **_nights(8, 9)))
    for booking_id in booked:
        machine.wait_for(booking_id, "ready", within=60)
    (code, *_) = machine.codes(door)
    machine.seam("PATCH", f"/sandbox/access_codes/{code['access_code_id']}", {"simulate": "modified_external"})
    pin = code["pin"]
    assert pin
    machine.seam("POST", "/sandbox/events", {**_event_about(code), "code": pin, "description": f"the PIN is {pin}"})
    _attack(machine, pin)
    os.kill(machine.run()["pids"]["worker"], signal.SIGKILL)
    booked.append(machine.publish(device_ids=[door], **_nights(5, 7)))
    machine.wait_for(booked[-1], "ready", within=60)

    _reveal(machine, booked[0], pin)
    # One that isn't taken before everything is searched: what waits to be sent again holds no PIN.
    receiver.honest = lambda _: Reply(503)
    booked.append(machine.publish(device_ids=[door], **_nights(11, 12)))
    machine.wait_for(booked[-1], "ready", within=60)
    sent = [request.parsed for request in receiver.got]
    wait_until(lambda: booked[-1] in {it.parsed["subject"] for it in receiver.got}, what="an outcome that waits")
    wait_until(lambda: booked[-1] in machine.oracode("outcomes", "list", "--json").stdout, what="listed")
    posted = {device["code"] for event in sent for device in event["data"]["devices"]}

    pins, keys = secrets_of(machine)
    keys = [*keys, OLD, OLD.removeprefix("whsec_"), REVEAL_TOKEN]
    assert pin in posted
    assert posted - {None} <= {*pins}
    assert len(pins) > len(FAULTS)
    assert len(keys) > 5
    on_disk = {place: text.replace(_put_there(pin), "") for place, text in everything_on(machine.directory)}
    places = everything_said(machine, booked) | on_disk
    assert leaks([*pins, *keys], places) == []
    # The search can find: what it looks for is where it may be.
    assert leaks(pins, {"codes": json.dumps(machine.seam("GET", "/sandbox/access_codes"))}) != []
    assert leaks(keys, {"run.json": (machine.directory / "run.json").read_text()}) != []
    assert booked[0] in places["logs"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in machine.directory.glob("*.json"))
    assert machine.directory.stat().st_mode & 0o077 == 0


def test_what_cannot_start_or_connect_tells_no_secret(tmp_path: Path) -> None:
    """Wrong addresses and unusable settings are named without what is secret in them."""
    secret = f"tell-nobody-{uuid4().hex}"
    places = {}
    bad: dict[str, dict[str, str]] = {
        "a closed port": {"REDIS_URL": f"redis://:{secret}@127.0.0.1:1/0", "SEAM_ENDPOINT": "http://127.0.0.1:1"},
        "a bad address": {"REDIS_URL": f"redis://:{secret}/x@127.0.0.1:1/0", "CELERY_BROKER_URL": f"redis://[{secret}"},
        "bad secrets": {
            "SEAM_WEBHOOK_SECRET": secret,
            "ALERT_URLS": f"webhook+https://{secret}\u2100@h/ {secret}",
        },
    }
    for name, settings in bad.items():
        machine = Machine(tmp_path / "none", {"REDIS_URL": "redis://127.0.0.1:1", "SEAM_API_KEY": secret, **settings})
        for command in (("doctor",), ("doctor", "--json"), ("bookings", "list"), ("parked", "list")):
            ran = machine.oracode(*command)
            assert ran.returncode != 0
            places[f"{name}: {command}"] = ran.stdout + ran.stderr
    assert leaks([secret], places) == []


def test_a_webhook_secret_is_changed_without_losing_an_event(tmp_path: Path) -> None:
    """Even where Seam signs with the new one before we know it: those come again, and end in the ledger."""
    machine = Machine(tmp_path / "data", {**ALONE, "SEAM_WEBHOOK_SECRET": OLD})
    machine.start()
    machine.seam("POST", "/sandbox/settings", {"retry_scale": 0.002})
    door = machine.add_door(HOTEL)
    booked = [_booked(machine, door)]
    url = f"{machine.run()['web_url']}/webhooks/seam"
    # Wrong order on purpose: Seam changes first.
    machine.seam("PUT", "/sandbox/webhook", {"url": url, "secret": NEW})
    booked.append(_booked(machine, door))
    wait_until(lambda: 401 in _statuses(machine), what="a refused delivery")
    machine.stop()

    machine = Machine(tmp_path / "data", {**ALONE, "SEAM_WEBHOOK_SECRET": f"{NEW} {OLD}"})
    machine.start()
    machine.seam("PUT", "/sandbox/webhook", {"url": url, "secret": OLD})
    booked.append(_booked(machine, door))
    machine.seam("PUT", "/sandbox/webhook", {"url": url, "secret": NEW})
    booked.append(_booked(machine, door))
    machine.stop()

    machine = Machine(tmp_path / "data", {**ALONE, "SEAM_WEBHOOK_SECRET": NEW})
    machine.start()
    booked.append(_booked(machine, door))

    def told() -> set[str]:
        with machine.redis() as redis:
            stories = [redis.lrange(key, 0, -1) for key in redis.scan_iter(f"{redis_keys.PREFIX}:{{code:*}}:events")]
        return {json.loads(event)["event_id"] for story in cast(Any, stories) for event in story}

    def emitted() -> set[str]:
        deliveries = machine.seam("GET", "/sandbox/deliveries")["deliveries"]
        return {each["event_id"] for each in deliveries if each["event_type"].startswith("access_code.")}

    assert len(emitted()) >= len(booked)
    wait_until(lambda: emitted() <= told(), within=90, what="every event is in the ledger")
    with machine.redis() as redis:
        assert leaks([OLD, NEW], {"redis": everything_in(redis), "logs": machine.logs()}) == []
    machine.stop()


def _booked(machine: Machine, door: str) -> str:
    booking_id = machine.publish(device_ids=[door], **_nights())
    machine.wait_for(booking_id, "ready", within=60)
    return booking_id


def _statuses(machine: Machine) -> set[int]:
    deliveries = machine.seam("GET", "/sandbox/deliveries")["deliveries"]
    return {attempt["status"] for delivery in deliveries for attempt in delivery["attempts"]}


def _event_about(code: dict[str, Any]) -> dict[str, Any]:
    ids = {name: code[name] for name in ("access_code_id", "device_id")}
    return {
        "event_type": "access_code.changed",
        "changed_properties": [{"property": "code", "from": code["pin"]}],
        **ids,
    }


def _reveal(machine: Machine, booking_id: str, pin: str) -> None:
    """Read a PIN over HTTP, as a booking system does, and fail to."""
    url = f"{machine.run()['web_url']}/bookings/{booking_id}"
    answer = httpx.post(f"{url}/reveal", headers={"authorization": f"Bearer {REVEAL_TOKEN}"})
    assert [each["code"] for each in answer.json()["devices"]] == [pin]
    wrong = {"authorization": f"Bearer {machine.run()['booking_token']}"}
    assert httpx.post(f"{url}/reveal", headers=wrong).status_code == 401
    assert pin not in httpx.get(url, headers=wrong).text


def _attack(machine: Machine, pin: str) -> None:
    """Send what is signed and no event, what is not signed, and tokens and bookings that hold a PIN."""
    run = machine.run()
    webhook, bookings = f"{run['web_url']}/webhooks/seam", f"{run['web_url']}/bookings"
    for body in (f"the PIN is {pin}", f'{{"code": "{pin}"}}', f'{{"event_id": "e", "{pin}": "{pin}"', f'["{pin}"]'):
        headers = signed(body.encode(), secret=run["webhook_secret"])
        assert httpx.post(webhook, content=body.encode(), headers=headers).status_code == 202
    forged = json.dumps(event_of(code=pin)).encode()
    assert httpx.post(webhook, content=forged, headers=signed(forged)).status_code == 401
    wrong = {"authorization": f"Bearer {run['seam_api_key']}"}
    assert httpx.post(bookings, content=b"{}", headers=wrong).status_code == 401
    good = {"authorization": f"Bearer {run['booking_token']}"}
    soon = system_clock().date().isoformat()
    hostile = {"booking_id": "\x1b[2J", "check_in": soon, "check_out": "<!channel>", "device_ids": "=1+1"}
    assert httpx.post(bookings, json=hostile, headers=good).status_code == 400
    with machine.redis() as redis:
        redis.xadd("booking-created", {"message": json.dumps(hostile)})
        redis.xadd("seam-events", {"event": _put_there(pin)})
    wait_until(lambda: "is not JSON" in machine.oracode("parked", "list").stdout, what="parked")
    for command in (("parked", "list"), ("parked", "show", _first_parked(machine))):
        assert machine.oracode(*command).stdout.replace("\n", "").isprintable()


def _put_there(pin: str) -> str:
    """Return what somebody with access to the data server writes into the stream; its own file keeps it like that."""
    return f"a PIN in a sentence: {pin}"


def _first_parked(machine: Machine) -> str:
    return str(json.loads(machine.oracode("parked", "list", "--json").stdout.splitlines()[0])["parked_id"])
