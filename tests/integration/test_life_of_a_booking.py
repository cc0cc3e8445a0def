"""Bookings through the real system: stream, dispatcher, Celery, Seam over HTTP, webhooks, ledger, alerts."""

import json
from datetime import timedelta
from typing import Any

from shared.clock import system_clock
from tests.support.machine import Machine
from tests.support.waiting import wait_until

HOTEL = ("16:00", "10:00")


def _nights(first: int = 3, last: int = 6) -> dict[str, str]:
    today = system_clock().date()
    check_in, check_out = today + timedelta(days=first), today + timedelta(days=last)
    return {"check_in": f"{check_in}T15:45", "check_out": f"{check_out}T10:15"}


def test_a_booking_goes_from_the_stream_to_ready(machine: Machine) -> None:
    """XADD → received → creating → issued → ready, one code, and the entry is gone from its stream."""
    door = machine.add_door(HOTEL)
    booking_id = machine.publish(device_ids=[door], label="Room 7", **_nights())
    booking = machine.wait_for(booking_id, "ready")
    (code,) = machine.codes(door)
    assert code["name"].startswith(booking_id)
    assert booking["devices"][0]["access_code_id"] == code["access_code_id"]
    states = [line["what"] for line in booking["history"] if line["what"].startswith("booking.")]
    assert states == ["booking.received", "booking.creating", "booking.issued", "booking.ready"]
    with machine.redis() as redis:
        wait_until(lambda: redis.xlen("booking-created") == 0, what="the stream is empty")


def test_outcomes_are_published_once_and_in_order(machine: Machine) -> None:
    """The booking system reads issued, then ready, as CloudEvents, and never a PIN."""
    door = machine.add_door(HOTEL)
    booking_id = machine.publish(device_ids=[door], **_nights())
    machine.wait_for(booking_id, "ready")

    def outcomes() -> list[dict[str, Any]]:
        with machine.redis() as redis:
            entries: Any = redis.xrange("access-code-outcomes")
        events = [json.loads(fields["message"]) for _, fields in entries]
        return [event for event in events if event["subject"] == booking_id]

    wait_until(lambda: len(outcomes()) == 2, what="two outcomes")
    assert [event["type"] for event in outcomes()] == ["access-code.issued", "access-code.ready"]
    assert [event["id"] for event in outcomes()] == [f"{booking_id}/1", f"{booking_id}/2"]
    assert set(outcomes()[1]["data"]["devices"][0]) >= {
        "device_id",
        "access_code_id",
        "status",
        "starts_at",
        "ends_at",
    }


def test_a_booking_that_fits_no_slot_waits_and_goes_on_when_the_slots_change(machine: Machine) -> None:
    """It waits, a person is told, the installer adds a slot, it goes on by itself and the alert is resolved."""
    door = machine.add_door(("07:00", "19:00"))
    booking_id = machine.publish(device_ids=[door], **_nights())
    booking = machine.wait_for(booking_id, "waiting")
    assert booking["reason"] == "no_slot"
    wait_until(lambda: _alerts(machine, booking_id) == ["open"], what="the alert")
    slots = [{"name": "Guest", "check_in": "16:00", "check_out": "10:00"}]
    machine.seam("PATCH", f"/sandbox/devices/{door}", {"slots": slots})
    machine.wait_for(booking_id, "ready")
    wait_until(lambda: _alerts(machine, booking_id) == ["open", "resolved"], what="the alert is resolved")
    assert len(machine.codes(door)) == 1


def test_a_stay_that_is_too_long_fails_at_once_with_what_to_do(machine: Machine) -> None:
    """Forty nights can't be served by an Oracode lock: a person is told so, and no code is made."""
    door = machine.add_door(HOTEL)
    booking_id = machine.publish(device_ids=[door], **_nights(3, 43))
    booking = machine.wait_for(booking_id, "failed")
    assert booking["reason"] == "too_long"
    wait_until(lambda: _alerts(machine, booking_id) == ["open"], what="the alert")
    (alert,) = [each for each in machine.alerts() if booking_id in each["key"]]
    assert "31 days" in alert["happened"]
    assert alert["next_step"]
    assert machine.codes(door) == []


