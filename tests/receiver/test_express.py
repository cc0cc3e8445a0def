"""Which requests take the short way, and that the others, and what goes wrong on it, take the usual one."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from receiver.connection_limits import ConnectionLimits
from receiver.crowd import Crowd
from receiver.express import Answer, Express, ExpressProtocol
from receiver.http import Headers, Prepared, answer
from tests.receiver.process import read_all, request, statuses
from tests.receiver.web import listening
from tests.support.waiting import wait_until

PATH = "/there"
NEVER = "/never"
SHORT = Prepared(200, {"way": "short"})
entered: list[str] = []


async def usual(scope: Scope, receive: Receive, send: Send) -> None:
    """Be the application: tell what was read."""
    entered.append(scope["path"])
    if scope["path"] == NEVER:
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    message = await receive()
    body = message["body"]
    while message["more_body"]:
        message = await receive()
        body += message["body"]
    headers = dict(scope["headers"])
    told = {"way": "usual", "body": body.decode(), "host": headers[b"host"].decode(), "path": scope["path"]}
    await answer(send, 200, told)


def short(_: Headers, __: bytes, tell: Answer) -> bool:
    """Take it, and answer at once."""
    tell(SHORT)
    return True


def declining(_: Headers, __: bytes, ___: Answer) -> bool:
    """Take nothing."""
    return False


def crashing(_: Headers, __: bytes, ___: Answer) -> bool:
    """Fall over."""
    raise LookupError("a bug")


def server_with(handler: Express, request_within: float = 5) -> uvicorn.Server:
    """Return a server with one short way."""
    limits = ConnectionLimits(request_within=request_within, connections=100, header_bytes=8192)
    config = uvicorn.Config(
        usual,
        lifespan="off",
        interface="asgi3",
        log_config=None,
        # Headers that are in every answer can't be in one that is ready.
        server_header=False,
        date_header=False,
        http=partial(ExpressProtocol, limits=limits, crowd=Crowd(), express={PATH.encode(): handler}),  # type: ignore[arg-type]
    )
    return uvicorn.Server(config)


def connect(port: int) -> socket.socket:
    """Open a connection."""
    return socket.create_connection(("127.0.0.1", port), timeout=5)


@contextmanager
def serving(handler: Express) -> Iterator[socket.socket]:
    """Serve with a handler; lend a connection."""
    with listening(server_with(handler)) as (_, port), connect(port) as connection:
        yield connection


def talk(handler: Express, *pieces: bytes) -> bytes:
    """Send pieces over one connection; return all that comes back until it is closed."""
    with serving(handler) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return read_all(connection, quiet=1)


def post(body: bytes = b"abc", *headers: tuple[bytes, bytes], path: str = PATH, method: str = "POST") -> bytes:
    """Return a request."""
    return request(method, path, body, *headers)


LAST = request("GET", "/elsewhere", close=True)


def test_a_whole_post_takes_the_short_way() -> None:
    """The handler gets headers and body as they are, each request its own; the answers come in order."""
    seen: list[tuple[Headers, bytes]] = []

    def keep(headers: Headers, body: bytes, tell: Answer) -> bool:
        seen.append((headers, body))
        return short(headers, body, tell)

    answer = talk(keep, post(b"one", (b"X-Number", b"1")) + post(b"", (b"x-number", b"2")), LAST)
    assert [(headers[b"x-number"], body) for headers, body in seen] == [(b"1", b"one"), (b"2", b"")]
    assert statuses(answer) == [200, 200, 200]
    assert answer.count(b'"short"') == 2


NOT_PLAIN = {
    "another path": post(path="/elsewhere"),
    "a query": post(path=f"{PATH}?a=b"),
    "another method": post(method="PUT"),
    "old": post(b"abc", (b"connection", b"keep-alive")).replace(b"HTTP/1.1", b"HTTP/1.0"),
    "waits to be told": post(b"abc", (b"expect", b"100-continue")),
    "an upgrade": post(b"", (b"connection", b"upgrade"), (b"upgrade", b"h2c")),
}


@pytest.mark.parametrize("whole", NOT_PLAIN.values(), ids=NOT_PLAIN.keys())
def test_what_is_not_plain_takes_the_usual_way(whole: bytes) -> None:
    """And loses nothing on it."""
    answer = talk(short, whole)
    assert b'"short"' not in answer
    assert b'"way":"usual"' in answer
    expected = b'"body":"%s","host":"web"' % whole.partition(b"\r\n\r\n")[2]
    assert expected in answer


def test_a_body_that_comes_later_takes_the_usual_way() -> None:
    """As soon as a piece of it is missing: how much comes, and when, is the application's to judge."""
    entered.clear()
    with serving(short) as connection:
        connection.sendall(post()[:-2])
        wait_until(lambda: entered == [PATH], what="the application has it")
        connection.sendall(post()[-2:])
        assert b'"way":"usual","body":"abc","host":"web"' in read_all(connection, quiet=1)


@pytest.mark.parametrize("handler", [declining, crashing])
def test_what_the_handler_does_not_take_takes_the_usual_way(handler: Express) -> None:
    """Whole, with headers and body, and so does what comes after it."""
    answer = talk(handler, post(b"one"), post(b"two"), LAST)
    assert statuses(answer) == [200, 200, 200]
    assert answer.index(b'"body":"one"') < answer.index(b'"body":"two"')


def test_a_body_in_chunks_is_handed_over_whole() -> None:
    """How its length was told makes no difference."""
    chunked = post(b"", (b"transfer-encoding", b"chunked")).replace(b"content-length: 0\r\n", b"")
    bodies: list[bytes] = []

    def keep(headers: Headers, body: bytes, tell: Answer) -> bool:
        bodies.append(body)
        return short(headers, body, tell)

    talk(keep, chunked + b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n", LAST)
    assert bodies == [b"abcde"]


def test_an_answer_that_comes_late_keeps_the_order() -> None:
    """Who sends ahead waits for the first answer, whichever way the second request takes."""
    answers: list[Answer] = []

    def later(_: Headers, __: bytes, tell: Answer) -> bool:
        answers.append(tell)
        return True

    def release(headers: Headers, body: bytes, tell: Answer) -> bool:
        return short(headers, body, tell) if answers else later(headers, body, tell)

    with listening(server_with(release)) as (portal, port), connect(port) as connection:
        connection.sendall(post(b"one") + post(b"two") + LAST)
        assert read_all(connection, quiet=0.3) == b""
        portal.call(answers[0], SHORT)
        # A second answer to the same request is nobody's.
        portal.call(answers[0], Prepared(200, {"way": "twice"}))
        answer = read_all(connection, quiet=3)
    assert statuses(answer) == [200, 200, 200]
    assert answer.index(b'"short"') < answer.index(b'"body":"two"')
    assert b"twice" not in answer


def test_the_time_of_a_request_begins_with_its_first_byte() -> None:
    """Who waits behind another has begun to wait when it was sent, not when the other was answered."""
    answers: list[Answer] = []

    def later(_: Headers, __: bytes, tell: Answer) -> bool:
        answers.append(tell)
        return True

    with listening(server_with(later, request_within=1.5)) as (portal, port), connect(port) as connection:
        started = time.monotonic()
        connection.sendall(post(b"one") + request("GET", NEVER) + request("GET", NEVER))
        assert read_all(connection, quiet=1) == b""
        portal.call(answers[0], SHORT)
        answer = read_all(connection, quiet=5)
        took = time.monotonic() - started
    assert statuses(answer) == [200, 503]
    assert took < 2.4
