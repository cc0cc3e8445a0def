"""How `web` stops and when it counts as hanging, on a process of its own."""

import asyncio
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from receiver.connection_limits import ConnectionLimits
from receiver.serving import Server
from shared.watchdog import DEAF
from tests.receiver.web import listening
from tests.support.waiting import wait_until

MANY = 160
HELLO = b"GET /hello HTTP/1.1\r\nhost: web\r\n\r\n"


@pytest.fixture
def port() -> int:
    """Return a free port."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


@pytest.fixture
def process(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server; it is killed afterwards if it is still there."""
    command = [sys.executable, "-m", "tests.receiver.hanging_web", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        wait_until(lambda: answer_of(port), what="the server")
        yield running
        running.kill()


def answer_of(port: int) -> bytes:
    """Ask for a hello; blank where nobody listens."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(HELLO)
            return connection.recv(4096)
    except OSError:
        return b""


def until_closed(connection: socket.socket) -> bytes:
    """Return everything until the other side closes."""
    chunks = list(iter(lambda: connection.recv(4096), b""))
    return b"".join(chunks)


def test_who_had_connected_is_still_served_and_told_to_close(process: subprocess.Popen[bytes], port: int) -> None:
    """A connection without a request yet, and one that is kept alive, both get their answer after SIGTERM."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as fresh,
        socket.create_connection(("127.0.0.1", port), timeout=5) as kept,
    ):
        kept.sendall(HELLO)
        wait_until(lambda: kept.recv(4096).endswith(b"hello"), what="the first answer")
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: not answer_of(port), what="nobody new is let in")
        for connection in (fresh, kept):
            connection.sendall(HELLO)
            answer = until_closed(connection)
            assert b"200 OK" in answer
            assert b"connection: close" in answer.lower()
            assert answer.endswith(b"hello")
    process.wait(10)


def test_an_event_loop_that_does_not_turn_ends_the_process(process: subprocess.Popen[bytes], port: int) -> None:
    """It ends itself with a status of its own, to be started anew, within the promised time."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /hang HTTP/1.1\r\nhost: web\r\n\r\n")
        assert process.wait(14) == DEAF


def test_many_who_have_connected_are_taken_in_within_a_few_turns() -> None:
    """A turn of a busy loop takes long: taken in one a turn, the last of many would wait for seconds."""
    config = uvicorn.Config(no_application, lifespan="off", interface="asgi3", log_config=None)
    server = Server(config, ConnectionLimits(request_within=10, connections=MANY, header_bytes=10_000))
    connected = threading.Event()

    async def turns_until_all_are_in() -> int:
        # Nobody is taken in meanwhile.
        connected.wait(10)
        turns = 0
        while len(server.server_state.connections) < MANY and turns < MANY:
            await asyncio.sleep(0)
            turns += 1
        return turns

    with listening(server) as (portal, port), ExitStack() as clients:
        counted = portal.start_task_soon(turns_until_all_are_in)
        for _ in range(MANY):
            clients.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
        connected.set()
        assert counted.result(20) < MANY / 4


async def no_application(_: Scope, __: Receive, ___: Send) -> None:
    """Serve nothing."""
