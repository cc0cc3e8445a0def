"""What passes a proxy, and how it arrives: only the public paths, byte for byte, from an address nobody can choose."""

import json
import random
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.proxy.recording_web import ANSWER, Recorded, RecordingWeb, recording_web
from tests.proxy.servers import ATTACKER, BALANCER, HONEST, HOST, SERVERS, Caddy, Nginx, Proxy, running
from tests.receiver.process import WebProcess, request, statuses
from tests.receiver.web import TOKEN, booking_of, event_of, signed

Header = tuple[bytes, bytes]
CHUNKED: Header = (b"transfer-encoding", b"chunked")


def public(method: str, path: str, body: bytes = b"", *headers: Header, host: str = HOST) -> bytes:
    """Return a request for the public host, the last of its connection."""
    return request(method, path, body, *headers, close=True).replace(b"host: web", f"host: {host}".encode(), 1)


def chunked(path: str, *chunks: bytes) -> bytes:
    """Return a POST whose body comes in these chunks."""
    head = public("POST", path, b"", CHUNKED).replace(b"content-length: 0\r\n", b"")
    return head + b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in chunks) + b"0\r\n\r\n"


def passed(proxy: Proxy, recorder: RecordingWeb, whole: bytes, *, source: str = HONEST, quiet: float = 10) -> Recorded:
    """Send one request that must pass; return it as it arrived."""
    recorder.requests.clear()
    assert statuses(proxy.raw(whole, source=source, quiet=quiet)) == [202]
    (arrived,) = recorder.requests
    return arrived


PASSES = [
    ("POST", "/webhooks/seam"),
    ("POST", "/webhooks/seam?source=seam"),
    ("POST", "/bookings"),
    ("GET", "/bookings/BK-1001"),
    ("GET", "/bookings/BK%2F1001"),
    ("GET", "/bookings/BK%201001%3F"),
    ("POST", "/bookings/BK-1001/reveal"),
    ("POST", "/slack/actions"),
]


@pytest.mark.parametrize(("method", "path"), PASSES)
def test_public_paths_pass(recorded: Proxy, recorder: RecordingWeb, method: str, path: str) -> None:
    """Each method and path that `web` serves reaches it, spelled as it was sent."""
    arrived = passed(recorded, recorder, public(method, path))
    assert (arrived.method.decode(), arrived.target.decode()) == (method, path)


HIDDEN = [
    "/",
    "/healthz",
    "/readyz",
    "/%72eadyz",
    "//readyz",
    "/READYZ",
    "/webhooks/seam/",
    "/webhooks/seam/../../readyz",
    "/webhooks/seamless",
    "/webhooks",
    "/slack",
    "/bookings/../readyz",
    "/bookings/%2e%2e/readyz",
    "/bookings/..%2freadyz",
    "/bookings/x/../../healthz",
    "/readyz\\..\\bookings\\x",
    "/readyz#/bookings/",
    "/readyz;/bookings/x",
    "http://localhost/readyz",
    "/metrics",
    "/.env",
]


