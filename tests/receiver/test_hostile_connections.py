"""`web` on bare sockets: slow, endless, smuggled and crooked requests. It answers, closes, stays small, and goes on.

What a proxy in front of it bounds (headers, numbers of connections, requests sent ahead) isn't tried here.
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.receiver.process import WebProcess, read_all, request, statuses, web_process, webhook
from tests.receiver.web import TOKEN, booking_of
from tests.support.server import DataServer
from tests.support.waiting import wait_until

MB = 1024 * 1024


@pytest.fixture(scope="module")
def web(data_server: DataServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcess]:
    """Run `web` with small bounds, for all tests here."""
    log = tmp_path_factory.mktemp("web") / "log"
    with web_process(data_server.url, log, REQUEST_TIMEOUT="1s", REJECTION_LIMIT="5") as process:
        yield process


@pytest.fixture(autouse=True)
def _it_goes_on(web: WebProcess) -> Iterator[None]:
    """After whatever a test did: the process lives, serves Seam, and has answered nothing with a 500."""
    yield
    assert web.is_alive()
    assert statuses(web.served(webhook(close=True))) == [202]
    assert "Traceback" not in web.log()
    assert "Exception in ASGI" not in web.log()


SLOW = {
    "nothing at all": b"",
    "blank lines": b"\r\n",
    "half a line": b"POST /webh",
    "half a header": b"POST /webhooks/seam HTTP/1.1\r\nhost: we",
    "headers without end": b"POST /webhooks/seam HTTP/1.1\r\nhost: web\r\n",
    "no body": b"POST /webhooks/seam HTTP/1.1\r\nhost: web\r\ncontent-length: 9\r\n\r\n",
    "half a body": b"POST /webhooks/seam HTTP/1.1\r\nhost: web\r\ncontent-length: 9\r\n\r\n{",
    "half a chunk": b"POST /webhooks/seam HTTP/1.1\r\nhost: web\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
    "a body that nobody reads": b"GET /healthz HTTP/1.1\r\nhost: web\r\ncontent-length: 9\r\n\r\n{",
}


@pytest.mark.parametrize("start", SLOW.values(), ids=SLOW.keys())
def test_a_request_that_never_ends_is_ended(web: WebProcess, start: bytes) -> None:
    """Within its time, however little was sent; who began a request is told 408."""
    with web.connect() as connection:
        connection.sendall(start)
        before = time.monotonic()
        got = read_all(connection)
        assert time.monotonic() - before < 5
    assert set(statuses(got)) <= {200, 408}
    assert b"408" in got or not start.strip() or start.startswith(b"GET")


DRIPS = {
    "a byte of a header": (b"POST /webhooks/seam HTTP/1.1\r\nx: ", b"y"),
    "a header at a time": (b"POST /webhooks/seam HTTP/1.1\r\n", b"x: y\r\n"),
    "a byte of the body": (b"POST /webhooks/seam HTTP/1.1\r\nhost: web\r\ncontent-length: 999\r\n\r\n", b"{"),
    "blank lines": (b"", b"\r\n"),
}


@pytest.mark.parametrize(("start", "drip"), DRIPS.values(), ids=DRIPS.keys())
def test_a_drip_does_not_hold_a_connection(web: WebProcess, start: bytes, drip: bytes) -> None:
    """Sending a little now and then doesn't prolong the time (slow loris)."""
    with web.connect() as connection:
        connection.settimeout(0.1)
        connection.sendall(start)

        def is_closed() -> bool:
            try:
                connection.sendall(drip)
                while connection.recv(4096):
                    pass
            except TimeoutError:
                return False
            except ConnectionError:
                return True
            return True

        wait_until(is_closed, within=6, what="the connection is closed")


def test_unfinished_bodies_share_a_room(data_server: DataServer, tmp_path: Path) -> None:
    """Many large bodies at once are kept only as far as the room goes, and small ones are served meanwhile."""
    head = b"POST /webhooks/seam HTTP/1.1\r\nhost: web\r\ncontent-length: 8000000\r\n\r\n"
    with web_process(data_server.url, tmp_path / "log", WEBHOOK_BODY_LIMIT="8000000") as web, ExitStack() as held:
        before = web.memory()
        connections = [held.enter_context(web.connect()) for _ in range(60)]
        for connection in connections:
            connection.settimeout(2)
            with suppress(OSError):
                connection.sendall(head + b"x" * 7_000_000)
        assert statuses(web.raw(webhook(close=True))) == [202]
        assert web.memory() - before < 200 * MB
        refused = [connection for connection in connections if 503 in statuses(read_all(connection, quiet=0.05))]
        assert len(refused) > 40


