"""One order for all that match: which they are is said first, and what became of each afterwards."""

import json

import pytest
from redis import Redis

from shared.contracts import OPS_STREAM
from shared.domain.booking.record import State
from shared.ops_commands import DISCARD, REPLAY, RETRY
from tests.console.bookings import DOOR, book, move
from tests.console.console import Console
from tests.console.test_booking_pages import HOSTILE, worker
from tests.console.test_other_pages import park
from tests.sandbox.harness import Sandbox
from tests.worker.machine import Machine, meanwhile


def test_what_matches_is_named_and_what_became_of_it(console: Console, redis_client: Redis) -> None:
    """Only what matches is ordered; what nothing can be done for is said, with the reason."""
    for number in range(3):
        book(redis_client, f"BK-{number}", state=State.FAILED, reason="refused_by_seam", label=HOSTILE)
    book(redis_client, "BK-ready")
    book(redis_client, "other", state=State.FAILED, reason="too_long")
    shown = console.api("GET", "/bulk/bookings?action=retry&q=BK", role="operator").json()
    assert (shown["matching"], shown["to_do"]) == (4, 3)
    assert {each["id"]: each["why_not"] for each in shown["targets"]}["BK-ready"].startswith("it is ready")
    body = {"action": "retry", "q": "BK", "why": "Seam is back", "mark": shown["mark"]}
    with worker(redis_client) as taken:
        answer = console.api("POST", "/bulk/bookings", role="operator", body=body).json()
    assert (answer["done"], [each["id"] for each in answer["not_done"]]) == (3, ["BK-ready"])
    assert "nothing to try again" in answer["not_done"][0]["why"]
    assert answer["text"] == "3 of 4 were done. For 1 there was nothing to do."
    assert sorted((it.action, it.target, it.by, it.reason) for it in taken) == [
        (RETRY, f"BK-{number}", "olaf", "Seam is back") for number in range(3)
    ]


def test_others_than_were_shown_are_not_meant(console: Console, redis_client: Redis) -> None:
    """409, and no order; what became of those that were shown doesn't matter."""
    book(redis_client, "BK-1", state=State.FAILED, reason="too_long")
    query = f"action=cancel&device_id={DOOR}"
    mark = console.api("GET", f"/bulk/bookings?{query}", role="operator").json()["mark"]
    move(redis_client, "BK-1", State.WAITING, "no_slot")
    assert console.api("GET", f"/bulk/bookings?{query}", role="operator").json()["mark"] == mark
    book(redis_client, "BK-2")
    body = {"action": "cancel", "device_id": DOOR, "why": "closed", "mark": mark}
    assert console.api("POST", "/bulk/bookings", role="operator", body=body).status_code == 409
    assert redis_client.xlen(OPS_STREAM) == 0


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"action": "cancel", "why": "closed"}, "filter"),
        ({"action": "forget", "q": "BK", "why": "closed"}, "action"),
        ({"action": "retry", "q": "BK", "why": ""}, "why"),
        ({"action": "retry", "state": "odd", "why": "closed"}, "state"),
    ],
)
def test_what_is_refused(console: Console, redis_client: Redis, body: dict[str, str], problem: str) -> None:
    """Everything there is can't be cancelled at once, and each order says why."""
    book(redis_client, "BK-1")
    answer = console.api("POST", "/bulk/bookings", role="operator", body=body)
    assert answer.status_code == 400
    assert any(problem in name for name in answer.json()["problems"])
    assert redis_client.xlen(OPS_STREAM) == 0


def test_a_viewer_is_refused(console: Console, redis_client: Redis) -> None:
    """On the page too; nor is it offered."""
    book(redis_client, "BK-1", state=State.FAILED, reason="too_long")
    browser = console.browser("viewer")
    assert "/bulk/" not in browser.get("/bookings").text
    for kind, action in (("bookings", "retry"), ("parked", "discard")):
        assert browser.get(f"/bulk/{kind}?action={action}").status_code == 403
        assert browser.post(f"/bulk/{kind}", action=action, why="because").status_code == 403
    assert redis_client.xlen(OPS_STREAM) == 0


