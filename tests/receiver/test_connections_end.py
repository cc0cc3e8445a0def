"""Whatever a client sends, reads or leaves unread: its connection ends, and soon, and holds no place any more."""

import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest
import uvicorn
from redis import Redis

from receiver.connection_limits import ConnectionLimits
from receiver.express import Answer
from receiver.http import Headers
from receiver.serving import Server
from tests.receiver.process import WebProcess, read_all, request, statuses
from tests.receiver.test_express import NEVER, PATH, SHORT, server_with, short
from tests.receiver.test_short_way import is_being_written, webhook
from tests.receiver.web import listening
from tests.support.server import DataServer
from tests.support.waiting import wait_until

# What the system keeps for either side; several times that is answered, and less than the library lets pile up.
BUFFER = 4096
ANSWERS = 200

TAILS = {
    "nothing": b"",
    "a last request": request("GET", "/elsewhere", close=True),
    "no request": b"GARBAGE\r\n\r\n",
    "a broken header": b"GET /elsewhere HTTP/1.1\r\nhost web\r\n\r\n",
    "half a header": b"GET /elsewhere HTTP/1.1\r\nho",
    "half a body": b"POST /elsewhere HTTP/1.1\r\nhost: web\r\ncontent-length: 9\r\n\r\nhalf",
    "what is never answered": request("GET", NEVER),
    "far more of the same": request("GET", "/elsewhere") * ANSWERS,
}

PIECES = [
    *TAILS.values(),
    request("GET", "/elsewhere"),
    request("POST", PATH, b"abc"),
    request("POST", PATH, b"abc", close=True),
    request("POST", PATH, b"x" * 5000),
    request("POST", PATH, b"abc", (b"expect", b"100-continue")),
    request("POST", PATH, b"abc", (b"connection", b"upgrade"), (b"upgrade", b"h2c")),
    request("GET", "/elsewhere", b"", (b"x", b"y" * 9000)),
    b"POST /there HTTP/1.1\r\nhost: web\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
    b"0\r\n\r\n",
    b"0\r\nx: y\r\n",
    b"\r\n",
    b"x" * 9000,
]


def connected(port: int) -> socket.socket:
    """Return a connection with small buffers."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    connection.settimeout(5)
    connection.connect(("127.0.0.1", port))
    return connection


def leave_unread(server: uvicorn.Server, connection: socket.socket, each: bytes) -> None:
    """Send `each` so often that its answers fill the buffers, never too many ahead."""
    for answered in range(5, ANSWERS + 1, 5):
        connection.sendall(each * 5)
        wait_until(lambda: server.server_state.total_requests >= answered, what="they are answered")  # noqa: B023


def wait_for_end(server: uvicorn.Server) -> None:
    """Wait until no connection is left, longer than it takes to give up all that keep it waiting."""
    wait_until(lambda: not server.server_state.connections, within=30, what="every connection is closed")


@pytest.mark.parametrize("path", ["/elsewhere", PATH], ids=["usual", "short"])
@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS.keys())
def test_a_client_that_never_reads_is_cut_off(path: str, tail: bytes) -> None:
    """It holds no place among the connections; also where the last answer has closed its own and can't be sent."""
    server = server_with(short, request_within=0.5)
    each = request("GET" if path != PATH else "POST", path)
    with listening(server, send_buffer=BUFFER, use_uvloop=True) as (_, port), connected(port) as connection:
        leave_unread(server, connection, each)
        # In one piece: what can't be served comes while answers are due.
        connection.sendall(each * 5 + tail)
        wait_for_end(server)


def test_answers_that_pile_up_end_the_connection() -> None:
    """More than the library lets pile up: nothing is answered any more, and then the time for an answer is over."""
    server = server_with(short, request_within=0.5)
    state = server.server_state
    with listening(server, send_buffer=BUFFER, use_uvloop=True) as (_, port), connected(port) as connection:
        wait_until(lambda: state.connections, what="it is connected")
        while True:
            due = state.total_requests + 5
            with suppress(ConnectionError):
                connection.sendall(request("GET", "/elsewhere") * 5)
            wait_until(lambda: state.total_requests >= due or not state.connections, what="answered, or cut off")  # noqa: B023
            if state.total_requests < due:
                break
        # Not because of what came too far ahead.
        assert state.total_requests > ANSWERS
        wait_for_end(server)


