"""The commands of upkeep on the running system: reveal, arrivals, backfill, reconcile, webhook."""

import json
from typing import Any

import pytest

from tests.sandbox.harness import in_days
from tests.support.machine import Machine


def stay(first: int = 1) -> dict[str, str]:
    """Return a stay that fits the slot 16:00 to 10:00."""
    times = (in_days(first, "15:45:00", offset=""), in_days(first + 3, "10:15:00", offset=""))
    return {"check_in": times[0], "check_out": times[1]}


def test_reveal_shows_the_pin_and_leaves_a_trace(machine: Machine) -> None:
    """The PIN is Seam's of this moment; who asked stands in the story, the PIN nowhere."""
    door = machine.add_door(("16:00", "10:00"))
    booking_id = machine.publish(device_ids=[door], **stay())
    machine.wait_for(booking_id, "ready")
    (code,) = machine.codes(door)
    shown = machine.oracode("codes", "reveal", booking_id, "--by", "anna@front-desk", "--json")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout) == {
        "device_id": door,
        "access_code_id": code["access_code_id"],
        "pin": code["pin"],
    }
    story = machine.booking(booking_id)["history"]
    (audit,) = [line for line in story if line["what"] == "pin.revealed"]
    assert "anna@front-desk" in audit["text"]
    assert code["pin"] not in json.dumps(story)
    assert code["pin"] in machine.oracode("codes", "reveal", booking_id).stdout


def test_reveal_without_a_code(machine: Machine) -> None:
    """Says so, with exit code 1."""
    booking_id = machine.publish(device_ids=[machine.add_door()], **stay())
    machine.wait_for(booking_id, "waiting")
    answer = machine.oracode("codes", "reveal", booking_id)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "no PIN to show" in answer.stderr
    assert machine.oracode("codes", "reveal", "nobody").returncode == 1


def test_retry_of_what_is_ready_changes_nothing(machine: Machine) -> None:
    """It says so with exit code 1, and leaves no line in the story."""
    booking_id = machine.publish(device_ids=[machine.add_door(("16:00", "10:00"))], **stay())
    machine.wait_for(booking_id, "ready")
    answer = machine.oracode("bookings", "retry", booking_id)
    assert (answer.returncode, "nothing to try again" in answer.stderr) == (1, True)
    assert "booking.retried" not in [line["what"] for line in machine.booking(booking_id)["history"]]


def test_arrivals_are_listed_with_what_to_do(machine: Machine) -> None:
    """The nearest first; exit 1 while anybody is at risk."""
    ready = machine.publish(device_ids=[machine.add_door(("16:00", "10:00"))], **stay())
    risky = machine.publish(device_ids=[machine.add_door(("03:00", "05:00"))], **stay())
    far = machine.publish(device_ids=[machine.add_door(("16:00", "10:00"))], **stay(9))
    for booking_id, state in ((ready, "ready"), (risky, "waiting"), (far, "ready")):
        machine.wait_for(booking_id, state)
    answer = machine.oracode("arrivals", "--json")
    assert answer.returncode == 1
    listed = {each["booking_id"]: each for each in map(json.loads, answer.stdout.splitlines())}
    assert (listed[ready]["readiness"], listed[risky]["readiness"]) == ("ready", "at risk")
    assert listed[risky]["next_step"]
    assert far not in listed
    assert far in machine.oracode("arrivals", "--hours", "400").stdout
    text = machine.oracode("arrivals").stdout
    assert "at risk" in text
    assert risky in text


def test_backfill_brings_what_was_missed(machine: Machine) -> None:
    """Into the story of its code; asked again, nothing is missing."""
    machine.seam("POST", "/sandbox/delivery", {"drop": 1.0})
    try:
        door = machine.add_door(("16:00", "10:00"))
        booking_id = machine.publish(device_ids=[door], **stay())
        machine.wait_for(booking_id, "ready")
        counts = json.loads(machine.oracode("events", "backfill", "--since", "1h", "--json").stdout)
        assert counts["added"] >= 1
        assert json.loads(machine.oracode("events", "backfill", "--since", "1h", "--json").stdout)["added"] == 0
    finally:
        machine.seam("POST", "/sandbox/delivery", {})
    for wrong in ("tomorrow", "2999-01-01"):
        assert machine.oracode("events", "backfill", "--since", wrong).returncode == 2