CHUNKED = b"POST /webhooks/seam HTTP/1.1\r\nhost: web\r\ntransfer-encoding: chunked\r\n\r\n"


def test_endless_bodies_are_refused_and_not_kept(web: WebProcess) -> None:
    """413 for what is over the limit, in chunks too; many at once don't add up."""
    before = web.memory()
    chunk = b"%x\r\n%s\r\n" % (MB, b"x" * MB)
    for _ in range(3):
        assert set(statuses(web.raw(CHUNKED, *[chunk] * 20))) <= {413}
    assert web.memory() - before < 32 * MB


def test_a_client_that_sends_before_it_reads_gets_the_413(web: WebProcess) -> None:
    """Python's own, which would else see a broken pipe: of a body that is somewhat over the limit all is read."""
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    sent = urllib.request.Request(f"http://127.0.0.1:{web.port}/bookings", b"x" * MB, headers)
    for _ in range(5):
        with pytest.raises(urllib.error.HTTPError) as refused, urllib.request.urlopen(sent, timeout=10):  # noqa: S310
            pass
        with refused.value as answer:
            assert (answer.code, json.loads(answer.read())["error"]) == (413, "body_too_large")


CROOKED = {
    "both lengths": b"content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"content-length: 4\r\ncontent-length: 40\r\n\r\noops",
    "two equal lengths": b"content-length: 4\r\ncontent-length: 4\r\n\r\noops",
    "a list of lengths": b"content-length: 4, 40\r\n\r\noops",
    "a negative length": b"content-length: -4\r\n\r\noops",
    "a signed length": b"content-length: +4\r\n\r\noops",
    "a hex length": b"content-length: 0x4\r\n\r\noops",
    "a word": b"content-length: four\r\n\r\noops",
    "beyond any number": b"content-length: " + b"9" * 40 + b"\r\n\r\noops",
    "a hidden encoding": b"transfer-encoding: xchunked\r\n\r\noops",
    "encodings in doubt": b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "an encoding after a tab": b"transfer-encoding:\tchunked\r\ncontent-length: 4\r\n\r\noops",
    "a space before the colon": b"content-length : 4\r\n\r\noops",
    "a folded header": b"x: a\r\n b\r\ncontent-length: 4\r\n\r\noops",
    "bare line feeds": b"content-length: 4\n\noops",
    "bare carriage returns": b"x: a\rcontent-length: 4\r\n\r\noops",
    "NUL in a header": b"x: \0\r\ncontent-length: 4\r\n\r\noops",
    "a chunk that lies": b"transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\noops\r\n0\r\n\r\n",
    "a negative chunk": b"transfer-encoding: chunked\r\n\r\n-1\r\noops\r\n0\r\n\r\n",
    "a chunk's extension without end": b"transfer-encoding: chunked\r\n\r\n4;"
    + b"x" * 50_000
    + b"\r\noops\r\n0\r\n\r\n",
    "trailers": b"transfer-encoding: chunked\r\n\r\n4\r\noops\r\n0\r\nsvix-id: x\r\n\r\n",
    "an upgrade": b"connection: upgrade\r\nupgrade: websocket\r\ncontent-length: 4\r\n\r\noops",
    "an upgrade to HTTP/2": b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMA\r\n\r\n",
}
_SMUGGLED = b"GET /healthz HTTP/1.1\r\nhost: web\r\nx-smuggled: 1\r\n\r\n"


