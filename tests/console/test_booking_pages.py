"""Bookings as pages and as JSON: what they show, what the actions order, and that no PIN is where it mustn't be."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr
from redis import Redis

from shared.clock import system_clock
from shared.contracts import OPS_STREAM
from shared.domain.booking.record import AccessCode, Change, HistoryEntry, State, Window
from shared.ops_commands import CANCEL, CHOOSE, REISSUE, RETRY, OpsCommand, command_from
from tests.console.bookings import DOOR, ZONE, book, ledger_of, read_door
from tests.console.console import Console, running, settings_for
from tests.sandbox.harness import API_KEY, Sandbox
from tests.support.server import DataServer
from tests.worker.machine import Machine, meanwhile

HOSTILE = "<script>alert(1)</script>\u202e'\"&"


@contextmanager
def worker(redis: Redis) -> Iterator[list[OpsCommand]]:
    """Take orders out of the stream as the worker does, writing into the story that it did; yield what was ordered."""
    taken: list[OpsCommand] = []
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            for entry_id, entry in cast(Any, redis.xrange(OPS_STREAM)):
                command = command_from(entry["command"])
                taken.append(command)
                entry_of = HistoryEntry(
                    at=system_clock(), what="order.done", text=f"{command.action}: {command.reason}"
                )
                ledger_of(redis).note(command.target, entry_of)
                redis.xdel(OPS_STREAM, entry_id)
            over.wait(0.02)
        # The client has connections of each thread's own.
        redis.connection_pool.disconnect()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield taken
    finally:
        over.set()
        thread.join()


def test_an_earlier_pin_that_opens_is_told(console: Console, redis_client: Redis) -> None:
    """On the board and on the booking's page, with what helps now: while no PIN opens the guest is let in by hand."""
    booking = book(redis_client, "BK-1", hours=1, state=State.WAITING, reason="no_slot")
    page = console.browser("viewer").get("/bookings/BK-1").text
    assert "First let the guest in by hand." in page
    assert "earlier PIN" not in page
    (door,) = booking.doors
    assert door.check_in is not None
    code = AccessCode(
        access_code_id="c-0",
        window=Window(door.check_in - timedelta(hours=1), door.check_in + timedelta(days=1)),
        known_since=system_clock(),
    )
    doors = (replace(door, residual=(code,)),)
    ledger_of(redis_client).record(booking, lambda it: Change(replace(it, doors=doors)))
    (row,) = console.api("GET", "/arrivals").json()["arrivals"]
    assert row["earlier_pin_works"].startswith("from ")
    opens = f"{door.check_in.astimezone(ZoneInfo(ZONE)) - timedelta(hours=1):%H:%M}"
    for address, told in (("/bookings/BK-1", "works, too: "), ("/arrivals", "works ")):
        page = console.browser("viewer").get(address).text.replace("&#39;", "'")
        assert re.search(rf"The guest's earlier PIN {told}[A-Z][^<]*, {opens} to ", page)
        assert page.count("earlier PIN") == 1
        assert "First let the guest in by hand." not in page
        assert page.count(ZONE) == 1


def test_a_code_that_somebody_else_may_have_is_trouble(console: Console, redis_client: Redis) -> None:
    """Of a cancelled booking, and one that was replaced because it was lost: told once, on the door's clock."""
    for booking_id, state in (("BK-1", State.CANCELLED), ("BK-2", State.READY)):
        booking = book(redis_client, booking_id, state=state)
        (door,) = booking.doors
        assert door.check_in is not None
        window = Window(door.check_in, door.check_in + timedelta(days=1))
        lost = system_clock() if state == "ready" else None
        code = AccessCode(access_code_id="c-0", window=window, known_since=system_clock(), replaced_at=lost)
        doors, until = (replace(door, residual=(code,)),), window.ends_at
        cancelled = state == "cancelled"
        ledger_of(redis_client).record(
            booking,
            lambda it, doors=doors, until=until, cancelled=cancelled: Change(  # type: ignore[misc]
                replace(it, doors=doors, residual_access_until=until, cancelled=cancelled)
            ),
        )
        page = console.browser("viewer").get(f"/bookings/{booking_id}").text
        assert page.count("opens this door from") == 1
        assert "earlier PIN" not in page
        assert page.count(f"{until.astimezone(ZoneInfo(ZONE)):%H:%M}") >= 1
        assert f"{until.astimezone(UTC):%Y-%m-%d %H:%M}" not in page


