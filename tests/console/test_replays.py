"""After a replay a person reads what became of the message: applied, parked again and why, or not worked on yet."""

import json
from typing import Any

import pytest
from redis import Redis

from shared import redis_keys
from shared.contracts import OPS_STREAM
from shared.ops_commands import REPLAY, OpsCommand
from shared.parked import ParkedList
from tests.console.bookings import DOOR
from tests.console.console import Console
from tests.console.test_booking_pages import HOSTILE
from tests.console.test_other_pages import park
from tests.sandbox.harness import Sandbox, in_days
from tests.worker.machine import Machine, meanwhile


def work(machine: Machine) -> None:
    """Do what a worker does for commands and bookings."""
    machine.run_commands()
    machine.apply_all()


def unread(machine: Machine, sandbox: Sandbox, booking_id: str) -> dict[str, Any]:
    """Park a message whose check-in can't be read; return it."""
    stay = {"check_in": "tomorrow", "check_out": in_days(5, "10:15:00")}
    message = {"booking_id": booking_id, "device_ids": [sandbox.door()], **stay}
    machine.apply(machine.append(json.dumps(message)))
    return message


def test_a_mended_message_is_applied(console: Console, machine: Machine, sandbox: Sandbox) -> None:
    """The page leads to the booking; so does the API, for a week, and the message's own address leads to the page."""
    message = unread(machine, sandbox, "BK-1/change")
    (entry,) = machine.parked.list()
    path = f"/parked/{entry.parked_id}/replay"
    browser = console.browser("operator")
    mended = json.dumps(message | {"check_in": in_days(2, "15:45:00")})
    with meanwhile(lambda: work(machine)):
        answer = browser.post(path, message=mended)
    assert answer.headers["location"] == path
    page = browser.follow(answer).text
    assert "Applied" in page
    assert "olaf put it back into booking-created, corrected, at" in page
    assert '<a href="/bookings/BK-1%2Fchange">' in page
    assert "data-watch" not in page
    told = console.api("GET", path).json()
    booking = machine.ledger.get("BK-1/change")
    assert {name: told[name] for name in ("outcome", "done", "booking_id", "revision", "state")} == {
        "outcome": "applied",
        "done": True,
        "booking_id": "BK-1/change",
        "revision": 0,
        "state": str(booking.state),
    }
    gone = browser.get(f"/parked/{entry.parked_id}")
    assert gone.status_code == 404
    assert f'<a href="{path}">What became of it</a>' in gone.text
    late = console.api("POST", path, role="operator", body={})
    assert (late.status_code, late.json()["links"]) == (404, {"What became of it": f"/api{path}"})
    assert console.send("GET", f"/api{path}").json().get("links") is None


def test_a_message_is_parked_again(console: Console, machine: Machine, sandbox: Sandbox) -> None:
    """With every problem, and a link to the message as it is parked now."""
    unread(machine, sandbox, HOSTILE.replace("\u202e", ""))
    (entry,) = machine.parked.list()
    path = f"/parked/{entry.parked_id}/replay"
    with meanwhile(lambda: work(machine)):
        told = console.api("POST", path, role="operator", body={}).json()
    (again,) = machine.parked.list()
    assert (told["outcome"], told["done"], told["parked_again"]) == ("parked", True, again.parked_id)
    assert told["problems"][0]["field"] == "check_in"
    assert "neither a time nor a date" in told["text"]
    page = console.browser("viewer").get(path).text
    assert f'<a href="/parked/{again.parked_id}">' in page
    assert "Parked again" in page
    assert told["is_parked"]
    assert told["booking_id"] == HOSTILE.replace("\u202e", "")
    machine.parked.discard(again)
    later = console.api("GET", path).json()
    assert later["text"] == f"{told['text']} It is no longer on the list."
    assert (later["problems"], later["parked_again"], later["is_parked"]) == (told["problems"], again.parked_id, False)
    page = console.browser("viewer").get(path).text
    assert f"/parked/{again.parked_id}" not in page
    assert "neither a time nor a date" in page


