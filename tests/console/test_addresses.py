"""A booking may be called anything: its pages are its own, and every link to them leads there."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from receiver.console.addresses import ids_of, part_of
from shared.clock import system_clock
from shared.contracts import OPS_STREAM
from shared.domain.booking.record import Change, State
from shared.domain.messages.message import Problem
from shared.domain.messages.refused import refused_message
from shared.ops_commands import command_from
from shared.refused_messages import RefusedMessages
from tests.console.bookings import DOOR, book, ledger_of, read_door
from tests.console.console import TOKENS, Browser, Console
from tests.console.test_other_pages import park, tell

IDS = (
    "BK-1",
    "BK-1/change",
    "BK-1/reissue",
    "BK-1/retry",
    "a",
    "a/retry",
    "a/../b",
    "a?b",
    "a%2Fchange",
    "a%252Fchange",
    "a#b",
    "a;",
    "a,",
    ".",
    "..",
    "..,",
    "%2e%2e",
    "//host/x",
    "ä/ö",
)
PAGES = (
    "/arrivals",
    "/bookings",
    "/find?q=a",
    "/find?q=BK-1",
    "/alerts",
    "/parked",
    "/residual-access",
    f"/doors/{DOOR}",
    "/health",
    "/bulk/bookings?action=cancel&state=ready",
)


@given(st.text())
def test_an_id_is_one_part_and_comes_back(text: str) -> None:
    """Any id does; and no browser takes the part for a step in the path."""
    text = text.encode("utf-8", "replace").decode()
    part = part_of(text)
    assert ids_of({"it": part}) == {"it": text}
    assert not set("/?#\\") & set(part)
    assert re.fullmatch(r"(\.|%2e){1,2}", part, re.IGNORECASE) is None


@pytest.fixture
def crowded(console: Console, redis_client: Redis, monkeypatch: pytest.MonkeyPatch) -> Console:
    """Write a booking of each id, and of each an alert, a parked and a refused message; nobody waits for a worker."""
    monkeypatch.setattr("receiver.console.commands._WAIT", 0.0)
    read_door(redis_client)
    refused = RefusedMessages(redis_client)
    for number, booking_id in enumerate(IDS):
        booking = book(redis_client, booking_id, hours=number + 1, label=f"Guest {number}")
        (door,) = booking.doors
        assert door.code is not None
        doors = (replace(door, residual=(replace(door.code, access_code_id=f"old-{number}"),)),)
        until = door.code.window.ends_at
        ledger_of(redis_client).record(
            booking,
            lambda it, doors=doors, until=until: Change(replace(it, doors=doors, residual_access_until=until)),  # type: ignore[misc]
        )
        park(redis_client, json.dumps({"booking_id": booking_id}))
        problems = [Problem("check_in", "is no time", "give one")]
        refused.keep(refused_message(json.dumps({"booking_id": booking_id}), problems), system_clock())
    tell(redis_client, "booking/BK-1%2Fchange/no_slot/d")
    return console


@pytest.mark.parametrize("booking_id", IDS)
def test_each_page_is_of_its_own_booking(crowded: Console, redis_client: Redis, booking_id: str) -> None:
    """The booking, its change, another code, and every order: as a page and for programs."""
    path = f"/bookings/{part_of(booking_id)}"
    browser = crowded.browser("operator")
    for address in (path, f"{path}/change", f"{path}/reissue?door={DOOR}"):
        answer = crowded.api("GET", address, role="operator")
        assert (answer.status_code, answer.json()["booking_id"]) == (200, booking_id)
        page = browser.get(address)
        assert page.status_code == 200
        assert f"<small>{booking_id}" in unescape(page.text) or f"<h1>{booking_id} " in unescape(page.text)
        for action in _addresses(page.text, "action"):
            assert action == "/logout" or action.startswith(f"{path}/")
    order = {"door": DOOR, "slot": "1", "starts_at": "2036-01-01T10:00Z", "ends_at": "2036-01-02T10:00Z"}
    assert crowded.api("POST", f"{path}/choose", role="operator", body=order).status_code == 200
    after = browser.post(f"{path}/choose", **order)
    assert f"<h1>{booking_id} " in unescape(browser.follow(after).text)
    assert crowded.api("POST", f"{path}/retry", role="operator", body={}).status_code == 409
    taken = [command_from(entry["command"]) for _, entry in cast(Any, redis_client.xrange(OPS_STREAM))]
    assert [it.target for it in taken] == [booking_id, booking_id]


def test_every_link_leads_to_a_page(crowded: Console) -> None:
    """On all pages, as a browser resolves it; board and list lead to each of the bookings."""
    browser = crowded.browser("operator")
    reached = {page: set(_bookings_of(browser, page)) for page in PAGES}
    assert reached["/bookings"] == set(IDS)
    assert reached["/arrivals"] == set(IDS)
    assert reached["/residual-access"] == set(IDS)
    assert reached["/bulk/bookings?action=cancel&state=ready"] == set(IDS)


def _bookings_of(browser: Browser, page: str) -> Iterator[str]:
    """Yield the bookings that a page's links lead to; every link of the page leads to a page."""
    text = browser.get(page).text
    for link in sorted(_addresses(text, "href")):
        resolved = urlsplit(urljoin(f"https://console.example{page}", link))
        path = f"{resolved.path}?{resolved.query}" if resolved.query else resolved.path
        if path.startswith("/static/"):
            continue
        answer = browser.get(path)
        assert answer.status_code == 200, (page, link)
        if path.startswith("/bookings/"):
            (named,) = re.findall(r'data-booking="([^"]*)"', answer.text)
            yield unescape(named)


