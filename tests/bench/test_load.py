"""The load generator: what it sends is what web accepts, and what it counts is what was answered."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_server

from bench.load import Heads, Load, read_requests, write_requests
from bench.webhooks import SECRET, signed_requests
from receiver.webhook_parsing import SeamEvent, VerifiedWebhook
from receiver.webhook_signature import WebhookSecrets
from shared.seam_event_redaction import Redactor


def test_requests_are_signed_and_of_events_of_their_own() -> None:
    """Our own verification takes each of them; no two are alike."""
    bodies, secrets = set(), WebhookSecrets([SECRET])
    for request in signed_requests(80, 20):
        head, _, body = request.partition(b"\r\n\r\n")
        headers = {
            name.strip(): value.strip() for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])
        }
        assert SeamEvent.from_webhook(VerifiedWebhook.from_http(headers, body, secrets), Redactor()).is_handled
        assert int(headers[b"content-length"]) == len(body)
        bodies.add(body)
    assert len(bodies) == 20


def test_requests_come_back_as_they_were_kept(tmp_path: Path) -> None:
    """The generator is a process of its own: they go through a file."""
    requests = [b"", b"one", b"\x00" * 300]
    write_requests(tmp_path / "requests", requests)
    assert read_requests(tmp_path / "requests") == requests


def test_a_head_says_how_long_an_answer_is() -> None:
    """Nothing is concluded from a part of one."""
    heads = Heads()
    assert heads.read(b"HTTP/1.1 202 Accepted\r\ncontent-le") is None
    whole = b"HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\n"
    assert heads.read(whole + b"12") == (202, len(whole) + 5, False)
    assert heads.read(b"HTTP/1.1 503 Busy\r\nconnection: close\r\n\r\n") == (503, 40, True)


@contextmanager
def answering(*answers: bytes) -> Iterator[int]:
    """Answer the requests of one connection with these in turn, then close it."""
    with create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            line, _ = door.accept()
            with line:
                for answer in answers:
                    line.recv(65_536)
                    line.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield door.getsockname()[1]
        thread.join(10)


def test_every_answer_is_counted_under_its_status() -> None:
    """Refusals are no successes."""
    good, busy = b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 503 Busy\r\ncontent-length: 2\r\n\r\nno"
    with answering(good, busy, good) as port:
        report = Load(port, 1, [b"a", b"b", b"c"], pause=0.01).run(10)
    assert (report.by_status, report.broken, report.ran_out) == ({"204": 2, "503": 1}, 0, True)


def test_a_rate_is_kept() -> None:
    """Not more than so many a second, evenly; what comes late is sent at once."""
    good = b"HTTP/1.1 204 No Content\r\n\r\n"
    with answering(*[good] * 5) as port:
        report = Load(port, 1, [b"a", b"b", b"c", b"d", b"e"], pause=0, rate=20).run(10)
    assert report.by_status == {"204": 5}
    assert report.seconds >= 0.2