@pytest.mark.parametrize("rest", CROOKED.values(), ids=CROOKED.keys())
def test_crooked_framing_gets_one_refusal(web: WebProcess, rest: bytes) -> None:
    """No doubt about where a request ends is resolved in the sender's favour: never a 2xx, never a 5xx."""
    got = web.raw(b"POST /webhooks/seam HTTP/1.1\r\nhost: web\r\n" + rest + _SMUGGLED)
    assert got
    first = statuses(got)[0]
    assert 400 <= first < 500
    # A second answer is for a request that stood by itself behind a whole one, never for the inside of a body.
    assert statuses(got)[1:] in ([], [200])
    doubtful = ("both", "two lengths", "list", "negative", "signed", "hex", "word", "beyond", "hidden", "lies", "space")
    name = next(name for name, value in CROOKED.items() if value == rest)
    if any(mark in name for mark in doubtful):
        assert len(statuses(got)) == 1


NO_HTTP = {
    "noise": bytes(range(256)),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /nowhere\r\n\r\n",
    "HTTP/9.9": b"GET /nowhere HTTP/9.9\r\n\r\n",
    "a method nobody has": b"OOPS /healthz HTTP/1.1\r\n\r\n",
    "CONNECT": b"CONNECT inner:22 HTTP/1.1\r\nhost: inner\r\n\r\n",
    "another server's address": b"GET http://169.254.169.254/latest HTTP/1.1\r\nhost: web\r\n\r\n",
    "NUL in the address": b"GET /heal\0thz HTTP/1.1\r\n\r\n",
    "a path upwards": b"GET /../../etc/passwd HTTP/1.1\r\nhost: web\r\n\r\n",
    "an encoded path": b"GET /%2e%2e/%ff%00 HTTP/1.1\r\nhost: web\r\n\r\n",
    "bytes in the address": b"GET /\xff\xfe HTTP/1.1\r\nhost: web\r\n\r\n",
    "a mail": b"EHLO web\r\nMAIL FROM:<a@b>\r\n",
    "Redis": b"*1\r\n$8\r\nFLUSHALL\r\n",
}


@pytest.mark.parametrize("bytes_sent", NO_HTTP.values(), ids=NO_HTTP.keys())
def test_what_is_no_request_is_refused(web: WebProcess, bytes_sent: bytes) -> None:
    """400, 404 or 405 with nothing of it repeated."""
    got = web.raw(bytes_sent)
    assert set(statuses(got)) <= {400, 404, 405, 408}
    assert got
    assert b"169.254" not in got


def test_many_requests_in_one_piece_are_answered_in_order(web: WebProcess) -> None:
    """Pipelining isn't a way to have more than one's turn."""
    pieces = [request("GET", "/healthz")] * 10 + [request("GET", "/nowhere", close=True)]
    assert statuses(web.served(*pieces)) == [200] * 10 + [404]


@pytest.mark.parametrize("path", ["/webhooks/seam/", "/bookings/", "/healthz/"])
def test_nobody_is_led_elsewhere(web: WebProcess, path: str) -> None:
    """405 where another method exists. A redirect would name whatever the Host header says, without TLS."""
    got = web.served(request("POST", path, b"{}", (b"host", b"evil.example"), close=True))
    assert statuses(got) in ([404], [405])
    assert b"evil" not in got


def test_forgers_are_told_to_wait_and_seam_is_not(web: WebProcess) -> None:
    """Past the limit a failed try is a 429, for signatures and tokens alike; good ones from there are served."""
    forged = request("POST", "/webhooks/seam", b"{}", close=True)
    guess = request("POST", "/bookings", b"{}", (b"authorization", b"Bearer guess"), close=True)
    got = [statuses(web.raw(each))[0] for each in [forged, guess] * 8]
    assert set(got) <= {401, 429}
    assert got[-2:] == [429, 429]
    assert b"retry-after" in web.raw(forged).lower()
    assert statuses(web.raw(webhook(close=True))) == [202]
    booking = json.dumps(booking_of()).encode()
    good = request("POST", "/bookings", booking, (b"authorization", f"Bearer {TOKEN}".encode()), close=True)
    assert statuses(web.raw(good)) == [202]


def test_a_flood_of_nonsense_does_not_fill_the_log(web: WebProcess) -> None:
    """What strangers send is counted, not written down line by line."""
    before = len(web.log().splitlines())
    for _ in range(100):
        web.raw(b"oops\r\n\r\n")
    assert len(web.log().splitlines()) - before < 40