def test_the_board_says_when_the_code_works(console: Console, redis_client: Redis) -> None:
    """Beside the booked check-in."""
    book(redis_client, "BK-1", hours=30)
    assert "Code works " in console.browser("viewer").get("/arrivals").text


def test_a_row_at_risk_is_a_line(console: Console, redis_client: Redis) -> None:
    """What is wrong and what to do first; the rest is folded, with pages in place of commands."""
    book(redis_client, "BK-1", hours=1, state=State.WAITING, reason="no_slot", detail="Nearest: 45 min off.")
    page = console.browser("viewer").get("/arrivals").text
    ((summary, rest),) = re.findall(r"<details id=[^>]*><summary>(.*?)</summary>(.*?)</details>", page, re.DOTALL)
    assert [re.sub(r"<[^>]*>", "", summary)] == ["No slot First let the guest in by hand."]
    assert "Nearest: 45 min off." in rest
    assert "choose one on the booking&#39;s page" in rest
    assert "oracode" not in rest


def test_the_counts_lead_to_their_rows(console: Console, redis_client: Redis) -> None:
    """Somebody in a hurry wants those at risk alone; the counts stay those of all."""
    book(redis_client, "BK-1", hours=1, state=State.WAITING, reason="no_slot")
    book(redis_client, "BK-2", hours=2)
    for readiness, shown in (("at+risk", {"BK-1"}), ("ready", {"BK-2"}), ("on+its+way", set()), ("", {"BK-1", "BK-2"})):
        page = console.browser("viewer").get(f"/arrivals?readiness={readiness}").text
        assert set(re.findall(r'href="/bookings/(BK-\d)"', page)) == shown
        board = console.api("GET", f"/arrivals?readiness={readiness}").json()
        assert ({row["booking_id"] for row in board["arrivals"]}, board["counts"]["total"]) == (shown, 2)
    assert "/arrivals?hours=48&amp;readiness=at+risk" in console.browser("viewer").get("/arrivals").text
    assert console.api("GET", "/arrivals?readiness=odd").status_code == 400


def test_the_order_is_that_in_which_guests_arrive(console: Console, redis_client: Redis) -> None:
    """Across time zones: by the instant, and not by what the locks' clocks show; each row then says its zone."""
    zones = ("Pacific/Kiritimati", ZONE, "Europe/Vienna", "Pacific/Pago_Pago", "Asia/Tokyo")
    for number, zone in enumerate(zones):
        book(redis_client, f"BK-{number}", hours=2 + 5 * number, zone=zone, device_id=f"door-{number}")
    page = console.browser("viewer").get("/arrivals").text
    assert re.findall(r'href="/bookings/(BK-\d)"', page) == [f"BK-{number}" for number in range(5)]
    assert [page.count(zone) for zone in zones] == [1] * 5
    board = console.api("GET", "/arrivals").json()
    assert board["zones"] == sorted(zones)
    for row, zone in zip(board["arrivals"], zones, strict=True):
        today = datetime.fromisoformat(board["as_of"]).astimezone(ZoneInfo(zone)).date()
        on = datetime.fromisoformat(row["check_in"])
        near = {today: "Today, ", today + timedelta(days=1): "Tomorrow, "}.get(on.date(), "")
        assert f">{near}{on:%a} {on.day} {on:%b %Y}</h2>" in page


def test_a_cancellation_says_what_becomes_of_the_code(console: Console, redis_client: Redis) -> None:
    """In the words of the box that must be ticked; without a code there is no box."""
    booking = book(redis_client, "BK-1", name="Room 101")
    book(redis_client, "BK-2", state=State.SCHEDULED)
    assert booking.doors[0].code is not None
    until = booking.doors[0].code.window.ends_at.astimezone(ZoneInfo(ZONE))
    page = console.browser("operator").get("/bookings/BK-1").text.replace("&#39;", "'")
    (box,) = re.findall(r'<input type="checkbox" required>([^<]*)</label>', page)
    assert "Seam is asked to delete the code of Room 101. As a rule it can't" in box
    assert f"{until:%H:%M}." in box
    page = console.browser("operator").get("/bookings/BK-2").text
    assert "checkbox" not in page
    assert "No code was made, and none will be." in page


