"""Several people order something of one parked message before a worker acts: each is told what became of it."""

import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from redis import Redis

from shared import redis_keys
from shared.contracts import OPS_STREAM
from shared.ops_commands import DISCARD, REPLAY, OpsCommand
from shared.parked import ParkedEntry, ParkedList
from tests.console.bookings import DOOR
from tests.console.console import Console
from tests.console.test_booking_pages import HOSTILE
from tests.console.test_other_pages import park
from tests.console.test_replays import unread, work
from tests.sandbox.harness import Sandbox, in_days
from tests.worker.machine import Machine, meanwhile


def once_ordered(machine: Machine, orders: int) -> Callable[[], None]:
    """Return what a worker does that comes only once there are so many orders."""
    has_begun = False

    def do() -> None:
        nonlocal has_begun
        has_begun = has_begun or machine.redis.xlen(OPS_STREAM) >= orders
        if has_begun:
            work(machine)

    return do


def parked(machine: Machine, sandbox: Sandbox, booking_id: str = "BK-1") -> tuple[ParkedEntry, str, str]:
    """Park a message; return it with two corrections that differ."""
    message = unread(machine, sandbox, booking_id)
    *_, entry = machine.parked.list()
    early, late = (json.dumps(message | {"check_in": in_days(days, "15:45:00")}) for days in (2, 3))
    return entry, early, late


def first(machine: Machine, entry: ParkedEntry, action: str = REPLAY, **fields: str) -> None:
    """Have rita order something, before anybody else."""
    machine.append_command(OpsCommand(action=action, target=entry.parked_id, by="rita", **fields))  # type: ignore[arg-type]


def test_a_discard_after_a_replay_did_nothing(console: Console, machine: Machine, sandbox: Sandbox) -> None:
    """The message became a booking: the answer says which, by API and page, and so does the message's page."""
    entry, early, _ = parked(machine, sandbox)
    first(machine, entry, message=early)
    path, body = f"/parked/{entry.parked_id}", {"reason": "sent twice"}
    with meanwhile(once_ordered(machine, 2)):
        told = console.api("POST", f"{path}/discard", role="operator", body=body).json()
    assert (told["done"], told["outcome"], told["booking_id"]) == (False, "refused", "BK-1")
    assert told["text"].startswith(
        "rita replayed the message before; your discard did nothing. It was applied as booking BK-1, revision 0."
    )
    became = console.api("GET", f"{path}/replay").json()
    assert became["outcome"] == "applied"
    (late,) = became["too_late"]
    assert late.startswith("olaf ordered a discard at ")
    assert late.endswith(" UTC: that came too late, and did nothing.")
    assert "olaf ordered a discard at" in console.browser("viewer").get(f"{path}/replay").text
    entry, early, _ = parked(machine, sandbox, "BK-2")
    first(machine, entry, message=early)
    browser = console.browser("operator")
    with meanwhile(once_ordered(machine, 2)):
        answer = browser.post(f"/parked/{entry.parked_id}/discard", **body)
    assert answer.headers["location"] == f"/parked/{entry.parked_id}/replay"
    page = browser.follow(answer).text
    assert "your discard did nothing" in page
    assert '<a href="/bookings/BK-2">' in page


def test_a_replay_after_a_discard_did_nothing(console: Console, machine: Machine, sandbox: Sandbox) -> None:
    """The answer says who discarded it and why; so do the pages, for a week."""
    entry, early, _ = parked(machine, sandbox)
    first(machine, entry, DISCARD, reason=HOSTILE)
    path = f"/parked/{entry.parked_id}"
    with meanwhile(once_ordered(machine, 2)):
        told = console.api("POST", f"{path}/replay", role="operator", body={"message": early}).json()
    assert (told["outcome"], told["done"], told["by"]) == ("discarded", True, "rita")
    assert told["yours"] == "rita discarded the message before; your correction did nothing."
    assert machine.ledger.get_many(["BK-1"]) == {}
    browser = console.browser("viewer")
    for page in (browser.get(f"{path}/replay"), browser.get(path)):
        assert "rita discarded it at" in page.text
        assert "<script>alert" not in page.text
    gone = console.api("POST", f"{path}/discard", role="operator", body={"reason": "again"})
    assert (gone.status_code, gone.json()["links"]) == (404, {"What became of it": f"/api{path}/replay"})
    assert (
        0 < int(machine.redis.ttl(redis_keys.discard_note(entry.parked_id))) <= redis_keys.REPLAYS_FOR.total_seconds()
    )


