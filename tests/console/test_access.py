"""Who gets in, who may do what, and how a session ends."""

import re

import pytest
from pydantic import SecretStr
from redis import Redis

from receiver.console.security_headers import CONTENT_SECURITY_POLICY
from receiver.console.sessions import COOKIE, make_login_link
from receiver.console.table import OPERATIONS
from shared.console_tokens import ConsoleToken, Role, parse_console_token
from tests.console.console import NAMES, TOKENS, Browser, Console, running, settings_for
from tests.shared.keys import wrong_keys
from tests.support.server import DataServer

VIEWER = ConsoleToken(name="vera", role=Role.VIEWER, token=TOKENS["viewer"])
ADDRESSES = [(each.method, re.sub(r"\{[^}]*\}", "x", each.path), each.role) for each in OPERATIONS]


@pytest.mark.parametrize(("method", "path", "role"), ADDRESSES, ids=str)
def test_every_operation_asks_for_its_role(console: Console, method: str, path: str, role: Role) -> None:
    """No token: 401. A token of a lower role: 403, with the role that is needed."""
    assert console.api(method, path, role=None).status_code == 401
    for lower in list(Role)[: list(Role).index(role)]:
        answer = console.api(method, path, role=str(lower), body={})
        assert (answer.status_code, answer.json()["needed_role"]) == (403, role)


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.page], ids=lambda each: each.name)
def test_every_page_asks_for_a_session(console: Console, operation: object) -> None:
    """A request without a session is sent to the log-in page, and nothing is done."""
    method, page = getattr(operation, "method", ""), re.sub(r"\{[^}]*\}", "x", getattr(operation, "page", ""))
    browser = Browser(console)
    answer = browser.get(page) if method == "GET" else browser.post(page)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=")


@pytest.mark.parametrize(
    "path", ["/login", "/arrivals", "/api/arrivals", "/static/console.css", "/no-such", "/healthz"]
)
def test_every_answer_carries_the_headers(console: Console, path: str) -> None:
    """Also redirects, refusals and files."""
    headers = console.send("GET", path).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store" or path.startswith("/static/")


def test_log_in_and_log_out(console: Console, redis_client: Redis) -> None:
    """The cookie is out of scripts' reach; after log-out it is worth nothing, though the browser may keep it."""
    browser = Browser(console)
    answer = browser.post("/login", token=TOKENS["viewer"], next="/arrivals?hours=12")
    assert answer.headers["location"] == "/arrivals?hours=12"
    attributes = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"path=/", "secure", "httponly", "samesite=strict"} <= attributes
    assert "domain" not in answer.headers["set-cookie"].lower()
    assert browser.get("/arrivals").status_code == 200
    assert browser.cookies[COOKIE] not in "".join(redis_client.scan_iter())
    assert wrong_keys(redis_client) == []
    kept = dict(browser.cookies)
    assert browser.post("/logout").status_code == 303
    assert Browser(console, kept).get("/arrivals").status_code == 303


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "", "/login", "/x\r\nset-cookie:a"]
)
def test_log_in_leads_to_our_own_pages_alone(console: Console, target: str) -> None:
    """The address comes from a link that anybody can write."""
    answer = Browser(console).post("/login", token=TOKENS["viewer"], next=target)
    assert answer.headers["location"] == "/"


def test_a_session_ends_with_its_token(console: Console, data_server: DataServer) -> None:
    """Taken out of CONSOLE_TOKENS, or given another role: what holds is what the settings say now."""
    browser = console.browser("viewer")
    others = tuple(SecretStr(f"{NAMES[role]}:{role}:{TOKENS[role]}") for role in ("operator", "revealer"))
    with running(settings_for(data_server.url, console_tokens=others)) as restarted:
        assert Browser(restarted, dict(browser.cookies)).get("/arrivals").status_code == 303
    promoted = (SecretStr(f"vera:operator:{TOKENS['viewer']}"),)
    with running(settings_for(data_server.url, console_tokens=promoted)) as restarted:
        assert "operator" in Browser(restarted, dict(browser.cookies)).get("/arrivals").text


def test_a_session_has_an_end(console: Console, redis_client: Redis) -> None:
    """Twelve hours after log-in, however much it is used."""
    browser = console.browser("viewer")
    (key,) = redis_client.scan_iter("oracode:{session:*")
    redis_client.expire(key, 100)
    browser.get("/arrivals")
    assert 0 < int(redis_client.ttl(key)) <= 100


def test_a_link_logs_in_once(console: Console, redis_client: Redis) -> None:
    """What `oracode up` prints: the second use is refused, as is a link that was made up."""
    code = make_login_link(redis_client, VIEWER)
    browser = Browser(console)
    assert browser.follow(browser.get(f"/login/{code}")).status_code == 303
    assert browser.get("/arrivals").status_code == 200
    assert Browser(console).get(f"/login/{code}").status_code == 401
    assert Browser(console).get("/login/made-up").status_code == 401


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_form_of_another_site_is_refused(console: Console, site: str) -> None:
    """The browser says where it came from, and nothing is done."""
    browser = console.browser("viewer")
    assert browser.post("/logout", site=site).status_code == 403
    assert Browser(console).post("/login", site=site, token=TOKENS["viewer"]).status_code == 403
    assert browser.get("/arrivals").status_code == 200


@pytest.mark.parametrize(("origin", "status"), [("https://console.example", 303), ("https://evil.example", 403)])
def test_where_the_browser_says_less_the_origin_decides(console: Console, origin: str, status: int) -> None:
    """And where it says nothing at all, the form is refused."""
    browser = console.browser("viewer")
    headers = {"cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
    assert console.send("POST", "/logout", headers=headers).status_code == 403
    assert console.send("POST", "/logout", headers={**headers, "origin": origin}).status_code == status


def test_the_api_takes_no_session(console: Console) -> None:
    """So a page of another site can't make a browser use it."""
    browser = console.browser("revealer")
    cookie = {"cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
    assert console.send("GET", "/api/arrivals", headers=cookie).status_code == 401


def test_many_failures_are_answered_alike_and_harm_nobody_else(data_server: DataServer, redis_client: Redis) -> None:
    """Past the limit 429, at the API and at the log-in together; a good token still gets in."""
    del redis_client
    with running(settings_for(data_server.url, rejection_limit=3)) as console:
        bad = {"authorization": "Bearer wrong"}
        codes = [console.send("GET", "/api/arrivals", headers=bad).status_code for _ in range(3)]
        assert codes == [401, 401, 401]
        assert Browser(console).post("/login", token="wrong").status_code == 429
        assert console.send("GET", "/api/arrivals", headers=bad).headers["retry-after"]
        assert console.api("GET", "/arrivals").status_code == 200
        assert console.browser("viewer").get("/arrivals").status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "",
        "vera",
        "vera:viewer",
        "vera:viewer:short",
        "vera:boss:" + "x" * 30,
        ":viewer:" + "x" * 30,
        "v:viewer:" + "ü" * 30,
    ],
)
def test_a_token_that_cannot_be_used_is_named_without_showing_it(text: str) -> None:
    """The problem goes to a terminal and into logs."""
    with pytest.raises(ValueError, match=r"is not|has no|is shorter") as error:
        parse_console_token(text)
    assert "x" * 20 not in str(error.value)


def test_the_data_server_away_is_said_plainly(data_server: DataServer) -> None:
    """503, and that nothing was done."""
    settings = settings_for(data_server.url.replace(str(data_server.port), "1"))
    with running(settings) as console:
        answer = console.api("GET", "/arrivals")
        assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
        assert Browser(console, {COOKIE: "x"}).get("/arrivals").status_code == 503