def test_the_board_names_what_holds_back(console: Console, redis_client: Redis) -> None:
    """Nearest first, with counts, on the lock's clock; what is far off isn't on it."""
    book(redis_client, "BK-1", hours=30)
    book(redis_client, "BK-2", hours=3, state=State.WAITING, reason="no_slot", label=HOSTILE, name=HOSTILE)
    book(redis_client, "BK-far", hours=100)
    board = console.api("GET", "/arrivals").json()
    assert [row["booking_id"] for row in board["arrivals"]] == ["BK-2", "BK-1"]
    assert board["counts"] == {"at_risk": 1, "on_its_way": 0, "ready": 1, "total": 2}
    assert board["arrivals"][0]["check_in"].endswith(("-08:00", "-07:00"))
    assert 0 < board["arrivals"][0]["seconds_left"] <= 3 * 3600
    page = console.browser("viewer").get("/arrivals").text
    assert "No time slot of the door" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert console.api("GET", "/arrivals?hours=0").status_code == 400


def test_a_booking_shows_its_day(console: Console, redis_client: Redis) -> None:
    """The slots as bars, the stay as marks, the gaps named; who may do nothing sees no action."""
    book(redis_client, "BK-1/ä?", label=HOSTILE)
    read_door(redis_client)
    view = console.api("GET", "/bookings/BK-1%2F%C3%A4%3F").json()
    (door,) = view["doors"]
    assert door["picture"]["slots"][0]["bars"] == [[960, 1440], [0, 600]]
    assert [mark["name"] for mark in door["picture"]["marks"]] == ["check-in", "check-out"]
    assert door["picture"]["slots"][0]["chosen"]
    page = console.browser("viewer").get("/bookings/BK-1%2F%C3%A4%3F").text
    assert 'class="daypic"' in page
    assert "<script>alert" not in page
    assert "/cancel" not in page
    assert "Show the PIN" not in page
    assert "Show the PIN" not in console.browser("operator").get("/bookings/BK-1%2F%C3%A4%3F").text
    assert "Show the PIN" in console.browser("revealer").get("/bookings/BK-1%2F%C3%A4%3F").text


def test_an_unknown_booking(console: Console) -> None:
    """404, as a page and as JSON."""
    assert console.api("GET", "/bookings/nobody").json()["error"] == "not_found"
    assert console.browser("viewer").get("/bookings/nobody").status_code == 404


def test_retry_and_cancel_are_ordered_with_their_reason(console: Console, redis_client: Redis) -> None:
    """The answer shows what became of it; the page that follows shows it once."""
    book(redis_client, "BK-1", state=State.FAILED, reason="refused_by_seam")
    with worker(redis_client) as taken:
        answer = console.api("POST", "/bookings/BK-1/retry", role="operator", body={"reason": "fixed", "by": "PMS"})
        assert answer.json()["done"]
        assert [line["what"] for line in answer.json()["story"]] == ["order.done"]
        browser = console.browser("operator")
        page = browser.follow(browser.post("/bookings/BK-1/retry", reason="by hand"))
        assert "retry_booking: by hand" in page.text
        again = browser.get("/bookings/BK-1").text
        assert page.text.count("retry_booking: by hand") == again.count("retry_booking: by hand") + 1
        assert console.api("POST", "/bookings/BK-1/cancel", role="operator", body={"reason": ""}).status_code == 400
    assert [(it.action, it.target, it.by, it.reason) for it in taken] == [
        (RETRY, "BK-1", "PMS (olaf)", "fixed"),
        (RETRY, "BK-1", "olaf", "by hand"),
    ]