def test_the_system_keeps_no_answers_that_nobody_takes() -> None:
    """What we have closed is over for the system too: else it keeps it for hours, outside all our bounds."""
    limits = ConnectionLimits(request_within=0.5, connections=100, header_bytes=8192)
    server = Server(server_with(short).config, limits)
    with listening(server, send_buffer=BUFFER, use_uvloop=True) as (_, port), connected(port) as connection:
        leave_unread(server, connection, request("GET", "/elsewhere"))
        connection.sendall(request("GET", "/elsewhere", close=True))
        wait_for_end(server)
        wait_until(lambda: not kept_by_the_system(port), within=30, what="the system has given it up")


def kept_by_the_system(port: int) -> set[str]:
    """Return the states of connections to this port for which the system keeps buffers."""
    every = psutil.net_connections("tcp4")
    return {each.status for each in every if each.raddr and each.laddr == ("127.0.0.1", port)} - {psutil.CONN_TIME_WAIT}


def test_nobody_waits_for_half_a_request_at_a_stop(data_server: DataServer, tmp_path: Path) -> None:
    """It is told to come again; the stop takes no longer for it, and is no error."""
    whole = b"POST /webhooks/seam HTTP/1.1\r\nhost: web\r\ncontent-length: 9\r\n\r\nwhole now"
    web = WebProcess(data_server.url, tmp_path / "log")
    with connected(web.port) as no_head, connected(web.port) as no_body, connected(web.port) as late:
        no_head.sendall(whole[:20])
        no_body.sendall(whole[:-3])
        late.sendall(whole[:-3])
        started = time.monotonic()
        with ThreadPoolExecutor() as pool:
            stopped = pool.submit(web.stop)
            wait_until(lambda: not web.listens(), what="nobody new is let in")
            late.sendall(whole[-3:])
            assert statuses(read_all(late)) == [401]
            assert [statuses(read_all(each)) for each in (no_head, no_body)] == [[503], [503]]
            stopped.result()
        # The library loses patience after five seconds.
        assert time.monotonic() - started < 5
    assert "exception" not in web.log()


def test_half_a_request_at_a_stop_takes_nobodys_answer(
    data_server: DataServer, redis_client: Redis, tmp_path: Path
) -> None:
    """The one before it, which is being written, is answered; then the connection ends."""
    web = WebProcess(data_server.url, tmp_path / "log")
    redis_client.client_pause(60_000, all=False)
    with connected(web.port) as connection, ThreadPoolExecutor() as pool:
        connection.sendall(webhook() + webhook()[:-3])
        wait_until(lambda: is_being_written(redis_client), what="it is being written")
        stopped = pool.submit(web.stop)
        wait_until(lambda: "Waiting for connections" in web.log(), what="the stop waits for it alone")
        redis_client.client_unpause()
        assert statuses(read_all(connection)) == [202]
        stopped.result()
    assert redis_client.xlen("seam-events") == 1


class Fickle:
    """Is a handler: it answers at once, with the next, or never, or declines."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._due: list[Answer] = []

    def __call__(self, _: Headers, __: bytes, tell: Answer) -> bool:
        """Take a request, or not."""
        mood = self._dice.choice(["at once", "at once", "later", "never", "declined"])
        if mood == "at once":
            for each in (*self._due, tell):
                each(SHORT)
            self._due.clear()
        elif mood == "later":
            self._due.append(tell)
        return mood != "declined"


@pytest.mark.parametrize("seed", range(4))
def test_no_connection_outlives_its_bounds(seed: int) -> None:
    """Any sequence of whole, broken and unfinished requests from clients that read, don't, or have left in part."""
    dice = random.Random(seed)
    server = server_with(Fickle(dice), request_within=0.5)
    with listening(server, send_buffer=BUFFER, use_uvloop=True) as (_, port), ExitStack() as clients:
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
        wait_for_end(server)