def test_one_booking_on_two_doors_has_one_verdict_and_names_the_door_that_holds_it_back(machine: Machine) -> None:
    """One door has no slot; the other gets its code all the same."""
    good, bad = machine.add_door(HOTEL), machine.add_door()
    booking_id = machine.publish(device_ids=[good, bad], **_nights())
    booking = machine.wait_for(booking_id, "waiting")
    assert booking["held_back_by"] == bad
    wait_until(lambda: len(machine.codes(good)) == 1, what="the good door's code")
    assert machine.codes(bad) == []


def test_a_bad_message_is_parked_with_every_problem_and_holds_up_nobody(machine: Machine) -> None:
    """The next message is handled meanwhile; the parked one is listed, and can be discarded."""
    door = machine.add_door(HOTEL)
    machine.publish(booking_id="BAD-1", check_in="soon", check_out="later")
    booking_id = machine.publish(device_ids=[door], **_nights())
    machine.wait_for(booking_id, "ready")

    def parked() -> list[dict[str, Any]]:
        lines = machine.oracode("parked", "list", "--json").stdout.splitlines()
        return [entry for entry in map(json.loads, lines) if "BAD-1" in entry["message"]]

    entry = wait_until(parked, what="the parked message")[0]
    named = {problem.split(":")[0] for problem in entry["problems"]}
    assert {"check_in", "check_out"} <= named
    assert any("device_ids" in problem for problem in entry["problems"])
    assert machine.oracode("parked", "discard", entry["parked_id"]).returncode == 0
    assert parked() == []


def test_a_seam_that_is_away_delays_and_loses_nothing(machine: Machine) -> None:
    """Bookings that arrive during an outage get their codes after it, one each."""
    door = machine.add_door(HOTEL)
    machine.seam("POST", "/sandbox/outage", {"on": True})
    booking_id = machine.publish(device_ids=[door], **_nights())
    booking = machine.wait_for(booking_id, "scheduled")
    assert booking["reason"] == "seam_unavailable"
    machine.seam("POST", "/sandbox/outage", {"on": False})
    machine.wait_for(booking_id, "ready", within=60)
    assert len(machine.codes(door)) == 1


def test_a_create_whose_answer_never_comes_is_looked_up_and_not_repeated(machine: Machine) -> None:
    """The code was made, the answer timed out: it is found at Seam by its name and taken over."""
    door = machine.add_door(HOTEL)
    fault = {"operation": "access_codes.create", "kind": "timeout_after", "times": 1, "device_id": door}
    machine.seam("POST", "/sandbox/faults", fault)
    booking_id = machine.publish(device_ids=[door], **_nights())
    booking = machine.wait_for(booking_id, "ready", within=60)
    assert len(machine.codes(door)) == 1
    assert "code.adopted" in [line["what"] for line in booking["history"]]


def test_a_cancelled_booking_says_until_when_its_code_opens_the_door(machine: Machine) -> None:
    """Oracode codes can't be taken back: the residual access is reported, and nothing new is made."""
    door = machine.add_door(HOTEL)
    booking_id = machine.publish(device_ids=[door], **_nights())
    machine.wait_for(booking_id, "ready")
    machine.publish(booking_id=booking_id, type="booking.cancelled", revision=1)
    booking = machine.wait_for(booking_id, "cancelled")
    assert booking["residual_access_until"] is not None
    assert len(machine.codes(door)) == 1


def test_no_secret_reaches_redis_a_log_or_an_alert(machine: Machine) -> None:
    """Every PIN, key and secret that was handed out is searched for wherever something is written."""
    door = machine.add_door(HOTEL, pin_at_create=True)
    machine.wait_for(machine.publish(device_ids=[door], **_nights()), "ready")
    secrets = machine.seam("GET", "/sandbox/secrets")
    pins = [*secrets["pins"]]
    assert pins
    written = machine.logs() + _everything_in_redis(machine) + json.dumps(machine.alerts())
    found = [secret for secret in (*pins, *secrets["api_keys"], *secrets["webhook_secrets"]) if secret in written]
    # Six digits turn up in ids and times by chance: a PIN only counts where it stands for itself.
    leaked = [secret for secret in found if _stands_alone(secret, written)]
    assert leaked == []