@pytest.mark.parametrize("path", HIDDEN)
def test_nothing_else_passes(recorded: Proxy, recorder: RecordingWeb, path: str) -> None:
    """Any other path ends at the proxy, however it is spelled; health is for the inside alone."""
    recorder.requests.clear()
    for method in ("GET", "POST"):
        assert statuses(recorded.raw(public(method, path))) == [404]
    assert recorder.requests == []


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/webhooks/seam", b"POST"),
        ("/bookings", b"POST"),
        ("/slack/actions", b"POST"),
        ("/bookings/BK-1001", b"GET, POST"),
        ("/bookings/BK-1001/reveal", b"GET, POST"),
    ],
)
def test_a_wrong_method_is_answered_by_the_proxy(
    recorded: Proxy, recorder: RecordingWeb, path: str, allowed: bytes
) -> None:
    """405 with what would be right: a person who tries the URL in a browser learns that it is the right one."""
    recorder.requests.clear()
    for method in {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"} - {*allowed.decode().split(", ")}:
        answer = recorded.raw(public(method, path))
        assert statuses(answer) == [405]
        assert b"allow: " + allowed.lower() in answer.lower()
    assert recorder.requests == []


def test_another_host_is_refused(recorded: Proxy, recorder: RecordingWeb) -> None:
    """Never with a 2xx, which would read as "accepted" (Caddy's own answer is an empty 200)."""
    recorder.requests.clear()
    body = json.dumps(event_of()).encode()
    for host in ("other.example.com", "127.0.0.1"):
        assert statuses(recorded.raw(public("POST", "/webhooks/seam", body, *signed(body), host=host))) == [421]
    assert recorder.requests == []


def test_plain_http_is_not_served(recorded: Proxy, recorder: RecordingWeb) -> None:
    """Neither on the port of TLS nor on its own: no redirect hides that a sender gives its token away."""
    recorder.requests.clear()
    whole = public("POST", "/bookings", b"{}", (b"authorization", b"Bearer token"))
    with recorded.connect_bare() as connection:
        connection.sendall(whole)
        assert connection.recv(65536).split()[1] == b"400"
    if isinstance(recorded, Nginx):
        with socket.create_connection(("127.0.0.1", recorded.plain_port), timeout=10) as connection:
            connection.sendall(whole)
            assert statuses(connection.recv(65536)) == [404]
    assert recorder.requests == []


BODIES = {
    "nothing": b"",
    "one byte": b"\0",
    "every byte": bytes(range(256)) * 16,
    "spaced JSON": b'{ "a" :\t1.0,\r\n"b":"\\u00e9\xc3\xa9" }\n',
    "the largest": random.Random(1).randbytes(262_144),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_body_passes_byte_for_byte(recorded: Proxy, recorder: RecordingWeb, body: bytes) -> None:
    """Whatever it holds, also in chunks: a signature is over these very bytes."""
    assert passed(recorded, recorder, public("POST", "/webhooks/seam", body)).body == body
    pieces = [body[start : start + 40_000] for start in range(0, len(body), 40_000)]
    assert passed(recorded, recorder, chunked("/webhooks/seam", *pieces)).body == body


def test_headers_pass(recorded: Proxy, recorder: RecordingWeb) -> None:
    """The signature's, a token, and Slack's."""
    sent: Sequence[Header] = [
        *signed(b"{}"),
        *signed(b"{}", family="webhook"),
        (b"authorization", b"Bearer some-token"),
        (b"x-slack-signature", b"v0=abc"),
        (b"x-slack-request-timestamp", b"1763700000"),
        (b"content-type", b"application/json; charset=utf-8"),
    ]
    arrived = passed(recorded, recorder, public("POST", "/webhooks/seam", b"{}", *sent))
    for name, value in sent:
        assert arrived.values(name) == [value]


def test_nobody_chooses_an_address(recorded: Proxy, recorder: RecordingWeb) -> None:
    """What a client says of itself is replaced by the address that it connects from."""
    forged = [(b"x-forwarded-for", b"203.0.113.9"), (b"X-Forwarded-For", b"203.0.113.10, 127.0.0.1")]
    arrived = passed(recorded, recorder, public("POST", "/webhooks/seam", b"", *forged), source=ATTACKER)
    assert arrived.values(b"x-forwarded-for") == [ATTACKER.encode()]
    assert arrived.values(b"x-forwarded-proto") == [b"https"]


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
def test_an_upgrade_does_not_pass(recorded: Proxy, recorder: RecordingWeb, protocol: bytes) -> None:
    """It arrives as any other request: what comes behind it can't be smuggled past anybody."""
    headers = [(b"connection", b"upgrade"), (b"upgrade", protocol)]
    whole = public("POST", "/webhooks/seam", public("GET", "/healthz"), *headers)
    arrived = passed(recorded, recorder, whole.replace(b"connection: close\r\n", b"", 1), quiet=0.5)
    assert arrived.body == public("GET", "/healthz")
    assert arrived.values(b"upgrade") == []
    assert b"upgrade" not in b"".join(arrived.values(b"connection")).lower()


def test_requests_share_a_connection_to_web(recorded: Proxy, recorder: RecordingWeb) -> None:
    """Ten in a row, each by a connection of its own, need one to `web`."""
    before = recorder.connections
    for _ in range(10):
        passed(recorded, recorder, public("POST", "/webhooks/seam", b"{}"))
    # nginx has one for each worker process; those before may have ended meanwhile.
    assert recorder.connections - before <= 4


def test_webhooks_and_bookings_are_accepted(proxy: Proxy) -> None:
    """By the real `web`, in one piece and in chunks."""
    body = json.dumps(event_of(), indent=1).encode()
    assert statuses(proxy.raw(public("POST", "/webhooks/seam", body, *signed(body)))) == [202]
    whole = chunked("/webhooks/seam", body[:10], body[10:])
    head, _, rest = whole.partition(b"\r\n\r\n")
    signature = b"".join(b"\r\n%s: %s" % each for each in signed(body))
    assert statuses(proxy.raw(head + signature + b"\r\n\r\n" + rest)) == [202]
    booking = json.dumps(booking_of()).encode()
    token = (b"authorization", f"Bearer {TOKEN}".encode())
    assert statuses(proxy.raw(public("POST", "/bookings", booking, token))) == [202]


FORGED = public("POST", "/webhooks/seam", b"{}", (b"svix-id", b"forged"))


def test_failed_tries_are_counted_by_the_true_address(proxy: Proxy, web: WebProcess) -> None:
    """A client that names another address each time is limited all the same; a client of another address isn't."""
    # `web` counts for a minute, and is the same for both proxies.
    guesser, other = [f"127.1.{kind}.{SERVERS.index(type(proxy))}" for kind in (1, 2)]
    names = [FORGED.replace(b"svix-id", b"x-forwarded-for: 203.0.113.%d\r\nsvix-id" % number, 1) for number in range(5)]
    got = [statuses(proxy.raw(each, source=guesser)) for each in names]
    assert got == [[401]] * 3 + [[429]] * 2
    assert statuses(proxy.raw(FORGED, source=other)) == [401]
    assert f'"client": "{guesser}"' in web.log()
    assert f'"client": "{other}"' in web.log()
    assert "203.0.113." not in web.log()


def test_behind_a_load_balancer_its_word_counts(server: type[Proxy], web: WebProcess, tmp_path: Path) -> None:
    """With the one line that names it: failed tries are counted by the address that the load balancer saw."""
    uncommented = {
        Caddy: {"# trusted_proxies 192.0.2.10": f"trusted_proxies {BALANCER}"},
        Nginx: {"# set_real_ip_from 192.0.2.10;": f"set_real_ip_from {BALANCER};"},
    }
    client, other = [f"198.51.{kind}.{SERVERS.index(server)}" for kind in (100, 101)]
    with running(server, tmp_path / "proxy", web.port, edits=uncommented[server]) as proxy:
        seen = FORGED.replace(b"svix-id", f"x-forwarded-for: {other}, {client}\r\nsvix-id".encode(), 1)
        assert statuses(proxy.raw(seen, source=BALANCER)) == [401]
        assert f'"client": "{client}"' in web.log()
        stranger = f"127.1.3.{SERVERS.index(server)}"
        assert statuses(proxy.raw(seen, source=stranger)) == [401]
        assert f'"client": "{stranger}"' in web.log()
    assert other not in web.log()


def test_a_503_of_web_passes_with_its_time_to_wait(
    recorded: Proxy, recorder: RecordingWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seam, and booking systems, are told by `web` when to come again."""
    monkeypatch.setattr(recorder, "status", 503)
    monkeypatch.setattr(recorder, "headers", ((b"retry-after", b"5"), (b"content-type", b"application/json")))
    answer = recorded.raw(public("POST", "/webhooks/seam", b"{}"))
    assert statuses(answer) == [503]
    assert b"retry-after: 5" in answer.lower()
    assert ANSWER in answer


def test_a_connection_that_web_closes(recorded: Proxy, recorder: RecordingWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that met one is sent again by nginx, because `web` takes it twice without harm; Caddy answers 502."""
    monkeypatch.setattr(recorder, "closes_at_second", True)
    answers = [statuses(recorded.raw(public("POST", "/webhooks/seam", b"{}")))[0] for _ in range(10)]
    assert set(answers) == ({202} if recorded.name == "nginx" else {202, 502})


def test_several_processes_share_the_requests(server: type[Proxy], recorder: RecordingWeb, tmp_path: Path) -> None:
    """Named as docs/reverse-proxy.md says."""
    with recording_web() as second:
        both = {
            Caddy: {"{$WEB_ADDRESS:127.0.0.1:8080} {": f"127.0.0.1:{recorder.port} 127.0.0.1:{second.port} {{"},
            Nginx: {"keepalive 64;": f"server 127.0.0.1:{second.port};\n        keepalive 64;"},
        }
        recorder.requests.clear()
        with running(server, tmp_path / "proxy", recorder.port, edits=both[server]) as proxy:
            for _ in range(20):
                assert statuses(proxy.raw(public("POST", "/webhooks/seam", b"{}"))) == [202]
        assert len(recorder.requests) + len(second.requests) == 20
        assert recorder.requests
        assert second.requests


def test_without_web_nothing_is_accepted(server: type[Proxy], tmp_path: Path) -> None:
    """502, at once, while `web` is away."""
    with recording_web() as gone:
        pass
    with running(server, tmp_path / "proxy", gone.port) as proxy:
        assert statuses(proxy.raw(public("POST", "/webhooks/seam", b"{}"))) == [502]
