"""The console in a real Chromium: at both widths, in both themes, without JavaScript, judged by axe-core.

Needs Debian's `chromium`; without it everything here is skipped, and says so.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Literal, cast

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from redis import Redis

from deploy.local.ports import free_port
from shared.clock import system_clock
from shared.domain.alerting.arrivals import Readiness
from shared.domain.booking.record import State
from shared.ledger.readiness_history import ReadinessHistory
from shared.ledger.seam_call_counts import SeamCallCounts
from shared.parked import ParkedList
from shared.replay_results import ReplayResult, ReplayResults
from shared.seam.errors import Unreachable
from tests.console.bookings import DOOR, book, move, read_door
from tests.console.console import NAMES, TOKENS
from tests.console.test_booking_pages import HOSTILE, worker
from tests.console.test_other_pages import arrival, park, tell
from tests.sandbox.harness import Sandbox
from tests.support.server import DataServer
from tests.support.waiting import wait_until

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="chromium is missing: the console's pages are NOT tested in a browser here"
)
WIDTHS = (360, 1440)
PAGES = (
    "/arrivals",
    "/bookings",
    "/bookings/BK-2",
    "/bookings/BK-1",
    f"/bookings/BK-1/reissue?door={DOOR}",
    "/bookings/BK-3/change?check_out=2036-01-01T10:00",
    "/bookings/BK-3/change?check_in=2026-01-01T16:00&check_out=2026-01-02T10:00",
    "/bookings/BK-3/change?check_in=tomorrow",
    "/bulk/bookings?action=cancel&q=BK",
    "/bulk/parked?action=replay",
    "/alerts",
    "/parked",
    "/doors",
    f"/doors/{DOOR}",
    f"/doors/{DOOR}/test",
    "/residual-access",
    "/health",
    "/find?q=BK",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Run one browser for all tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def address(data_server: DataServer, redis_client: Redis) -> Iterator[str]:
    """Run the process `console` on a crowded ledger and return where it is."""
    port = free_port()
    crowd(redis_client)
    tokens = " ".join(f"{NAMES[role]}:{role}:{token}" for role, token in TOKENS.items())
    environment = {**os.environ, "REDIS_URL": data_server.url, "CONSOLE_TOKENS": tokens, "CONSOLE_PORT": str(port)}
    environment.pop("SEAM_API_KEY", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "receiver.console"],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/healthz", trust_env=False).is_success
        except httpx.HTTPError:
            return False

    try:
        wait_until(answers, what="the console")
        yield url
    finally:
        process.terminate()
        process.wait(10)


def crowd(redis: Redis) -> None:
    """Fill the ledger with something for every page, hostile names among it."""
    book(redis, "BK-1", hours=30, label=HOSTILE, name=HOSTILE)
    book(redis, "BK-2", hours=1, state=State.WAITING, reason="no_slot", detail=HOSTILE)
    book(redis, "BK-3", hours=5, state=State.ISSUED, label="Late arrival, two cots and a dog")
    book(redis, "BK-" + "long" * 15, hours=6, state=State.FAILED, reason="refused_by_seam", name="N" * 200)
    read_door(
        redis,
        DOOR,
        {"name": "Day use", "check_in": "03:11", "check_out": "04:22"},
        {"name": HOSTILE, "check_in": "16:00", "check_out": "10:00"},
    )
    tell(redis, "booking/BK-2/no_slot/d", text=HOSTILE)
    park(redis, '{"booking_id": "BK-9"}')
    a_month(redis)


def a_month(redis: Redis) -> None:
    """Fill what the health page shows: calls to Seam, and thirty days of arrivals."""
    now = system_clock()
    calls, history = SeamCallCounts(redis, system_clock), ReadinessHistory(redis)
    for seconds in (0.05, 0.3, 3, 30):
        calls.count("/access_codes/create", None, seconds)
    calls.count("/devices/get", Unreachable("away"), 5)
    calls.write()
    since = now - timedelta(days=30)
    history.count((), since=None, until=since)
    standing = [*[Readiness.READY] * 9, Readiness.AT_RISK, Readiness.ON_ITS_WAY]
    arrivals = [
        arrival(now - timedelta(days=day), each) for day in range(1, 29) for each in standing[day % 5 : 5 + day % 7]
    ]
    history.count(arrivals, since=since, until=now)


def logged_in(
    browser: Browser, address: str, *, role: str = "revealer", width: int = 1440, **options: Any
) -> tuple[BrowserContext, Page]:
    """Return a page in which somebody has logged in by the form."""
    context = browser.new_context(viewport={"width": width, "height": 800}, **options)
    page = context.new_page()
    page.goto(f"{address}/login")
    page.fill("#token", TOKENS[role])
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/arrivals")
    return context, page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_for_everybody(chromium: Browser, address: str, width: int, scheme: str) -> None:
    """axe-core finds nothing, nothing is wider than the screen, and the browser refuses nothing of ours."""
    context, page = logged_in(chromium, address, width=width, color_scheme=scheme)
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for path in (*PAGES, "/login", "/bookings/unknown"):
        page.goto(address + path)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.title()
    assert [each for each in complaints if "404" not in each] == []
    context.close()


def test_without_javascript(chromium: Browser, address: str, redis_client: Redis) -> None:
    """Log in, read, filter, act and log out, by forms alone."""
    context, page = logged_in(chromium, address, role="operator", java_script_enabled=False)
    page.get_by_role("link", name="BK-2").click()
    expect(page.get_by_role("img", name="check-in")).to_be_visible()
    with worker(redis_client) as taken:
        page.get_by_label("Why", exact=True).last.fill("guest called")
        page.get_by_role("button", name="Try again now").click()
        expect(page.get_by_role("status").first).to_contain_text("guest called")
    assert [command.reason for command in taken] == ["guest called"]
    page.get_by_role("link", name="Bookings").click()
    page.get_by_label("State").select_option("failed")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Health").click()
    expect(page.get_by_role("columnheader", name="In progress")).to_be_hidden()
    page.get_by_text("Streams", exact=True).click()
    expect(page.get_by_role("columnheader", name="In progress")).to_be_visible()
    page.get_by_role("link", name="Arrivals", exact=True).click()
    page.get_by_label("Guest, booking, door or unit").fill("BK-1")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="What to do").first.click()
    expect(page.get_by_role("heading", name="BK-1")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    page.goto(f"{address}/arrivals")
    assert "/login" in page.url
    context.close()


def test_a_lost_code(chromium: Browser, address: str, redis_client: Redis) -> None:
    """From the booking to what it means, and from there to the order, in two presses."""
    context, page = logged_in(chromium, address, role="operator")
    page.goto(f"{address}/bookings/BK-1")
    page.get_by_role("link", name="Code lost or compromised").click()
    expect(page.get_by_text("opens the door until").first).to_be_visible()
    with worker(redis_client) as taken:
        page.get_by_label("Why the code is replaced").fill("card was stolen")
        page.get_by_role("button", name="Make a new code").click()
        expect(page.get_by_role("status").first).to_contain_text("card was stolen")
    assert [(command.action, command.access_code_id) for command in taken] == [("reissue_code", "code-of-BK-1")]
    context.close()


def test_a_page_follows_what_changes(chromium: Browser, address: str, redis_client: Redis) -> None:
    """The board shows a new booking by itself; somebody who is typing isn't disturbed."""
    context, page = logged_in(chromium, address)
    expect(page.get_by_role("link", name="BK-new")).to_have_count(0)
    wait_for_stream(page)
    book(redis_client, "BK-new", hours=2)
    expect(page.get_by_role("link", name="BK-new")).to_have_count(1, timeout=8_000)
    page.goto(f"{address}/bookings/BK-2")
    wait_for_stream(page)
    field = page.get_by_label("Why it is cancelled")
    field.fill("because")
    move(redis_client, "BK-2", State.FAILED, "too_long")
    expect(page.locator("#stream")).to_contain_text("There is news", timeout=8_000)
    expect(field).to_have_value("because")
    context.close()


