"""Whatever a client sends, reads or leaves unread: its connection ends."""

import asyncio
import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial

import pytest
import uvicorn
from anyio.from_thread import start_blocking_portal
from starlette.types import Receive, Scope, Send

from receiver.refusals import json_response
from receiver.request_timeout import MOST_SENT_AHEAD, RequestTimeoutProtocol
from tests.receiver.process import read_all, request, statuses
from tests.support.waiting import wait_until

# Bytes that the system keeps of answers that nobody has read yet.
BUFFER = 4096
NEVER = "/never"
SLOW = "/slow"
WHOLE = request("GET", "/")
PIECES = [
    b"",
    WHOLE,
    request("GET", "/", close=True),
    request("POST", "/", b"x" * 5_000),
    request("GET", SLOW),
    request("POST", "/", b"abc", (b"expect", b"100-continue")),
    request("POST", "/", b"abc", (b"connection", b"upgrade"), (b"upgrade", b"h2c")),
    b"GARBAGE\r\n\r\n",
    b"GET / HTTP/1.1\r\nho",
    b"POST / HTTP/1.1\r\nhost: web\r\ncontent-length: 9\r\n\r\nhalf",
    b"POST / HTTP/1.1\r\nhost: web\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
    b"0\r\n\r\n",
    b"\r\n",
]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body and answer; at one address late, at one never."""
    if scope["path"] == SLOW:
        await asyncio.sleep(0.7)
    if scope["path"] == NEVER:
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    while (await receive()).get("more_body"):
        pass
    await json_response(200, {})(scope, receive, send)


@contextmanager
def serving() -> Iterator[tuple[uvicorn.Server, int]]:
    """Serve the app on a free port, on uvloop as `web` does, with little patience and small buffers."""
    http = partial(RequestTimeoutProtocol, request_timeout=0.5)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", interface="asgi3", log_config=None, http=http))  # type: ignore[arg-type]
    with (
        closing(socket.socket()) as listener,
        start_blocking_portal(backend_options={"use_uvloop": True}) as portal,
    ):
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        listener.bind(("127.0.0.1", 0))
        serving = portal.start_task_soon(server.serve, [listener])
        wait_until(lambda: server.started or serving.done(), what="it serves")
        try:
            yield server, listener.getsockname()[1]
        finally:
            server.should_exit = True
            serving.result(10)


def connected(port: int) -> socket.socket:
    """Return a connection with small buffers."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    connection.settimeout(5)
    connection.connect(("127.0.0.1", port))
    return connection


def test_a_request_in_time_is_served_however_old_the_connection_is() -> None:
    """The time counts for each request, not for the connection."""
    with serving() as (_, port), connected(port) as connection:
        for _ in range(4):
            connection.sendall(WHOLE)
            assert statuses(connection.recv(4096)) == [200]
            assert read_all(connection, quiet=0.3) == b""


@pytest.mark.parametrize("before", [b"", WHOLE], ids=["first", "later"])
@pytest.mark.parametrize("half", [WHOLE[:-4], request("POST", "/", b"abc")[:-1]], ids=["head", "body"])
def test_half_a_request_is_told_so(before: bytes, half: bytes) -> None:
    """408, as the answer to it and to no other request."""
    with serving() as (_, port), connected(port) as connection:
        connection.sendall(before + half)
        assert statuses(read_all(connection)) == ([200] if before else []) + [408]


def test_half_a_request_behind_one_that_waits_gets_no_408() -> None:
    """The connection ends without an answer: a 408 would be taken for the answer to the request before it."""
    with serving() as (_, port), connected(port) as connection:
        connection.sendall(request("GET", NEVER) + WHOLE[:-4])
        assert read_all(connection) == b""


def test_a_client_that_never_reads_is_cut_off() -> None:
    """Answers that nobody takes fill the buffers, and then the connection ends."""
    with serving() as (server, port), connected(port) as connection:
        connection.sendall(WHOLE * 2_000)
        wait_until(lambda: not server.server_state.connections, what="it is closed")


@pytest.mark.parametrize("reads", [True, False])
def test_a_client_that_sends_far_ahead_is_cut_off(*, reads: bool) -> None:
    """It gets no more than a few answers, and what it goes on to send is not read: each request would take memory."""
    with serving() as (server, port), connected(port) as connection:
        with pytest.raises(ConnectionError):
            _send_without_end(connection, reads=reads)
        wait_until(lambda: not server.server_state.connections, what="it is closed")
        assert server.server_state.total_requests <= MOST_SENT_AHEAD + 2


def _send_without_end(connection: socket.socket, *, reads: bool) -> None:
    while True:
        connection.sendall(WHOLE * 200)
        if reads:
            connection.recv(65536)


@pytest.mark.parametrize("seed", range(4))
def test_no_connection_stays(seed: int) -> None:
    """Any sequence of whole, broken and unfinished requests, of clients that read, don't, or have half left."""
    dice = random.Random(seed)
    with serving() as (server, port), ExitStack() as clients:
        connections = [clients.enter_context(connected(port)) for _ in range(80)]
        for connection in connections:
            connection.settimeout(0)
        for _ in range(5):
            for connection in connections:
                with suppress(OSError):
                    connection.send(dice.choice(PIECES) * dice.choice([1, 1, 1, 2, 5, 50, 200]))
                    if dice.random() < 0.1:
                        connection.recv(65536)
                    if dice.random() < 0.03:
                        connection.shutdown(socket.SHUT_WR)
        wait_until(lambda: server.server_state.total_requests, what="some are answered")
        wait_until(lambda: not server.server_state.connections, within=30, what="every connection is closed")