def _addresses(page: str, name: str) -> set[str]:
    return {unescape(each) for each in re.findall(rf'{name}="(/[^"]*)"', page)}


def test_a_door_and_an_alert_are_called_anything(
    console: Console, redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The door's page, and the alert that is handled, with a slash in the name."""
    monkeypatch.setattr("receiver.console.commands._WAIT", 0.0)
    read_door(redis_client, "d/1")
    book(redis_client, "BK-1", device_id="d/1", state=State.READY)
    assert console.api("GET", "/doors/d%2F1").json()["device_id"] == "d/1"
    tell(redis_client, "a/handle")
    tell(redis_client, "a")
    answer = console.api("POST", "/alerts/a%2Fhandle/handle", role="operator", body={})
    assert answer.status_code == 200
    assert console.api("POST", "/alerts/a/handle/handle", role="operator", body={}).status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:443", "console.example"])
def test_a_slash_at_the_end_leads_nowhere_else(console: Console, redis_client: Redis, host: str) -> None:
    """The same page and the same answer; what a client sends as `Host` is in no answer."""
    book(redis_client, "BK-1")
    browser = console.browser("viewer")
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    token = {"authorization": f"Bearer {TOKENS['viewer']}"}
    for path, headers, status in (
        ("/arrivals/", {"cookie": cookie}, 200),
        ("/bookings/BK-1/", {"cookie": cookie}, 200),
        ("/bookings//", {"cookie": cookie}, 200),
        ("/bookings/?state=ready", {"cookie": cookie}, 200),
        ("/nothing/", {"cookie": cookie}, 404),
        ("/static", {}, 404),
        ("/static/", {}, 404),
        ("/login/", {}, 200),
        ("/api/bookings/BK-1/", token, 200),
    ):
        answer = console.send("GET", path, headers={**headers, "host": host})
        assert (path, answer.status_code, answer.headers.get("location")) == (path, status, None)
        assert host == "console.example" or host not in f"{answer.headers}{answer.text}".replace(path, "")
    answer = console.send("GET", "/arrivals/", headers={"host": host})
    assert answer.headers["location"] == "/login?next=%2Farrivals%2F"
