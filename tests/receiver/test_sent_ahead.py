"""Requests that a client sends before it was answered: each keeps its own answer, and none is a way around a bound."""

import socket
import struct
from collections.abc import Iterator
from contextlib import suppress

import pytest
from redis import Redis

from tests.receiver.process import WebProcess, read_all, request, statuses, web_process
from tests.receiver.test_short_way import is_being_written, webhook
from tests.support.server import DataServer
from tests.support.waiting import wait_until

GARBAGE = b"GARBAGE\r\n\r\n"


@pytest.fixture(scope="module")
def web(data_server: DataServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcess]:
    """Run a process `web` with little patience."""
    log = tmp_path_factory.mktemp("web") / "log"
    with web_process(data_server.url, log, REQUEST_TIMEOUT="1s") as process:
        yield process


@pytest.fixture(autouse=True)
def _nothing_crashes(web: WebProcess, redis_client: Redis) -> Iterator[None]:
    """After each test: it serves, and its log has no traceback."""
    del redis_client
    yield
    assert statuses(web.served(webhook(close=True))) == [202]
    assert "Traceback" not in web.log()


@pytest.mark.parametrize("amount", [1, 2, 3])
def test_what_is_no_request_takes_nobodys_answer(web: WebProcess, redis_client: Redis, amount: int) -> None:
    """Those before it are answered, and the connection ends: a refusal now would pass for the answer to one of them."""
    assert statuses(web.served(b"".join(webhook() for _ in range(amount)) + GARBAGE)) == [202] * amount
    assert redis_client.xlen("seam-events") == amount


@pytest.mark.parametrize(
    "bad",
    [
        request("GET", "/healthz", b"", (b"x", b"y" * 70_000)),
        request("POST", "/webhooks/seam").replace(b"content-length: 0", b"transfer-encoding: chunked") + b"oops\r\n",
    ],
    ids=["too large", "no chunk"],
)
def test_what_is_refused_takes_nobodys_answer(web: WebProcess, bad: bytes) -> None:
    """Neither with what is over a bound, nor with what breaks in its body."""
    for amount in (1, 2, 3):
        assert statuses(web.served(webhook() * amount + bad)) == [202] * amount


def test_an_answer_is_not_time_that_the_next_has_used(web: WebProcess, redis_client: Redis) -> None:
    """A connection that stays is not held to account for the past: each request has all its time."""
    with web.connect() as connection:
        for _ in range(3):
            connection.sendall(webhook())
            assert statuses(connection.recv(65536)) == [202]
            redis_client.client_pause(600, all=False)
            connection.sendall(webhook())
            assert statuses(connection.recv(65536)) == [202]


def test_who_leaves_with_requests_ahead_leaves_no_trace(web: WebProcess, redis_client: Redis) -> None:
    """What is under way is answered to nobody, what is behind it is not begun, and neither is an error."""
    redis_client.client_pause(60_000, all=False)
    with web.connect() as connection:
        connection.sendall(request("GET", "/healthz") + webhook() + webhook())
        assert statuses(connection.recv(65536)) == [200]
        wait_until(lambda: is_being_written(redis_client), what="it is being written")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert statuses(web.served(request("GET", "/healthz", close=True))) == [200]
    redis_client.client_unpause()
    wait_until(lambda: redis_client.xlen("seam-events") == 1, what="it is written")


def test_a_body_behind_an_upgrade_is_no_request(web: WebProcess, redis_client: Redis) -> None:
    """The parser would take it for the next one; refused, it can't be smuggled past who stands in front of us."""
    inner = webhook()
    outer = request("POST", "/webhooks/seam", inner, (b"connection", b"upgrade"), (b"upgrade", b"h2c"))
    assert statuses(web.served(outer)) == [400]
    assert redis_client.xlen("seam-events") == 0
    question = request("GET", "/healthz", b"", (b"connection", b"upgrade"), (b"upgrade", b"h2c"))
    with web.connect() as connection:
        connection.sendall(question)
        wait_until(lambda: statuses(connection.recv(4096)) == [200], what="the upgrade is left out")


@pytest.mark.parametrize("cut", [0, 40], ids=["in one piece", "in two"])
def test_nothing_is_read_behind_an_upgrade(web: WebProcess, redis_client: Redis, cut: int) -> None:
    """It is answered, by its own word as the last: what came with it the parser drops, wherever that ends."""
    upgrade = request("GET", "/nowhere", b"", (b"connection", b"upgrade"), (b"upgrade", b"websocket"))
    outer = b"POST /nowhere HTTP/1.1\r\nhost: web\r\ncontent-length: 2000\r\n\r\n"
    with web.connect() as connection:
        connection.sendall(upgrade + outer[: len(outer) - cut])
        answer = connection.recv(65536)
        with suppress(ConnectionError):
            connection.sendall(outer[len(outer) - cut :] + webhook())
        answer += read_all(connection)
    assert statuses(answer) == [404]
    assert b"connection: close" in answer
    assert redis_client.xlen("seam-events") == 0


def test_a_trailer_is_no_header(web: WebProcess, redis_client: Redis) -> None:
    """A signature that comes behind the body is none: it was not there when the request was judged."""
    whole = webhook(close=True)
    head, _, body = whole.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    signature = [line for line in lines if line.startswith(b"svix-")]
    others = [line for line in lines if not line.startswith((b"svix-", b"content-length"))]
    head = b"\r\n".join([*others, b"transfer-encoding: chunked"])
    chunked = b"%s\r\n\r\n%x\r\n%s\r\n0\r\n%s\r\n\r\n" % (head, len(body), body, b"\r\n".join(signature))
    assert statuses(web.served(chunked)) == [401]
    assert redis_client.xlen("seam-events") == 0
