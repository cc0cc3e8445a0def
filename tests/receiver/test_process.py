"""Process `web` over real HTTP: every row of the contract's table, and what only a real server shows."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.receiver.process import (
    WebProcess,
    is_being_written,
    read_all,
    request,
    statuses,
    web_process,
    webhook,
)
from tests.receiver.web import TOKEN, booking_of, event_of, signed
from tests.support.server import DataServer
from tests.support.waiting import wait_until

PATH = "/webhooks/seam"
BEARER = (b"authorization", f"Bearer {TOKEN}".encode())


@pytest.fixture
def web(data_server: DataServer, redis_client: Redis, tmp_path: Path) -> Iterator[WebProcess]:
    """Run a process `web`."""
    redis_client.flushall()
    with web_process(data_server.url, tmp_path / "web.log") as process:
        yield process


def test_the_table_of_the_contract(web: WebProcess) -> None:
    """Each request gets the status and the body that others rely on."""
    event = json.dumps(event_of()).encode()
    ignored = json.dumps(event_of("lock.locked")).encode()
    unknown = json.dumps(event_of("access_code.teleported")).encode()
    booking = json.dumps(booking_of()).encode()
    large = b"x" * 300_000
    rows: list[tuple[bytes, int, bytes]] = [
        (request("POST", PATH, event, *signed(event), close=True), 202, b'{"status":"accepted"}'),
        (request("POST", PATH, event, *signed(event), close=True), 202, b'{"status":"duplicate"}'),
        (request("POST", PATH, ignored, *signed(ignored), close=True), 202, b'{"status":"ignored"}'),
        (request("POST", PATH, unknown, *signed(unknown), close=True), 202, b'{"status":"accepted"}'),
        (request("POST", PATH, b"oops", *signed(b"oops"), close=True), 202, b'{"status":"parked"}'),
        (request("POST", PATH, event, close=True), 401, b'{"error":"invalid_signature"}'),
        (request("POST", PATH, large, close=True), 413, b'{"error":"body_too_large","limit_bytes":262144}'),
        (request("GET", PATH, close=True), 405, b'{"error":"method_not_allowed"}'),
        (request("POST", "/bookings", booking, BEARER, close=True), 202, b'{"status":"accepted","booking_id":"BK-1"}'),
        (request("POST", "/bookings", b"{}", close=True), 401, b'{"error":"unauthorized"}'),
        (request("POST", "/slack/actions", b"", close=True), 404, b'{"error":"not_found"}'),
        (request("GET", "/nowhere", close=True), 404, b'{"error":"not_found"}'),
        (request("GET", "/healthz", close=True), 200, b'{"status":"alive"}'),
        (request("GET", "/readyz", close=True), 200, b'{"status":"ready"}'),
    ]
    for asked, status, body in rows:
        head, _, got = web.served(asked).partition(b"\r\n\r\n")
        assert (statuses(head), got) == ([status], body), asked[:60]
        assert b"content-type: application/json" in head
        assert b"connection: close" in head


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


def test_a_client_that_waits_to_be_told_to_send_is_told(web: WebProcess) -> None:
    """`Expect: 100-continue` gets its 100."""
    head, _, body = webhook((b"expect", b"100-continue"), close=True).partition(b"\r\n\r\n")
    with web.connect() as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert b"100 Continue" in connection.recv(4096)
        connection.sendall(body)
        assert statuses(read_all(connection)) == [202]


def test_an_old_client_is_answered_and_closed(web: WebProcess) -> None:
    """HTTP/1.0 keeps no connection unless asked to."""
    answer = web.served(webhook().replace(b"HTTP/1.1", b"HTTP/1.0", 1))
    assert statuses(answer) == [202]
    assert b"connection: close" in answer.lower()


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


def test_forgers_behind_a_trusted_proxy_are_told_apart(data_server: DataServer, tmp_path: Path) -> None:
    """The address that the proxy names is counted; a client that isn't behind a trusted one can't name any."""
    forged = [
        request("POST", PATH, b"{}", (b"x-forwarded-for", address), close=True)
        for address in (b"192.0.2.1", b"192.0.2.1", b"192.0.2.2")
    ]
    for trusted, expected in (("127.0.0.1", [401, 429, 401]), ("192.0.2.9", [401, 429, 429])):
        with web_process(
            data_server.url, tmp_path / f"{trusted}.log", REJECTION_LIMIT="1", FORWARDED_ALLOW_IPS=trusted
        ) as web:
            assert [statuses(web.served(each))[0] for each in forged] == expected
