"""The Seam client: every exception of httpx and every status becomes an error of `shared.seam.errors`."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.seam.client import SeamClient, retry_after
from shared.seam.errors import OutcomeUnknown, RateLimited, Refused, SeamError, Unauthorized, Unreachable, Unreadable
from tests.worker.seam import answering, client_on

# What httpx raises before a byte of the request was sent. Any other error may have come after the effect.
NEVER_SENT = {
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.ProxyError,
    httpx.InvalidURL,
}
# Only `Cookies.get` raises it, which isn't called here.
ELSEWHERE = {httpx.CookieConflict}


def every_exception() -> list[type[Exception]]:
    """Return every exception class of httpx."""

    def walk(root: type[Exception]) -> Iterator[type[Exception]]:
        yield root
        for child in root.__subclasses__():
            yield from walk(child)

    public = [each for each in vars(httpx).values() if isinstance(each, type) and issubclass(each, Exception)]
    return sorted({found for each in public for found in walk(each)} - ELSEWHERE, key=lambda each: each.__name__)


def raised(kind: type[Exception]) -> Exception:
    """Return an exception of this class, whatever its constructor needs."""
    request = httpx.Request("POST", "https://seam")
    response = httpx.Response(500, request=request)
    makers: list[Callable[[], Exception]] = [
        lambda: kind("broken"),
        kind,
        lambda: kind("broken", request=request, response=response),  # type: ignore[call-arg]
    ]
    for make in makers:
        try:
            return make()
        except TypeError:
            continue
    raise AssertionError(f"no way to make a {kind.__name__}")


def raising(kind: type[Exception]) -> SeamClient:
    """Return a client with calls that all raise this."""

    def handle(_: httpx.Request) -> httpx.Response:
        raise raised(kind)

    return client_on(httpx.MockTransport(handle))


def test_the_walk_finds_the_whole_tree() -> None:
    """Otherwise the tests below would prove nothing."""
    found = set(every_exception())
    assert found >= NEVER_SENT | {httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.DecodingError}
    assert len(found) > 20


@pytest.mark.parametrize("kind", every_exception(), ids=lambda kind: kind.__name__)
def test_every_exception_of_a_read_is_mapped(kind: type[Exception]) -> None:
    """Nothing happened: the same call may be sent again."""
    with pytest.raises(Unreachable):
        raising(kind).read("/devices/get", {})


@pytest.mark.parametrize("kind", every_exception(), ids=lambda kind: kind.__name__)
def test_every_exception_of_a_change_is_mapped(kind: type[Exception]) -> None:
    """Only a call that surely wasn't sent may be sent again; after any other failure Seam must be read."""
    expected = Unreachable if kind in NEVER_SENT else OutcomeUnknown
    with pytest.raises(expected):
        raising(kind).change("/access_codes/create", {})


GOOD = '{"ok": true}'
STATUSES = [
    #            status body        a read         a change
    pytest.param(200, GOOD, None, None, id="200"),
    pytest.param(201, GOOD, None, None, id="201"),
    pytest.param(200, "<html>", Unreadable, OutcomeUnknown, id="200, a page"),
    pytest.param(200, "", Unreadable, OutcomeUnknown, id="200, nothing"),
    pytest.param(204, "", Unreadable, OutcomeUnknown, id="204"),
    pytest.param(200, "[]", Unreadable, OutcomeUnknown, id="200, a list"),
    pytest.param(200, "[" * 100_000, Unreadable, OutcomeUnknown, id="200, too deep"),
    pytest.param(302, "", SeamError, OutcomeUnknown, id="302"),
    pytest.param(400, GOOD, Refused, Refused, id="400"),
    pytest.param(401, GOOD, Unauthorized, Unauthorized, id="401"),
    pytest.param(403, GOOD, Unauthorized, Unauthorized, id="403"),
    pytest.param(404, GOOD, Unreachable, OutcomeUnknown, id="404"),
    pytest.param(405, GOOD, Unreachable, OutcomeUnknown, id="405"),
    pytest.param(408, GOOD, Unreachable, Unreachable, id="408"),
    pytest.param(409, GOOD, Refused, Refused, id="409"),
    pytest.param(422, GOOD, Refused, Refused, id="422"),
    pytest.param(425, GOOD, Unreachable, Unreachable, id="425"),
    pytest.param(429, GOOD, RateLimited, RateLimited, id="429"),
    pytest.param(429, "<html>", RateLimited, RateLimited, id="429, a page"),
    pytest.param(500, GOOD, Unreachable, OutcomeUnknown, id="500"),
    pytest.param(502, "<html>", Unreachable, OutcomeUnknown, id="502"),
    pytest.param(503, "", Unreachable, OutcomeUnknown, id="503"),
    pytest.param(504, "", Unreachable, OutcomeUnknown, id="504"),
    pytest.param(599, "", Unreachable, OutcomeUnknown, id="599"),
]


