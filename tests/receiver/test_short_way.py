"""The short way of a webhook through the server: whatever way an answer takes, the client reads the same."""

import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.receiver.process import WebProcess, read_all, request, statuses, web_process
from tests.receiver.web import event_of, signed
from tests.support.server import DataServer
from tests.support.waiting import wait_until

PATH = "/webhooks/seam"


@pytest.fixture
def web(data_server: DataServer, redis_client: Redis, tmp_path: Path) -> Iterator[WebProcess]:
    """Run a process `web`."""
    redis_client.flushall()
    with web_process(data_server.url, tmp_path / "web.log", FORWARDED_ALLOW_IPS="127.0.0.1") as process:
        yield process


def webhook(*headers: tuple[bytes, bytes], close: bool = False, event_id: str = "") -> bytes:
    """Return a signed webhook as bytes."""
    event = event_of(**({"event_id": event_id} if event_id else {}))
    body = json.dumps(event).encode()
    return request("POST", PATH, body, *signed(body), *headers, close=close)


def head_and_body(answer: bytes) -> tuple[list[bytes], bytes]:
    """Return an answer's lines, those about the connection left out, and its body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")], body


def test_both_ways_say_the_same(web: WebProcess) -> None:
    """A connection that stays is answered in one piece, one that ends by the library: line by line the same."""
    with web.connect() as connection:
        connection.sendall(webhook())
        kept = connection.recv(65536)
    closed = web.served(webhook(close=True))
    assert head_and_body(kept) == head_and_body(closed)
    assert head_and_body(kept)[1] == b'{"status":"accepted"}'
    assert b"connection: close" in closed.lower()
    assert b"connection:" not in kept.lower()


def test_requests_that_were_sent_ahead_are_answered_in_their_order(web: WebProcess, redis_client: Redis) -> None:
    """Each gets its own answer, the first first."""
    ahead = [webhook(event_id="a"), webhook(event_id="b"), webhook(event_id="a"), request("GET", "/healthz")]
    answer = web.served(*ahead, webhook(close=True))
    assert statuses(answer) == [202, 202, 202, 200, 202]
    assert [word in answer for word in (b"duplicate", b"alive")] == [True, True]
    assert answer.index(b"accepted") < answer.index(b"duplicate") < answer.index(b"alive") < answer.rindex(b"accepted")
    assert redis_client.xlen("seam-events") == 3


def test_a_line_of_the_log_tells_of_many_and_not_of_too_many(web: WebProcess) -> None:
    """Each accepted event is in a line, with its delivery, in the same place of both lists."""
    sent = [[f"event-{first + number}" for number in range(11)] for first in range(0, 275, 11)]
    sent[0][-1] = sent[0][0]
    with ExitStack() as stack:
        connections = [stack.enter_context(web.connect()) for _ in sent]
        for connection, (*kept, last) in zip(connections, sent, strict=True):
            connection.sendall(b"".join(webhook(event_id=each) for each in kept) + webhook(event_id=last, close=True))
        for connection in connections:
            assert statuses(read_all(connection)) == [202] * 11
    lines: list[dict[str, Any]] = []

    def are_told() -> bool:
        told = [json.loads(line) for line in web.log().splitlines() if "webhooks.accepted" in line]
        lines[:] = told
        return sum(int(line["count"]) for line in told) == 275

    wait_until(are_told, what="all are told")
    assert max(line["count"] for line in lines) <= 100
    ids = [event_id for line in lines for event_id in line["event_ids"]]
    # What comes over one connection is told in its order.
    assert [[each for each in ids if each in of_one] for of_one in sent] == sent
    assert all(len(line["delivery_ids"]) == line["count"] for line in lines)
    assert sum(line["repeated"] for line in lines) == 1


@pytest.mark.parametrize("size", [1, 100, 400])
def test_a_body_in_pieces_is_read_as_one(web: WebProcess, size: int) -> None:
    """What comes piece by piece isn't there at once, and is waited for."""
    whole = webhook(close=True)
    assert statuses(web.served(*(whole[at : at + size] for at in range(0, len(whole), size)))) == [202]


def test_who_waits_to_be_told_to_send_is_told(web: WebProcess) -> None:
    """`Expect: 100-continue` gets its 100, also where the body has come along with it."""
    whole = webhook((b"expect", b"100-continue"), close=True)
    head, _, body = whole.partition(b"\r\n\r\n")
    with web.connect() as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert b"100 Continue" in connection.recv(4096)
        connection.sendall(body)
        assert statuses(read_all(connection, quiet=2)) == [202]
    assert statuses(web.served(whole)) == [100, 202]


