"""An order that isn't done: whether a worker took it, whether that worker lives, and when another takes it over."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from receiver.console.open_orders import standing
from shared.clock import system_clock
from shared.contracts import OPS_STREAM
from shared.domain.booking.record import State, Window
from shared.ledger.processes import ProcessIdentity, ProcessSigns, SeenProcess
from shared.liveness.fleet import DEAD_AFTER
from shared.ops_commands import REISSUE, RETRY, TEST, OpsCommand, SlotOrder
from shared.streams import CONSUMER, GROUP, ensure_group
from tests.console.bookings import DOOR, book, read_door
from tests.console.console import Console
from tests.console.test_booking_pages import HOSTILE, worker
from tests.shared.stories import NOW
from tests.support.waiting import PATIENCE

SECOND = timedelta(seconds=1)
A_MINUTE = 60 * SECOND
DEAD = DEAD_AFTER + SECOND


def seen(
    silent_for: timedelta = SECOND, *, started_at: datetime = NOW - timedelta(hours=1), pid: int = 1
) -> SeenProcess:
    """Return a worker."""
    identity = ProcessIdentity(process="worker", host="h", pid=pid, version="1.2.3", started_at=started_at)
    return SeenProcess(identity=identity, silent_for=silent_for)


def said(taken_for: timedelta | None, *workers: SeenProcess) -> str:
    """Return what is said at NOW, 03:00:00, of an order that is taken over after a minute."""
    return standing(taken_for, workers, now=NOW.replace(hour=3, minute=0, second=0), reclaim_after=A_MINUTE)


def test_an_order_that_no_worker_took() -> None:
    """It is said whether there is a worker at all."""
    assert said(None, seen()) == "The order is stored, and no worker has done it yet."
    for dead in ((), (seen(DEAD),)):
        assert said(None, *dead).endswith("No worker gives signs of life now: it is done once one runs.")


def test_an_order_that_a_worker_took() -> None:
    """That worker may live or not; of several, one of those that ran then. Who started later isn't it."""
    long_ago, since = NOW - timedelta(days=1), NOW.replace(hour=3, minute=0, second=0) - 20 * SECOND
    taken = 30 * SECOND
    before = "The order is stored. A worker took it at 02:59:30 UTC, and has not done it yet."
    takes_over = "another one takes it over by 03:00:37 UTC."
    living, dead = seen(started_at=long_ago), seen(DEAD, started_at=long_ago, pid=2)
    new = seen(started_at=since, pid=3)
    assert said(taken, living) == f"{before} Unless it does it before, {takes_over}"
    assert said(taken, new, dead) == f"{before} That worker gives no sign of life any more: {takes_over}"
    assert said(taken, living, new, dead) == (
        f"{before} A worker that ran then gives no sign of life any more. If it had the order, {takes_over}"
    )
    assert said(taken, dead) == (
        f"{before} No worker gives signs of life now: one that is started takes it over, from 03:00:30 UTC on."
    )
    # It ended long before the order was taken.
    assert said(taken, living, seen(timedelta(hours=5), started_at=long_ago, pid=4)) == said(taken, living)


def test_an_order_that_should_have_been_taken_over() -> None:
    """A time that has passed isn't promised again."""
    assert said(70 * SECOND, seen()).endswith(
        "Another should have taken it over at 02:59:57 UTC: the page Health says more."
    )


def take(redis: Redis) -> None:
    """Read all orders as a worker does, and do none."""
    ensure_group(redis, OPS_STREAM)
    redis.xreadgroup(GROUP, CONSUMER, {OPS_STREAM: ">"})


def orders_of(console: Console, path: str) -> list[dict[str, Any]]:
    """Return the open orders that a page shows."""
    found: list[dict[str, Any]] = console.api("GET", path).json()["orders"]
    return found


def test_the_pages_say_what_is_known(console: Console, redis_client: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the answer on, until a worker has done it; the page looks again by itself. Those of others aren't shown."""
    monkeypatch.setattr("receiver.console.commands._WAIT", 0.2)
    book(redis_client, "BK-1", state=State.FAILED, reason="refused_by_seam")
    book(redis_client, "BK-2")
    ProcessSigns(redis_client).sign(seen(started_at=system_clock() - A_MINUTE).identity)
    browser = console.browser("operator")
    page = browser.follow(browser.post("/bookings/BK-1/retry", reason=HOSTILE)).text
    assert "olaf ordered another try at" in page
    assert page.count("The order is stored, and no worker has done it yet.") == 1
    assert "data-watch" in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert "<script>alert" not in page
    take(redis_client)
    assert "A worker took it at" in console.browser("viewer").get("/bookings/BK-1").text
    (told,) = orders_of(console, "/bookings/BK-1")
    assert (told["action"], told["by"], told["what"]) == (RETRY, "olaf", "another try")
    assert "another one takes it over by" in told["text"]
    assert orders_of(console, "/bookings/BK-2") == []
    answer = console.api("POST", "/bookings/BK-1/retry", role="operator", body={"reason": "again"}).json()
    assert [it["order"] for it in orders_of(console, "/bookings/BK-1")] == [told["order"], answer["order"]]
    monkeypatch.setattr("receiver.console.commands._WAIT", 15)
    with worker(redis_client):
        done = console.api("POST", "/bookings/BK-1/retry", role="operator", body={}).json()
    assert (done["outcome"], done["order"]) == ("done", "")
    assert orders_of(console, "/bookings/BK-1") == []
    assert "data-watch" not in console.browser("revealer").get("/bookings/BK-1").text


def test_what_follows_from_an_order_and_is_not_there_yet(
    console: Console, redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker has published the cancellation, and no worker has applied it: the order itself is done."""
    monkeypatch.setattr("receiver.console.commands._WAIT", 2 * PATIENCE)
    book(redis_client, "BK-1")
    browser = console.browser("operator")
    with worker(redis_client):
        page = browser.follow(browser.post("/bookings/BK-1/cancel", reason="wrong guest")).text
    assert "A worker has carried out the order; what follows from it is not to be seen yet." in page
    assert "no worker has done it yet" not in page


def test_a_door_shows_its_own(console: Console, redis_client: Redis) -> None:
    """An order of a test code; what stands beside it in the stream is passed over."""
    read_door(redis_client)
    at = system_clock()
    choice = SlotOrder(door=DOOR, slot="1", window=Window(at, at + A_MINUTE))
    redis_client.xadd(OPS_STREAM, {"command": "no JSON"})
    redis_client.xadd(OPS_STREAM, {"command": '{"schema": "9.0", "action": "test_code"}'})
    for target in (DOOR, "another"):
        command = OpsCommand(action=TEST, target=target, by="olaf", choice=choice, reason="slots changed")
        redis_client.xadd(OPS_STREAM, {"command": command.encoded()})
    reissue = OpsCommand(action=REISSUE, target=DOOR, by="olaf", door=DOOR, access_code_id="c-1")
    redis_client.xadd(OPS_STREAM, {"command": reissue.encoded()})
    (told,) = orders_of(console, f"/doors/{DOOR}")
    assert (told["what"], told["why"]) == ("a test code", "slots changed")
    page = console.browser("viewer").get(f"/doors/{DOOR}").text
    assert "olaf ordered a test code at" in page
    assert '<noscript><meta http-equiv="refresh"' in page
