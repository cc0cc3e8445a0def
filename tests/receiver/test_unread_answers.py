"""A client that reads nothing of what it is answered: however its requests end, its connection does too, and soon."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn

from tests.receiver.process import request
from tests.receiver.test_express import NEVER, PATH, server_with, short
from tests.receiver.web import listening
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
    "far more of the same": request("GET", "/elsewhere") * 3 * ANSWERS,
}


@contextmanager
def unread(server: uvicorn.Server) -> Iterator[socket.socket]:
    """Serve; lend a connection with small buffers."""
    with listening(server, send_buffer=BUFFER) as (_, port), socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        connection.settimeout(5)
        connection.connect(("127.0.0.1", port))
        yield connection


@pytest.mark.parametrize("path", ["/elsewhere", PATH], ids=["usual", "short"])
@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS.keys())
def test_a_client_that_never_reads_is_cut_off(path: str, tail: bytes) -> None:
    """It holds no place among the connections; also where the last answer has closed its own and can't be sent."""
    server = server_with(short, request_within=0.5)
    each = request("GET" if path != PATH else "POST", path)
    with unread(server) as connection:
        # In one piece: what can't be served comes while answers are due.
        connection.sendall(each * ANSWERS + tail)
        wait_until(lambda: server.server_state.total_requests, what="it is answered")
        wait_until(lambda: not server.server_state.connections, within=30, what="its connection is closed")