def test_an_old_client_is_answered_and_closed(web: WebProcess) -> None:
    """HTTP/1.0 keeps no connection unless asked to."""
    answer = web.served(webhook().replace(b"HTTP/1.1", b"HTTP/1.0", 1))
    assert statuses(answer) == [202]
    assert b"connection: close" in answer.lower()


def test_while_it_stops_every_answer_says_so(web: WebProcess) -> None:
    """A client that keeps its connection is answered once more after SIGTERM, and told that it was the last time."""
    with web.connect() as connection:
        connection.sendall(webhook())
        assert b"connection:" not in connection.recv(65536).lower()
        web.signal(signal.SIGTERM)
        wait_until(lambda: not web.listens(), what="it stops listening")
        connection.sendall(webhook())
        answer = read_all(connection, quiet=5)
    assert statuses(answer) == [202]
    assert b"connection: close" in answer.lower()


def test_who_is_under_way_when_it_stops_is_answered(web: WebProcess, redis_client: Redis) -> None:
    """An event that is being written when SIGTERM comes is accepted, and its client told that it was the last."""
    redis_client.client_pause(60_000, all=False)
    with web.connect() as connection:
        connection.sendall(webhook())
        wait_until(lambda: is_being_written(redis_client), what="it is being written")
        web.signal(signal.SIGTERM)
        wait_until(lambda: not web.listens(), what="it stops listening")
        redis_client.client_unpause()
        answer = read_all(connection, quiet=5)
    assert statuses(answer) == [202]
    assert b"connection: close" in answer.lower()
    assert redis_client.xlen("seam-events") == 1


def test_a_client_that_left_spoils_nothing(web: WebProcess, redis_client: Redis) -> None:
    """Its event is kept, and everybody else is served."""
    redis_client.client_pause(60_000, all=False)
    with web.connect() as connection:
        connection.sendall(webhook(event_id="a"))
        wait_until(lambda: is_being_written(redis_client), what="it is being written")
    redis_client.client_unpause()
    assert statuses(web.served(webhook(event_id="a"), webhook(event_id="b", close=True))) == [202, 202]
    assert redis_client.xlen("seam-events") == 2
    assert "Traceback" not in web.log()


def test_what_takes_too_long_is_answered_once(data_server: DataServer, redis_client: Redis, tmp_path: Path) -> None:
    """Past REQUEST_TIMEOUT it is 503 and the end; that the event is written later surprises nobody."""
    redis_client.flushall()
    with web_process(data_server.url, tmp_path / "web.log", REQUEST_TIMEOUT="1s") as web, web.connect() as connection:
        redis_client.client_pause(60_000, all=False)
        connection.sendall(webhook(event_id="a"))
        answer = read_all(connection, quiet=5)
        assert statuses(answer) == [503]
        assert b"retry-after" in answer.lower()
        redis_client.client_unpause()
        wait_until(lambda: redis_client.xlen("seam-events") == 1, what="it is written")
        assert b"duplicate" in web.served(webhook(event_id="a", close=True))
        assert "Traceback" not in web.log()


def is_being_written(redis_client: Redis) -> bool:
    """Say whether a script waits for the data server to take writes."""
    clients: list[dict[str, str]] = redis_client.client_list()
    return any("b" in client["flags"] and client["cmd"] in ("eval", "evalsha") for client in clients)


def test_forgers_behind_a_trusted_proxy_are_told_apart(data_server: DataServer, tmp_path: Path) -> None:
    """The address that the proxy names is counted; who isn't behind a trusted one can't name any."""
    forged = [
        request("POST", PATH, b"{}", (b"x-forwarded-for", address), close=True)
        for address in (b"192.0.2.1", b"192.0.2.1", b"192.0.2.2")
    ]
    for trusted, expected in (("127.0.0.1", [401, 429, 401]), ("192.0.2.9", [401, 429, 429])):
        with web_process(
            data_server.url, tmp_path / f"{trusted}.log", REJECTION_LIMIT="1", FORWARDED_ALLOW_IPS=trusted
        ) as web:
            assert [statuses(web.served(each))[0] for each in forged] == expected