def test_reconcile_finds_every_difference(machine: Machine) -> None:
    """A code that was deleted, one that moved, and one that nobody booked."""
    door = machine.add_door(("16:00", "10:00"))
    ids = [machine.publish(device_ids=[door], **stay(first)) for first in (2, 3)]
    codes = {}
    for booking_id in ids:
        booking = machine.wait_for(booking_id, "ready")
        codes[booking_id] = booking["devices"][0]["access_code_id"]
    body = {"device_id": door, "name": "By hand", "is_offline_access_code": True, **_window()}
    by_hand = machine.seam("POST", "/access_codes/create", body)["access_code"]["access_code_id"]
    machine.seam("POST", "/sandbox/delivery", {"drop": 1.0})
    machine.seam("PATCH", f"/sandbox/access_codes/{codes[ids[0]]}", {"simulate": "removed"})
    answer = json.loads(machine.oracode("reconcile", "--since-days", "0", "--json").stdout)
    machine.seam("POST", "/sandbox/delivery", {})
    found = {each["access_code_id"]: each["kind"] for each in answer["differences"] if each["device_id"] == door}
    assert found == {codes[ids[0]]: "gone", by_hand: "no booking"}
    machine.wait_for(ids[0], "failed")


def test_reconcile_goes_on_past_a_door_that_seam_does_not_know(machine: Machine) -> None:
    """One line for the door, with its bookings; the comparison comes to its end."""
    booking_id = machine.publish(device_ids=["d0000000-0000-0000-0000-000000000404"], **stay())
    machine.wait_for(booking_id, "failed")
    answer = machine.oracode("reconcile", "--since-days", "0")
    assert answer.returncode == 1, answer.stderr
    (line,) = [
        line
        for line in answer.stdout.splitlines()
        if line.startswith("unknown door: d0000000-0000-0000-0000-000000000404.")
    ]
    assert booking_id in line
    assert "codes agree" in answer.stdout


def test_after_a_loss_everything_is_rebuilt_and_nothing_made_twice(machine: Machine) -> None:
    """The data server is emptied, the bookings are replayed, and each takes its own code back."""
    doors = [machine.add_door(("16:00", "10:00")) for _ in range(3)]
    bookings = [{"booking_id": f"LOST-{number}", "device_ids": [door], **stay()} for number, door in enumerate(doors)]
    for booking in bookings:
        machine.publish(**booking)
    for booking in bookings:
        machine.wait_for(str(booking["booking_id"]), "ready")
    before = {door: [code["access_code_id"] for code in machine.codes(door)] for door in doors}
    with machine.redis() as redis:
        redis.flushall()
    messages = "\n".join(map(json.dumps, bookings))
    answer = machine.oracode("reconcile", "--bookings", "-", "--json", stdin=messages)
    counts: dict[str, Any] = json.loads(answer.stdout)
    assert (counts["replayed"], counts["not_yet_applied"]) == (3, 0), answer
    for booking in bookings:
        machine.wait_for(str(booking["booking_id"]), "ready")
    assert {door: [code["access_code_id"] for code in machine.codes(door)] for door in doors} == before


def test_register_makes_one_webhook_and_tells_its_secret_once(machine: Machine) -> None:
    """A second for the same address would deliver everything twice."""
    url = "http://127.0.0.1:9/webhooks/seam"
    first = machine.oracode("webhook", "register", "--url", url)
    assert first.returncode == 0
    assert "SEAM_WEBHOOK_SECRET=whsec_" in first.stdout
    second = machine.oracode("webhook", "register", "--url", url)
    assert (second.returncode, "whsec_" in second.stdout) == (1, False)
    webhooks = machine.seam("POST", "/webhooks/list", {})["webhooks"]
    (made,) = [each for each in webhooks if each["url"] == url]
    # A list of types could not hold those that Seam adds later.
    assert made["event_types"] == ["*"]
    machine.seam("POST", "/webhooks/delete", {"webhook_id": made["webhook_id"]})


@pytest.mark.parametrize("url", ["ftp://a/webhooks/seam", "https://example.com/", "/webhooks/seam"])
def test_register_refuses_what_is_no_address_of_web(machine: Machine, url: str) -> None:
    """Before anything is made."""
    assert machine.oracode("webhook", "register", "--url", url).returncode == 2


def _window() -> dict[str, str]:
    return {"starts_at": in_days(20, "16:00:00", offset="-08:00"), "ends_at": in_days(22, "10:00:00", offset="-08:00")}