@pytest.mark.parametrize(("status", "body", "read", "change"), STATUSES)
def test_every_status_is_mapped(
    status: int, body: str, read: type[SeamError] | None, change: type[SeamError] | None
) -> None:
    """By what may have happened, and by what the caller does next."""
    client = answering(status, body)
    for call, expected in ((client.read, read), (client.change, change)):
        if expected is None:
            assert call("/path", {}) == {"ok": True}
        else:
            with pytest.raises(expected):
                call("/path", {})


def test_a_refusal_says_what_seam_said_without_digits() -> None:
    """Type, message and request id are for people; a PIN in the message is masked."""
    body = '{"error": {"type": "invalid_input", "message": "code 123456 is taken"}, "ok": false}'
    with pytest.raises(Refused, match="invalid_input: code ###### is taken") as refused:
        answering(400, body, {"seam-request-id": "r-1"}).read("/path", {})
    assert (refused.value.status, refused.value.error_type, refused.value.request_id) == (400, "invalid_input", "r-1")


@pytest.mark.parametrize(
    "body", ["", "[]", "null", '{"error": null}', '{"error": "x"}', '{"error": {}}', '{"error": []}'], ids=repr
)
def test_a_refusal_without_a_text_is_a_refusal(body: str) -> None:
    """Whatever the body has in place of Seam's error."""
    with pytest.raises(Refused, match="unknown"):
        answering(400, body).change("/path", {})


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("3", 3),
        (" 3 ", 3),
        ("0", 0),
        ("86400", 3_600),
        ("999999999999", None),
        ("-1", None),
        ("1.5", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("", None),
        ("²", None),
    ],
    ids=repr,
)
def test_retry_after(written: str, means: int | None) -> None:
    """Seconds, at most an hour; an unreadable value counts as missing."""
    expected = None if means is None else timedelta(seconds=means)
    assert retry_after(httpx.Headers([(b"retry-after", written.encode())])) == expected


def test_no_call_is_repeated_by_the_client() -> None:
    """Neither a time-out nor a 500 nor a redirect is tried again without the caller."""
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(307, headers={"location": "/elsewhere"})

    client = client_on(httpx.MockTransport(handle))
    with pytest.raises(OutcomeUnknown):
        client.change("/access_codes/create", {})
    assert asked == ["/access_codes/create"]


def test_parameters_are_not_in_the_url() -> None:
    """Reads are POSTs with a body: no access log has ids and names."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    client_on(httpx.MockTransport(handle)).read(
        "/access_codes/list", {"device_id": "d0000000-0000-0000-0000-000000000001"}
    )
    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", "https://seam.test/access_codes/list")
    assert request.headers["authorization"] == "Bearer seam_key"


def test_every_thread_has_a_client_of_its_own() -> None:
    """A pool that many threads share gets slow; and no answer reaches another caller."""

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=request.content)

    client = client_on(httpx.MockTransport(handle))
    answers: dict[int, Any] = {}
    threads = [
        threading.Thread(target=lambda n=n: answers.__setitem__(n, client.read("/echo", {"n": n}))) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {n: {"n": n} for n in range(8)}