def test_two_discards_are_one(console: Console, machine: Machine, sandbox: Sandbox) -> None:
    """The second is told that it is gone, and by whom: that is what was wanted."""
    entry, *_ = parked(machine, sandbox)
    first(machine, entry, DISCARD)
    with meanwhile(once_ordered(machine, 2)):
        body = {"reason": "sent twice"}
        told = console.api("POST", f"/parked/{entry.parked_id}/discard", role="operator", body=body).json()
    assert (told["done"], told["outcome"]) == (True, "done")
    assert told["text"].startswith("rita discarded the message before")
    assert console.api("GET", f"/parked/{entry.parked_id}/replay").json()["too_late"] == []


@pytest.mark.parametrize(
    ("theirs", "mine", "yours"),
    [
        ("late", "early", "Another correction by rita was applied; yours was not used."),
        ("early", "early", ""),
        ("late", "", "A correction by rita was applied; yours was not used."),
        ("", "late", "rita replayed the message before, as it was; your correction was not used."),
    ],
)
def test_the_correction_that_was_not_used_is_told(
    console: Console, machine: Machine, sandbox: Sandbox, *, theirs: str, mine: str, yours: str
) -> None:
    """One of two texts counts, and whose it was is said; of the same text, only what became of it."""
    entry, early, late = parked(machine, sandbox)
    texts = {"early": early, "late": late, "": ""}
    first(machine, entry, message=texts[theirs])
    path = f"/parked/{entry.parked_id}/replay"
    with meanwhile(once_ordered(machine, 2)):
        told = console.api("POST", path, role="operator", body={"message": texts[mine]}).json()
    assert (told["outcome"], told["yours"]) == ("not_used" if yours else "applied", yours)
    assert told["by"] == "rita"
    assert told["text"].startswith(yours or "It was applied as booking BK-1")
    assert told["booking_id"] == "BK-1"
    became = console.api("GET", path).json()
    assert became["outcome"] == ("applied" if theirs else "parked")
    assert [line.split(" at ")[0] for line in became["too_late"]] == (
        [f"olaf ordered a {'correction' if mine else 'replay as it was'}"] if yours else []
    )


def test_the_page_leads_to_what_was_used(console: Console, machine: Machine, sandbox: Sandbox) -> None:
    """The person whose text was not used reads so, and beside it the booking that the other one made."""
    entry, early, late = parked(machine, sandbox)
    first(machine, entry, message=late)
    browser = console.browser("operator")
    with meanwhile(once_ordered(machine, 2)):
        answer = browser.post(f"/parked/{entry.parked_id}/replay", message=early)
    page = browser.follow(answer).text
    assert "Another correction by rita was applied; yours was not used." in page
    assert '<a href="/bookings/BK-1">' in page


def test_an_order_that_is_carried_out_twice_is_not_late(machine: Machine, sandbox: Sandbox) -> None:
    """A worker is killed after it has done it: the next one finds that it was this very order."""
    for action in (REPLAY, DISCARD):
        machine.run_command(OpsCommand(action=action, target="1-1", by="rita"))
        entry, *_ = parked(machine, sandbox)
        order = machine.append_command(OpsCommand(action=action, target=entry.parked_id, by="rita"))
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("worker.handlers.run_ops_command.acknowledge", lambda *_, **__: None)
            machine.handlers.run_ops_command(order)
        machine.handlers.run_ops_command(order)
        assert not machine.redis.exists(redis_keys.late_orders(entry.parked_id), redis_keys.late_orders("1-1"))


