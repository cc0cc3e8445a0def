"""Hostile clients by the hundred at a proxy; honest webhooks meanwhile are all accepted, and `web` stays small."""

from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit

import psutil
import pytest

from tests.proxy.honest import honest_traffic
from tests.proxy.hostile_clients import Client, clients, idle, leave
from tests.proxy.servers import HOST, Proxy
from tests.receiver.process import WebProcess, request, statuses
from tests.support.waiting import wait_until

HEAD = f"POST /webhooks/seam HTTP/1.1\r\nhost: {HOST}\r\n".encode()
LENGTH = HEAD + b"content-length: 200000\r\n\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
UNSIGNED = request("POST", "/webhooks/seam", b"{}").replace(b"host: web", f"host: {HOST}".encode())
ENOUGH = 80
"""Honest webhooks while an attack goes on."""
IDLE = 3000


def connections_of(web: WebProcess) -> int:
    """Return how many connections `web` has, those to the data server included."""
    found = psutil.Process(web._process.pid).net_connections("tcp")
    return sum(each.status == psutil.CONN_ESTABLISHED for each in found)


def other_addresses(number: int) -> str:
    """Return an address for each 100 of many clients."""
    return f"127.2.0.{1 + number // 100}"


def answered(hostile: list[Client]) -> set[int]:
    """Return every status that hostile clients were answered with."""
    return {status for each in hostile for status in statuses(each.got)}


def refused(hostile: list[Client]) -> int:
    """Return how many were answered 503."""
    return sum(statuses(each.got) == [503] for each in hostile)


def test_thousands_of_idle_and_half_open_connections(proxy: Proxy, web: WebProcess) -> None:
    """Silent ones, half TLS handshakes, and whole ones without a request: none takes a place from Seam."""
    soft, _ = getrlimit(RLIMIT_NOFILE)
    if soft != RLIM_INFINITY and soft < 3 * IDLE:
        pytest.skip(f"ONLY {soft} OPEN FILES ARE ALLOWED: thousands of connections were not tried (ulimit -n)")
    with (
        honest_traffic(proxy, web, f"{IDLE + 800} idle connections") as honest,
        idle(proxy, silent=IDLE, half_open=500, ready=300),
    ):
        honest.wait_for(ENOUGH)
        assert connections_of(web) < 50


def test_hundreds_who_drip_headers(proxy: Proxy, web: WebProcess) -> None:
    """Slow loris: a header line now and then."""
    with (
        honest_traffic(proxy, web, "300 dripping headers") as honest,
        clients(proxy, 300, HEAD, b"x: y\r\n"),
    ):
        honest.wait_for(ENOUGH)
        assert connections_of(web) < 50


def test_hundreds_who_drip_bodies(proxy: Proxy, web: WebProcess) -> None:
    """A byte of the body now and then: no such request reaches `web`; of one address nginx takes 256."""
    with (
        honest_traffic(proxy, web, "500 dripping bodies") as honest,
        clients(proxy, 200, LENGTH, b"{", source=other_addresses),
        clients(proxy, 300, LENGTH, b"{") as of_one_address,
    ):
        honest.wait_for(ENOUGH)
        assert connections_of(web) < 50
        if proxy.name == "nginx":
            wait_until(lambda: refused(of_one_address) == 300 - 256, what="so many are refused")


def test_endless_trailers(proxy: Proxy, web: WebProcess) -> None:
    """Lines behind a chunked body, as fast as they are taken: kept by nobody, and never a request for `web`."""
    with (
        honest_traffic(proxy, web, "50 streams of trailers") as honest,
        clients(proxy, 50, CHUNKED + b"0\r\n", b"x: y\r\n" * 2000) as hostile,
    ):
        honest.wait_for(ENOUGH)
        assert connections_of(web) < 50
        assert not answered(hostile) & set(range(200, 300))


def test_endless_bodies(proxy: Proxy, web: WebProcess) -> None:
    """Chunks without end are refused at the limit."""
    chunk = b"%x\r\n%s\r\n" % (65_536, b"x" * 65_536)
    with (
        honest_traffic(proxy, web, "50 endless bodies") as honest,
        clients(proxy, 50, CHUNKED, chunk) as hostile,
    ):
        honest.wait_for(ENOUGH)
        wait_until(lambda: all(each.is_over for each in hostile), within=30, what="all of them are ended")
        assert answered(hostile) <= {413}


def test_requests_sent_ahead(proxy: Proxy, web: WebProcess) -> None:
    """Thousands in one piece: `web` gets them one at a time from each connection."""
    with (
        honest_traffic(proxy, web, "30 x 2,000 requests sent ahead") as honest,
        clients(proxy, 30, UNSIGNED * 200, UNSIGNED * 200) as hostile,
    ):
        honest.wait_for(ENOUGH)
        assert connections_of(web) < 30 + 50
        assert answered(hostile) <= {401, 429}


def test_clients_that_never_read(proxy: Proxy, web: WebProcess) -> None:
    """Their answers pile up at the proxy, and `web` is done with them."""
    with (
        honest_traffic(proxy, web, "30 clients that never read") as honest,
        clients(proxy, 30, UNSIGNED * 20, UNSIGNED * 20, reads=False),
    ):
        honest.wait_for(ENOUGH)


def test_clients_that_leave(proxy: Proxy, web: WebProcess) -> None:
    """Half a request and then a reset, hundreds of times: none of it is left at `web`."""
    with honest_traffic(proxy, web, "300 clients that leave") as honest:
        for _ in range(100):
            for start in (HEAD, LENGTH + b"{", CHUNKED + b"5\r\nab"):
                leave(proxy, start)
        honest.wait_for(ENOUGH)
        assert connections_of(web) < 50