def test_what_no_worker_does_is_said(console: Console, redis_client: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order stays in the stream, and the answer doesn't claim that it was done."""
    monkeypatch.setattr("receiver.console.commands._WAIT", 0.2)
    book(redis_client, "BK-1", state=State.FAILED, reason="refused_by_seam")
    answer = console.api("POST", "/bookings/BK-1/cancel", role="operator", body={"reason": "wrong guest"}).json()
    assert not answer["done"]
    assert "no worker has done it yet" in answer["text"]
    ((_, entry),) = cast(Any, redis_client.xrange(OPS_STREAM))
    assert json.loads(entry["command"])["action"] == CANCEL


def test_nothing_to_try_again(console: Console, redis_client: Redis) -> None:
    """409, and no order."""
    book(redis_client, "BK-1")
    assert console.api("POST", "/bookings/BK-1/retry", role="operator", body={}).status_code == 409
    assert redis_client.xlen(OPS_STREAM) == 0


def test_a_new_code_is_ordered_for_the_one_that_was_shown(console: Console, redis_client: Redis) -> None:
    """The preview says what stays open until when; the order names that code, and a stale page orders nothing."""
    book(redis_client, "BK-1/ä")
    path = "/bookings/BK-1%2F%C3%A4/reissue"
    shown = console.api("GET", f"{path}?door={DOOR}", role="operator").json()
    assert (shown["access_code_id"], shown["may_be_deleted"]) == ("code-of-BK-1/ä", None)
    assert "opens the door until" in shown["means"][0]
    browser = console.browser("operator")
    assert 'name="access_code_id" value="code-of-BK-1/ä"' in browser.get(f"{path}?door={DOOR}").text
    fields = {"door": DOOR, "access_code_id": shown["access_code_id"]}
    with worker(redis_client) as taken:
        assert "reissue_code: stolen" in browser.follow(browser.post(path, **fields, reason="stolen")).text
    assert [(it.action, it.by, it.door, it.access_code_id) for it in taken] == [
        (REISSUE, "olaf", DOOR, "code-of-BK-1/ä")
    ]
    stale = {"door": DOOR, "access_code_id": "code-of-before", "reason": "stolen"}
    refused = console.api("POST", path, role="operator", body=stale)
    assert (refused.status_code, redis_client.xlen(OPS_STREAM)) == (409, 0)
    assert "another code by now" in refused.json()["text"]
    assert console.api("POST", path, role="operator", body=fields | {"reason": ""}).status_code == 400
    assert console.api("POST", path, role="viewer", body=stale).status_code == 403
    assert console.api("GET", f"{path}?door={DOOR}").status_code == 403


def test_no_code_no_new_code(console: Console, redis_client: Redis) -> None:
    """409 with the reason, for preview and order."""
    book(redis_client, "BK-1", state=State.WAITING, reason="no_slot")
    for method, body in (("GET", None), ("POST", {"door": DOOR, "reason": "lost"})):
        answer = console.api(method, f"/bookings/BK-1/reissue?door={DOOR}", role="operator", body=body)
        assert (answer.status_code, "it is waiting" in answer.json()["text"]) == (409, True)
    assert "a new one" not in console.browser("operator").get("/bookings/BK-1").text


def test_a_new_code_by_a_real_worker(
    data_server: DataServer, redis_client: Redis, machine: Machine, sandbox: Sandbox
) -> None:
    """Previewed with Seam's flags, ordered, made; the page shows the old one as residual access."""
    booking = machine.until(machine.book(sandbox.door(code_flags={"is_cancellable": True})), "ready")
    (door,) = booking.doors
    settings = settings_for(data_server.url, seam_api_key=SecretStr(API_KEY), seam_endpoint=sandbox.url)
    with running(settings) as console, meanwhile(machine.run_commands):
        path = f"/bookings/{booking.booking_id}/reissue"
        shown = console.api("GET", f"{path}?door={door.key}", role="operator").json()
        assert shown["may_be_deleted"]
        answer = console.api("POST", path, role="operator", body={"door": door.key, "reason": "lost"}).json()
        assert answer["done"]
        assert "code.reissue_asked" in {line["what"] for line in answer["story"]}
        body = {"door": door.key, "reason": "lost", "access_code_id": shown["access_code_id"]}
        again = console.api("POST", path, role="operator", body=body).json()
        assert again["text"] == "This code is being replaced already."
        after = machine.until(booking, "ready")
        page = console.browser("operator").get(f"/bookings/{booking.booking_id}").text
    assert after.doors[0].code is not None
    assert after.doors[0].code.access_code_id in page
    assert "A code that was replaced opens this door from" in page
    assert machine.creates(door.device_id) == 2
    assert redis_client.xlen(OPS_STREAM) == 0


def test_a_slot_is_chosen_as_it_was_shown(console: Console, redis_client: Redis) -> None:
    """The order carries the window that the page showed."""
    book(redis_client, "BK-1", state=State.WAITING, reason="no_slot")
    read_door(redis_client, DOOR, {"name": "Day use", "check_in": "03:11", "check_out": "04:22"})
    (door,) = console.api("GET", "/bookings/BK-1").json()["doors"]
    (offer,) = door["offers"]
    fields = {"door": door["key"], "slot": offer["slot"], "starts_at": offer["starts_at"], "ends_at": offer["ends_at"]}
    with worker(redis_client) as taken:
        assert (
            console.browser("operator").post("/bookings/BK-1/choose", **fields, reason="guest agreed").status_code
            == 303
        )
    (command,) = taken
    assert command.action == CHOOSE
    assert command.choice is not None
    assert command.choice.window.starts_at.isoformat() == offer["starts_at"]
    bad = fields | {"starts_at": "2036-12-01T16:00"}
    assert console.api("POST", "/bookings/BK-1/choose", role="operator", body=bad).status_code == 400


def test_filters_stand_in_the_address(console: Console, redis_client: Redis) -> None:
    """Combinable, with counts by state; unusable ones are named."""
    for number in range(3):
        book(
            redis_client,
            f"BK-{number}",
            state=State.WAITING if number else State.READY,
            reason="no_slot" if number else "",
        )
    answer = console.api("GET", "/bookings?state=waiting&q=bk-&limit=1").json()
    assert answer["counts"] == {"ready": 1, "waiting": 2}
    assert [row["booking_id"] for row in answer["bookings"]] == ["BK-1"]
    following = console.api("GET", f"/bookings?state=waiting&q=bk-&limit=1&cursor={answer['cursor']}").json()
    assert ([row["booking_id"] for row in following["bookings"]], following["cursor"]) == (["BK-2"], "")
    page = console.browser("viewer").get("/bookings?reason=no_slot&check_in_from=2000-01-01").text
    assert "BK-1" in page
    assert "BK-0" not in page
    problems = console.api("GET", "/bookings?state=odd&check_in_from=tomorrow&cursor=x").json()["problems"]
    assert {name.partition(".")[0] for name in problems} == {"state", "check_in_from"}
    assert console.api("GET", "/bookings?cursor=x").status_code == 400


def test_a_pin_is_in_the_one_answer_and_nowhere_else(
    data_server: DataServer, machine: Machine, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Read from Seam, audited first, not to be cached; no key, log or other page holds it."""
    booking = machine.until(machine.book(sandbox.door()), "ready")
    key = booking.doors[0].key
    seam = {"seam_api_key": SecretStr(API_KEY), "seam_endpoint": sandbox.url}
    with running(settings_for(data_server.url, **seam)) as console:
        path = f"/bookings/{booking.booking_id}/reveal"
        for role in ("viewer", "operator"):
            assert console.api("POST", path, role=role, body={"door": key}).status_code == 403
            assert console.browser(role).post(path, door=key).status_code == 403
        assert console.api("GET", path, role="revealer").status_code == 405
        answer = console.api("POST", path, role="revealer", body={"door": key, "by": "desk"})
        assert answer.headers["cache-control"] == "no-store"
        pin = answer.json()["pin"]
        page = console.browser("revealer").post(path, door=key)
        assert pin in page.text
        assert 'http-equiv="refresh" content="30; url=/bookings/' in page.text
        assert page.headers["cache-control"] == "no-store"
        story = console.api("GET", f"/bookings/{booking.booking_id}").text
        assert story.count("was shown the PIN") == 2
        assert "desk (rita)" in story
        assert pin not in story
        assert console.api("POST", path, role="revealer", body={"door": "other"}).status_code == 409
    from tests.shared.keys import everything_in  # noqa: PLC0415 - only here

    assert pin not in "".join(everything_in(machine.redis).values())
    assert pin not in caplog.text


def test_a_late_guest_is_still_on_the_board(console: Console, redis_client: Redis) -> None:
    """A guest may come to the door after check-in."""
    book(redis_client, "BK-1", hours=-1)
    (row,) = console.api("GET", "/arrivals").json()["arrivals"]
    assert timedelta(seconds=row["seconds_left"]) < timedelta()
    assert "ago" in console.browser("viewer").get("/arrivals").text
