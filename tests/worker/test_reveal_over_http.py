"""`POST /bookings/{id}/reveal`: the PINs of a booking from Seam, with a token, audited."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from redis import Redis

from receiver.__main__ import main
from tests.receiver.web import SECRET, TOKEN, Web, event_of, running, settings_for
from tests.sandbox.harness import API_KEY, Sandbox
from tests.support.server import DataServer
from tests.worker.machine import Machine

REVEAL_TOKEN = "a-reveal-token"


@pytest.fixture
def web(data_server: DataServer, redis_client: Redis, sandbox: Sandbox) -> Iterator[Web]:
    """Run `web` with reveals on."""
    del redis_client
    settings = settings_for(
        data_server.url,
        reveal_tokens=(SecretStr("another"), SecretStr(REVEAL_TOKEN)),
        seam_api_key=SecretStr(API_KEY),
        seam_endpoint=sandbox.url,
        seam_timeout=timedelta(seconds=2),
    )
    with running(settings) as it:
        yield it


def reveal(web: Web, booking_id: str, body: Any = None, token: str = REVEAL_TOKEN) -> httpx.Response:
    """Ask for PINs."""
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = [(b"authorization", f"Bearer {token}".encode())]
    return web.send("POST", f"/bookings/{booking_id}/reveal", body=content, headers=headers)


def audits(machine: Machine, booking_id: str) -> list[str]:
    """Return the lines about reveals in a booking's story."""
    return machine.story_lines(booking_id, "pin.revealed")


def test_the_pins_of_all_doors(machine: Machine, web: Web, sandbox: Sandbox) -> None:
    """Read from Seam now, with doors and times; the answer must not be cached; the story says who asked."""
    doors = [sandbox.door(), sandbox.door()]
    booking = machine.until(machine.book(*doors), "ready")
    answer = reveal(web, booking.booking_id, {"by": "front desk"})

    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    told = answer.json()["devices"]
    pins = {code["access_code_id"]: code["pin"] for door in doors for code in machine.made(door)}
    assert {each["access_code_id"]: each["code"] for each in told} == pins
    assert [each["device_id"] for each in told] == doors
    assert all(each["starts_at"] < each["ends_at"] for each in told)
    lines = audits(machine, booking.booking_id)
    assert [line.startswith("front desk (reveal token 2) was shown the PIN") for line in lines] == [True, True]
    assert not any(pin in line for pin in pins.values() for line in lines)


def test_only_the_named_doors(machine: Machine, web: Web, sandbox: Sandbox) -> None:
    """The others are neither read nor audited."""
    doors = [sandbox.door(), sandbox.door()]
    booking = machine.until(machine.book(*doors), "ready")
    answer = reveal(web, booking.booking_id, {"device_ids": [doors[1].upper()]})
    assert [each["device_id"] for each in answer.json()["devices"]] == [doors[1]]
    assert len(audits(machine, booking.booking_id)) == 1


def test_a_door_without_a_pin(machine: Machine, web: Web, sandbox: Sandbox) -> None:
    """409 names it and says why; no PIN is shown, no reveal audited. The other door can be asked for by its id."""
    good, without_slots = sandbox.door(), sandbox.door(slots=[])
    booking = machine.book(good, without_slots)
    answer = reveal(web, booking.booking_id)

    assert answer.status_code == 409
    told = answer.json()
    assert told["error"] == "no_pin"
    assert [(each["device_id"], each["reason"]) for each in told["devices"]] == [(without_slots, "no_slots_configured")]
    (code,) = machine.made(good)
    assert code["pin"] not in answer.text
    assert audits(machine, booking.booking_id) == []
    unknown = reveal(web, booking.booking_id, {"device_ids": ["x"]})
    assert (unknown.status_code, unknown.json()["devices"]) == (409, [{"device_id": "x", "reason": "not_booked"}])


def test_a_cancelled_booking_shows_no_pin(machine: Machine, web: Web, sandbox: Sandbox) -> None:
    """Its guest must not get in, although the code may still exist at Seam."""
    booking = machine.cancel(machine.until(machine.book(sandbox.door()), "ready"))
    answer = reveal(web, booking.booking_id)
    assert (answer.status_code, answer.json()["state"]) == (409, "cancelled")
    assert audits(machine, booking.booking_id) == []


def test_strangers_and_booking_tokens_get_no_pin(machine: Machine, web: Web, sandbox: Sandbox) -> None:
    """A token for sending bookings can't read PINs."""
    booking = machine.until(machine.book(sandbox.door()), "ready")
    assert [reveal(web, booking.booking_id, token=token).status_code for token in ("no", TOKEN)] == [401, 401]
    assert reveal(web, "BK-404").status_code == 404
    assert audits(machine, booking.booking_id) == []


@pytest.mark.parametrize(
    "body",
    [
        b"oops",
        b"[]",
        b'{"device_ids": "x"}',
        b'{"device_ids": []}',
        b'{"device_ids": null}',
        b'{"device_id": "x"}',
        b'{"deviceIds": ["x"]}',
        b'{"by": 7}',
        b'{"by": "\\u0007"}',
    ],
    ids=str,
)
def test_an_invalid_body(web: Web, body: bytes) -> None:
    """400 with a valid form. A misspelt name or an empty list doesn't show the PINs of all doors."""
    answer = reveal(web, "BK-1", body)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert answer.json()["right"]


def test_an_error_of_seam(machine: Machine, web: Web, sandbox: Sandbox) -> None:
    """503 with Retry-After, and no reveal in the story."""
    booking = machine.until(machine.book(sandbox.door()), "ready")
    sandbox.fault("access_codes.get", "error_before", times=1)
    answer = reveal(web, booking.booking_id)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert audits(machine, booking.booking_id) == []
    assert reveal(web, booking.booking_id).status_code == 200


def test_a_seam_that_hangs_delays_no_webhook(machine: Machine, web: Web, sandbox: Sandbox) -> None:
    """More reveals than may wait are refused at once with Retry-After; webhooks are answered as usual."""
    booking = machine.until(machine.book(sandbox.door()), "ready")
    sandbox.arrange("POST", "/sandbox/settings", {"latency_seconds": 1})
    statuses: list[int] = []
    asking = [
        threading.Thread(target=lambda: statuses.append(reveal(web, booking.booking_id).status_code)) for _ in range(60)
    ]
    for each in asking:
        each.start()
    slowest = 0.0
    for _ in range(20):
        since = time.monotonic()
        assert web.webhook(event_of()).status_code == 202
        slowest = max(slowest, time.monotonic() - since)
    sandbox.arrange("POST", "/sandbox/settings", {"latency_seconds": 0})
    for each in asking:
        each.join(30)
    assert slowest < 1
    assert set(statuses) <= {200, 503}
    assert statuses.count(503) >= 60 - 36


def test_reveals_need_the_key_of_seam(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without it `web` names it and doesn't start."""
    for name in ("SEAM_API_KEY", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SEAM_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("REVEAL_TOKENS", REVEAL_TOKEN)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "SEAM_API_KEY is not set" in said
    assert "REDIS_URL is not set" in said
