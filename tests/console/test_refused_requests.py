"""What is refused, and what fails: in the form that the address promises, with the headers of every answer."""

import httpx
import pytest
from redis import Redis

from receiver.console.security_headers import CONTENT_SECURITY_POLICY
from receiver.console.sessions import COOKIE, Sessions
from shared.domain.booking.record import State
from tests.console.bookings import DOOR, book
from tests.console.console import HOST, TOKENS, Browser, Console, running, settings_for
from tests.support.server import DataServer


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/api/nothing", 404, "not_found"),
        ("GET", "/api/", 404, "not_found"),
        ("DELETE", "/api/arrivals", 405, "method_not_allowed"),
        ("POST", "/metrics", 405, "method_not_allowed"),
        ("GET", "/static/nothing", 404, "not_found"),
    ],
)
def test_programs_read_json_at_every_address(console: Console, method: str, path: str, status: int, error: str) -> None:
    """Also where there is no operation: a word to test for, and a sentence."""
    answer = console.send(method, path, headers={"authorization": f"Bearer {TOKENS['viewer']}"})
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["text"].endswith(".")
    if status == 405:
        assert answer.headers["allow"]


def test_people_read_a_page_at_every_address(console: Console) -> None:
    """With the links to all pages where somebody is logged in, and none of them where not."""
    page = console.browser("viewer").get("/no-such-page")
    assert page.status_code == 404
    assert "There is nothing at this address." in page.text
    assert 'href="/bookings"' in page.text
    stranger = Browser(console).get("/no-such-page")
    assert (stranger.status_code, 'href="/bookings"' in stranger.text) == (404, False)
    assert Browser(console).post("/arrivals").status_code == 405


def test_what_nobody_foresaw_is_answered_too(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page or JSON, with all headers, and nothing of the cause; the cause is the log's."""

    def fail(*_: object) -> None:
        raise LookupError("secret cause")

    async def get(path: str, headers: dict[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(app=console.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
            return await client.get(path, headers=headers)

    cookie = console.browser("viewer").cookies[COOKIE]
    monkeypatch.setattr(Sessions, "visit", fail)
    monkeypatch.setattr("receiver.console.api.read_as", fail)
    for path, headers in (
        ("/arrivals", {"cookie": f"{COOKIE}={cookie}"}),
        ("/api/arrivals", {"authorization": f"Bearer {TOKENS['viewer']}"}),
    ):
        answer = console.portal.call(get, path, headers)
        assert answer.status_code == 500
        assert "The console failed." in answer.text
        assert "secret" not in answer.text
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["cache-control"] == "no-store"


def test_a_form_of_too_many_fields_is_refused(console: Console) -> None:
    """Before anybody has logged in."""
    headers = {"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}
    answer = console.send("POST", "/login", headers=headers, body=b"a=1&" * 500)
    assert answer.status_code == 400
    assert "more than 100 fields" in answer.text


def test_a_refused_form_leads_back_to_its_page(console: Console, redis_client: Redis) -> None:
    """So that nobody has to find the booking again."""
    book(redis_client, "BK-1/2", state=State.READY)
    browser = console.browser("operator")
    page = browser.post("/bookings/BK-1%2F2/retry", reason="x")
    assert page.status_code == 409
    assert 'href="/bookings/BK-1%2F2">Back' in page.text
    assert 'href="/alerts">Back' in browser.post("/alerts/none/handle").text
    assert ">Back<" not in browser.get("/doors/unknown").text


def test_log_in_says_when_to_try_again(data_server: DataServer, redis_client: Redis) -> None:
    """By the form and by a link that is used up, for programs and for people."""
    del redis_client
    with running(settings_for(data_server.url, rejection_limit=1)) as console:
        assert Browser(console).post("/login", token="wrong").status_code == 401
        for answer in (Browser(console).post("/login", token="wrong"), Browser(console).get("/login/made-up")):
            assert answer.status_code == 429
            assert int(answer.headers["retry-after"]) > 0
            assert "Too many failed tries" in answer.text


def test_a_log_in_ends_the_session_before_it(console: Console, redis_client: Redis) -> None:
    """The id is always a new one. The browser's earlier id, also of another person, is worth nothing."""
    browser = console.browser("viewer")
    before = browser.cookies[COOKIE]
    browser.post("/login", token=TOKENS["operator"])
    assert browser.cookies[COOKIE] != before
    assert Browser(console, {COOKIE: before}).get("/arrivals").status_code == 303
    planted = Browser(console, {COOKIE: "planted-by-somebody-else"})
    planted.post("/login", token=TOKENS["viewer"])
    assert planted.cookies[COOKIE] != "planted-by-somebody-else"
    assert Browser(console, {COOKIE: "planted-by-somebody-else"}).get("/arrivals").status_code == 303
    assert len(list(redis_client.scan_iter("oracode:{session:*"))) == 2


def test_log_in_leads_to_the_whole_address(console: Console) -> None:
    """Filters and encoded ids included."""
    for path in ("/arrivals?hours=96&building=North", "/bookings/a%2Fb%3Fc"):
        browser = Browser(console)
        form = browser.follow(browser.get(path))
        shown = form.text.partition('name="next" value="')[2].partition('"')[0].replace("&amp;", "&")
        assert browser.post("/login", token=TOKENS["viewer"], next=shown).headers["location"] == path


def test_our_own_files_are_asked_for_again_not_sent_again(console: Console) -> None:
    """A page loads its style once; pages themselves are never kept."""
    file = console.send("GET", "/static/console.css")
    assert file.headers["cache-control"] == "no-cache"
    again = console.send("GET", "/static/console.css", headers={"if-none-match": file.headers["etag"]})
    assert again.status_code == 304
    assert console.browser("viewer").get(f"/doors/{DOOR}").headers["cache-control"] == "no-store"