def test_a_replay_is_watched(chromium: Browser, address: str, redis_client: Redis) -> None:
    """The page finds out by itself what became of it, and leads to the booking, also with a slash in its id."""
    book(redis_client, "BK-1/change", hours=200)
    parked, results = ParkedList(redis_client), ReplayResults(redis_client)
    (entry,) = parked.list()
    parked.replay(entry, by="olaf")
    ((entry_id, _),) = cast(Any, redis_client.xrange("booking-created"))
    context, page = logged_in(chromium, address, role="viewer")
    page.goto(f"{address}/parked/{entry.parked_id}/replay")
    expect(page.get_by_role("heading", name="Not worked on yet")).to_be_visible()
    assert Axe().run(page).violations_count == 0
    results.note("booking-created", {entry_id: ReplayResult(end="applied", booking_id="BK-1/change", revision=0)})
    expect(page.get_by_role("heading", name="Applied")).to_be_visible(timeout=8_000)
    assert Axe().run(page).violations_count == 0
    page.get_by_role("link", name="BK-1/change").click()
    expect(page.get_by_role("heading", name="BK-1/change", exact=True)).to_be_visible()
    context.close()


def test_an_order_is_watched(chromium: Browser, address: str, redis_client: Redis) -> None:
    """The booking's page says that no worker has done it, and by itself that one has; a note that waits isn't left."""
    context, page = logged_in(chromium, address, role="operator")
    page.goto(f"{address}/bookings/BK-2")
    levers = page.get_by_role("region", name="Do something")
    levers.get_by_label("Why", exact=True).fill("slots were set up")
    page.get_by_role("button", name="Try again now").click()
    told = page.get_by_text("olaf ordered another try at")
    expect(told).to_be_visible(timeout=20_000)
    expect(told).to_contain_text("no worker has done it yet")
    assert page.locator(".note").count() == 0
    assert Axe().run(page).violations_count == 0
    with worker(redis_client):
        expect(told).to_have_count(0, timeout=8_000)
    expect(page.get_by_text("retry_booking: slots were set up")).to_be_visible()
    context.close()