def test_a_thousand_at_a_time(console: Console, redis_client: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first ones are meant, and how many are left is said."""
    monkeypatch.setattr("receiver.console.views.bulk.MOST", 2)
    for number in range(3):
        book(redis_client, f"BK-{number}", hours=number + 1, state=State.FAILED, reason="too_long")
    for query in ("state=failed", "q=BK", "reason=too_long", ""):
        shown = console.api("GET", f"/bulk/bookings?action=retry&{query}", role="operator").json()
        assert [each["id"] for each in shown["targets"]] == ["BK-0", "BK-1"]
        assert shown["matching"] == 3
    with worker(redis_client):
        body = {"action": "retry", "state": "failed", "why": "again"}
        answer = console.api("POST", "/bulk/bookings", role="operator", body=body).json()
    assert (answer["done"], answer["left"]) == (2, 1)
    assert "1 more match" in answer["text"]


def test_what_no_worker_does_is_said(console: Console, redis_client: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """The orders stay in the stream, and nothing is called done."""
    monkeypatch.setattr("receiver.console.commands._WAIT_FOR_MANY", 0.2)
    book(redis_client, "BK-1", state=State.FAILED, reason="too_long")
    body = {"action": "retry", "state": "failed", "why": "again"}
    answer = console.api("POST", "/bulk/bookings", role="operator", body=body).json()
    assert (answer["done"], answer["not_yet"], answer["not_done"]) == (0, ["BK-1"], [])
    assert "1 are ordered, and not done yet" in answer["text"]
    assert redis_client.xlen(OPS_STREAM) == 1


def test_cancelled_by_a_real_worker(console: Console, machine: Machine, sandbox: Sandbox) -> None:
    """By the page: the preview, the order, and each booking's own story."""
    door = sandbox.door()
    bookings = [machine.book(door, label="Closed wing") for _ in range(3)]
    machine.redis.delete("booking-created")
    machine.cancel(bookings[0])
    browser = console.browser("operator")
    page = browser.get(f"/bulk/bookings?action=cancel&device_id={door}").text
    assert "2 of 3 will be cancelled" in page
    (mark,) = {part.partition('"')[0] for part in page.split('name="mark" value="')[1:]}
    with meanwhile(machine.run_commands), meanwhile(machine.apply_all):
        done = browser.post("/bulk/bookings", action="cancel", device_id=door, mark=mark, why="water damage")
    assert "2 of 3 were done. For 1 there was nothing to do." in done.text
    assert "it is cancelled already" in done.text
    for booking in bookings[1:]:
        assert machine.ledger.get(booking.booking_id).cancelled
        assert any("water damage" in each.text for each in machine.ledger.history(booking.booking_id))


def test_parked_messages(console: Console, redis_client: Redis) -> None:
    """Filtered by what is wrong; replayed as they are, or discarded with the reason."""
    for number in range(3):
        park(redis_client, json.dumps({"booking_id": f"BK-{number}"}))
    listed = console.api("GET", "/parked?q=bk-1").json()
    assert (listed["total"], listed["all"], listed["fields"]) == (1, 3, ["check_in"])
    assert console.api("GET", "/parked?field=check_out").json()["total"] == 0
    shown = console.api("GET", "/bulk/parked?action=discard&q=BK-1", role="operator").json()
    (target,) = shown["targets"]
    with worker(redis_client) as taken:
        body = {"action": "discard", "q": "BK-1", "why": "sent again", "mark": shown["mark"]}
        answer = console.api("POST", "/bulk/parked", role="operator", body=body).json()
        # This worker only takes the orders.
        assert (answer["done"], answer["not_yet"]) == (0, [target["id"]])
        console.browser("operator").post("/bulk/parked", action="replay", field="check_in", why="the unit is there now")
    assert [it.action for it in taken] == [DISCARD, REPLAY, REPLAY, REPLAY]
    assert {it.reason for it in taken} == {"sent again", "the unit is there now"}


def test_parked_messages_by_a_real_worker(console: Console, machine: Machine) -> None:
    """Many are gone, and people are told once."""
    for number in range(20):
        machine.apply(machine.append(json.dumps({"booking_id": f"BK-{number}"})))
    with meanwhile(machine.run_commands):
        body = {"action": "discard", "field": "check_in", "why": "a test"}
        answer = console.api("POST", "/bulk/parked", role="operator", body=body).json()
    assert (answer["done"], answer["not_done"], machine.parked.count()) == (20, [], 0)