def test_a_process_that_dies_comes_back_and_run_json_says_so(machine: Machine) -> None:
    """`kill -9` of the worker: another one takes over, and a booking published meanwhile is served."""
    import os  # noqa: PLC0415
    import signal  # noqa: PLC0415

    before = machine.run()["pids"]["worker"]
    os.kill(before, signal.SIGKILL)
    door = machine.add_door(HOTEL)
    booking_id = machine.publish(device_ids=[door], **_nights())
    wait_until(lambda: machine.run()["pids"].get("worker") not in (None, before), what="a new worker")
    machine.wait_for(booking_id, "ready")


def test_bytes_that_are_no_text_are_parked_and_never_become_a_booking(machine: Machine) -> None:
    """Replaced characters would make two ids one; the next message is handled as ever."""
    door = machine.add_door(HOTEL)
    message = json.dumps({"booking_id": "NU?", "device_ids": [door], **_nights()}).encode().replace(b"?", b"\xff")
    with machine.redis() as redis:
        redis.xadd("booking-created", {"message": message})
        redis.xadd("seam-events", {"event": b"\xff"})
    machine.wait_for(machine.publish(device_ids=[door], **_nights()), "ready")

    def parked() -> list[str]:
        lines = machine.oracode("parked", "list", "--json").stdout.splitlines()
        return [entry["stream"] for entry in map(json.loads, lines) if "not UTF-8" in entry["problems"][0]]

    wait_until(lambda: "booking-created" in parked(), what="the parked booking")
    assert len(machine.codes(door)) == 1


def test_coverage_counts_the_bookings_of_the_ledger(machine: Machine) -> None:
    """Without files: bookings from the ledger, doors from Seam."""
    door = machine.add_door(("07:00", "19:00"))
    machine.wait_for(machine.publish(device_ids=[door], **_nights()), "waiting")
    answer = machine.oracode("coverage", "--json", "--share", "1")
    assert answer.stdout, answer.stderr
    counted = json.loads(answer.stdout)
    assert answer.returncode == 1
    assert counted["stays"] >= 1
    assert door in answer.stdout


def test_the_doctor_finds_nothing_bad(machine: Machine) -> None:
    """A fresh system with the sandbox is healthy; single doors may have warnings."""
    answer = machine.oracode("doctor", "--json")
    findings = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [finding for finding in findings if finding["verdict"] == "bad"] == []
    assert answer.returncode == 0
    processes = {each["subject"]: each for each in findings if each["subject"].startswith("process ")}
    assert {name: each["verdict"] for name, each in processes.items()} == {
        f"process {name}": "ok" for name in ("web", "worker", "beat", "console")
    }
    assert f"pid {machine.run()['pids']['beat']} on" in processes["process beat"]["text"]


def _alerts(machine: Machine, booking_id: str) -> list[str]:
    return [alert["status"] for alert in machine.alerts() if booking_id in alert["key"]]


def _everything_in_redis(machine: Machine) -> str:
    with machine.redis() as redis:
        kept = []
        for key in redis.scan_iter("*"):
            match redis.type(key):
                case "string":
                    kept.append(redis.get(key))
                case "hash":
                    kept.append(redis.hgetall(key))
                case "list":
                    kept.append(redis.lrange(key, 0, -1))
                case "stream":
                    kept.append(redis.xrange(key))
                case "zset":
                    kept.append(redis.zrange(key, 0, -1))
                case other:
                    kept.append(f"{key}: {other}")
        return json.dumps(kept)


def _stands_alone(secret: str, text: str) -> bool:
    import re  # noqa: PLC0415

    return re.search(rf"(?<![0-9A-Za-z-.:]){re.escape(secret)}(?![0-9A-Za-z-])", text) is not None