def test_it_is_watched_until_a_worker_works_on_it(
    console: Console, machine: Machine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First nobody takes the order, then nobody the message: it is said each time, and read again by loading."""
    monkeypatch.setattr("receiver.console.commands._WAIT", 0.2)
    message = unread(machine, sandbox, "BK-1")
    (entry,) = machine.parked.list()
    path, browser = f"/parked/{entry.parked_id}/replay", console.browser("operator")
    assert browser.get(path).status_code == 404
    page = browser.follow(browser.post(path, message=json.dumps(message | {"check_in": in_days(2, "15:45:00")}))).text
    assert "The order is stored, and no worker has done it yet." in page
    assert "data-watch" in page
    assert '<noscript><meta http-equiv="refresh"' in page
    machine.run_commands()
    waiting = console.api("GET", path).json()
    assert (waiting["outcome"], waiting["done"]) == ("waiting", False)
    assert "It is back in booking-created" in waiting["text"]
    machine.apply_all()
    assert console.api("GET", path).json()["outcome"] == "applied"
    assert "Applied" in browser.get(path).text


def test_what_nobody_noted_is_said(console: Console, redis_client: Redis) -> None:
    """A worker of another version took it, or somebody discarded it; one that was never replayed is not found."""
    parked = ParkedList(redis_client)
    entry = parked.get(park(redis_client, json.dumps({"booking_id": "BK-1", "device_ids": [DOOR]})))
    assert entry is not None
    parked.replay(entry)
    redis_client.delete("booking-created")
    told = console.api("GET", f"/parked/{entry.parked_id}/replay").json()
    assert (told["outcome"], told["done"]) == ("not_noted", True)
    assert "by a worker of another version" in told["text"]
    page = console.browser("viewer").get(f"/parked/{entry.parked_id}/replay").text
    assert "It went back to booking-created at" in page
    for unknown in ("1-1", "x", "%2E%2E"):
        assert console.api("GET", f"/parked/{unknown}/replay").status_code == 404


def test_many_at_once(console: Console, machine: Machine, sandbox: Sandbox) -> None:
    """What became of each is said with the answer, and found by its address afterwards."""
    good = {"device_ids": [sandbox.door()], "check_in": in_days(2, "15:45:00"), "check_out": in_days(5, "10:15:00")}
    ids = [park(machine.redis, json.dumps({"booking_id": f"BK-{number}"} | good)) for number in range(3)]
    bad = park(machine.redis, json.dumps({"booking_id": HOSTILE}))
    browser = console.browser("operator")
    with meanwhile(lambda: work(machine)):
        answer = browser.post("/bulk/parked", action="replay", field="check_in", why="the unit is there now")
    page = browser.follow(answer).text
    assert "Of 4 messages: 3 applied, 1 parked again." in page
    assert "olaf ordered it at" in page
    assert "<script>alert" not in page
    for number in range(3):
        assert f'<a href="/bookings/BK-{number}">' in page
    told = console.api("GET", answer.headers["location"]).json()
    assert (told["done"], told["not_yet"], [it["id"] for it in told["not_done"]]) == (3, [], [bad])
    assert {it["parked_id"]: it["outcome"] for it in told["replays"]} == dict.fromkeys(ids, "applied") | {bad: "parked"}
    (again,) = machine.parked.list()
    assert f'<a href="/parked/{again.parked_id}">As it is parked now</a>' in page


def test_many_that_no_worker_takes(console: Console, redis_client: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are ordered, and each is read again as it goes on."""
    monkeypatch.setattr("receiver.console.commands._WAIT_FOR_MANY", 0.0)
    monkeypatch.setattr("receiver.console.views.bulk_parked._SEEN_WITHIN", 0.0)
    ids = [park(redis_client, json.dumps({"booking_id": f"BK-{number}"})) for number in range(2)]
    told = console.api("POST", "/bulk/parked", role="operator", body={"action": "replay", "why": "again"}).json()
    assert (told["done"], told["not_yet"], told["text"]) == (0, ids, "Of 2 messages: 2 not worked on yet.")
    # As a worker of an older version discards it.
    redis_client.xdel(redis_keys.PARKED, ids[0])
    redis_client.delete(OPS_STREAM)
    path = f"/bulk/parked/{told['bulk_id']}"
    outcomes = {it["parked_id"]: it["outcome"] for it in console.api("GET", path).json()["replays"]}
    assert outcomes == {ids[0]: "not_noted", ids[1]: "waiting"}
    page = console.browser("viewer").get(path).text
    assert "data-watch" in page
    for unknown in ("0" * 16, "x", "%2E%2E"):
        assert console.api("GET", f"/bulk/parked/{unknown}").status_code == 404


def test_two_who_replay_the_same(console: Console, machine: Machine, sandbox: Sandbox) -> None:
    """It is replayed once, and both read what became of it."""
    unread(machine, sandbox, "BK-1")
    (entry,) = machine.parked.list()
    machine.append_command(OpsCommand(action=REPLAY, target=entry.parked_id, by="rita"))
    with meanwhile(lambda: work(machine)):
        told = console.api("POST", f"/parked/{entry.parked_id}/replay", role="operator", body={}).json()
    assert (told["outcome"], told["by"]) == ("parked", "rita")
    assert machine.parked.count() == 1