def test_an_older_worker_notes_nothing(console: Console, machine: Machine, sandbox: Sandbox) -> None:
    """Then it isn't known whether the message was discarded, and that is said."""
    entry, *_ = parked(machine, sandbox)
    with meanwhile(lambda: machine.redis.xlen(OPS_STREAM) and machine.redis.delete(OPS_STREAM, redis_keys.PARKED)):
        body = {"reason": "sent twice"}
        told = console.api("POST", f"/parked/{entry.parked_id}/discard", role="operator", body=body).json()
    assert told["done"]
    assert told["text"].startswith("A worker of an older version carried out the order, and noted nothing.")


def test_waiting_orders_are_shown(console: Console, redis_client: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both kinds, with who gave them and since when: in the list, on the message's page, in the API."""
    monkeypatch.setattr("receiver.console.commands._WAIT", 0.2)
    ids = [park(redis_client, json.dumps({"booking_id": f"BK-{number}", "device_ids": [DOOR]})) for number in range(3)]
    browser = console.browser("operator")
    discarded = console.api("POST", f"/parked/{ids[0]}/discard", role="operator", body={"reason": HOSTILE}).json()
    assert (discarded["outcome"], bool(discarded["order"])) == ("waiting", True)
    browser.post(f"/parked/{ids[1]}/replay", message="")
    rows = {row["parked_id"]: row["orders"] for row in console.api("GET", "/parked").json()["parked"]}
    shown = [[(it["action"], it["what"], it["by"]) for it in rows[each]] for each in ids]
    assert shown == [[(DISCARD, "a discard", "olaf")], [(REPLAY, "a replay", "olaf")], []]
    (told,) = console.api("GET", f"/parked/{ids[0]}").json()["orders"]
    assert (told["order"], told["why"]) == (discarded["order"], HOSTILE.replace("\u202e", "\\u202e"))
    assert told["given_at"]
    listed = browser.get("/parked").text
    assert listed.count("No worker gives signs of life now") == 2
    assert '<noscript><meta http-equiv="refresh"' in listed
    assert "data-watch" in listed
    for parked_id, what in ((ids[0], "a discard"), (ids[1], "a replay")):
        page = browser.get(f"/parked/{parked_id}").text
        assert f"olaf ordered {what} at" in page
        # What somebody corrects here must stay.
        assert "data-watch" not in page
        assert "<script>alert" not in page
        waiting = console.api("GET", f"/parked/{parked_id}/replay").json()
        assert (waiting["outcome"], waiting["by"], len(waiting["orders"])) == ("waiting", "olaf", 1)
        assert f"olaf ordered {what} at" in browser.get(f"/parked/{parked_id}/replay").text
    assert "ordered" not in browser.get(f"/parked/{ids[2]}").text
    redis_client.delete(OPS_STREAM)
    assert "data-watch" not in browser.get(f"/parked?q={quote('BK-2')}").text


def test_many_that_somebody_replayed_before(console: Console, machine: Machine, sandbox: Sandbox) -> None:
    """They are not among the discarded, and what became of each is said."""
    entry, early, _ = parked(machine, sandbox)
    parked(machine, sandbox, "BK-2")
    first(machine, entry, message=early)
    browser = console.browser("operator")
    with meanwhile(once_ordered(machine, 3)):
        answer = browser.post("/bulk/parked", action="discard", why="all sent again")
    page = browser.follow(answer).text
    assert "1 of 2 were discarded. 1 was replayed before, so the discard did nothing." in page
    assert '<a href="/bookings/BK-1">' in page
    told = console.api("GET", answer.headers["location"]).json()
    ((_, why),) = [(it["id"], it["why"]) for it in told["not_done"]]
    assert (told["done"], why.startswith("It was replayed before. It was applied as booking BK-1")) == (1, True)
    assert ParkedList(machine.redis).count() == 0


def test_many_replays_of_what_was_discarded_before(console: Console, machine: Machine, sandbox: Sandbox) -> None:
    """They are not done, and who discarded them is said."""
    entry, *_ = parked(machine, sandbox)
    first(machine, entry, DISCARD, reason="a double")
    with meanwhile(once_ordered(machine, 2)):
        told = console.api("POST", "/bulk/parked", role="operator", body={"action": "replay", "why": "again"}).json()
    assert (told["done"], told["text"]) == (0, "Of 1 messages: 1 discarded before.")
    assert told["not_done"][0]["why"].startswith("rita discarded it at ")