def test_a_lost_stream_is_said(chromium: Browser, address: str) -> None:
    """A plain word beside the time of what is shown."""
    context, page = logged_in(chromium, address)
    wait_for_stream(page)
    context.route("**/events", lambda route: route.abort())
    page.goto(f"{address}/alerts")
    expect(page.locator("#stream")).to_contain_text("Live updates are lost", timeout=8_000)
    expect(page.locator("#as-of")).to_contain_text("As of")
    context.close()


def test_by_keyboard_alone(chromium: Browser, address: str) -> None:
    """The first stop skips to the page, and the focus can be seen."""
    context, page = logged_in(chromium, address)
    page.goto(f"{address}/arrivals")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    context.close()


def wait_for_stream(page: Page) -> None:
    """Wait until the page hears of changes: its stream has said hello."""
    page.evaluate(
        """() => new Promise((done) => {
            const events = new EventSource("/events");
            events.addEventListener("hello", () => { events.close(); done(); });
        })"""
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_pages_of_the_sandbox(
    chromium: Browser, sandbox: Sandbox, width: int, scheme: Literal["light", "dark"]
) -> None:
    """The first that a newcomer sees: judged like the console's, and used by its buttons."""
    sandbox.door(name=HOSTILE)
    sandbox.control.post("/alerts/slack", json={"blocks": [{"type": "header", "text": {"text": HOSTILE}}]})
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    for path in ("/", "/alerts", "/sandbox/endpoints"):
        page.goto(sandbox.url + path)
        page.evaluate("document.querySelectorAll('details').forEach((it) => { it.open = true; })")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.goto(sandbox.url)
    page.get_by_role("button", name="Take Seam away").click()
    expect(page.get_by_role("status")).to_contain_text("Seam is away")
    page.get_by_role("button", name="Bring Seam back").click()
    expect(page.get_by_text("● Seam answers")).to_be_visible()
    assert complaints == []
    context.close()
