"""Bodies over the limit are refused: by their own word, and while they are read."""

import json
from collections.abc import Iterator

import pytest
from redis import Redis

from tests.receiver.web import Web, event_of, running, settings_for, signed
from tests.support.server import DataServer

LIMIT = 4096


@pytest.fixture
def small(data_server: DataServer, redis_client: Redis) -> Iterator[Web]:
    """Run `web` with a small limit."""
    del redis_client
    with running(settings_for(data_server.url, webhook_body_limit=LIMIT)) as it:
        yield it


def of_size(size: int) -> bytes:
    """Return an event of exactly this size."""
    empty = len(json.dumps(event_of(padding="")))
    return json.dumps(event_of(padding="x" * (size - empty))).encode()


DECLARED = {"by one": str(LIMIT + 1), "by far": "9" * 18, "beyond any number": "9" * 5_000}


@pytest.mark.parametrize("declared", DECLARED.values(), ids=DECLARED.keys())
@pytest.mark.parametrize("path", ["/webhooks/seam", "/bookings"])
def test_a_declared_length_over_the_limit_is_refused(small: Web, path: str, declared: str) -> None:
    """413 by `Content-Length` alone, before the signature is looked at: a forger costs nothing."""
    headers = [(b"content-length", declared.encode()), (b"authorization", b"Bearer a-booking-token")]
    answer = small.send("POST", path, body=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["limit_bytes"]) == (413, LIMIT)


@pytest.mark.parametrize("path", ["/webhooks/seam", "/bookings"])
def test_a_body_that_grows_over_the_limit_is_refused(small: Web, path: str) -> None:
    """413 as soon as it is over, where no length was declared."""
    headers = [(b"authorization", b"Bearer a-booking-token")]
    answer = small.send("POST", path, body=[b"x" * 1_024] * 5, headers=headers)
    assert answer.status_code == 413


def test_a_declared_length_may_begin_with_zeros(small: Web) -> None:
    """It is a number, however it is written."""
    body = of_size(500)
    headers = [(b"content-length", b"0" * 20 + b"500"), *signed(body)]
    assert small.send("POST", "/webhooks/seam", body=[body[:9], body[9:]], headers=headers).status_code == 202


def test_a_body_of_exactly_the_limit_is_taken(small: Web) -> None:
    """The limit itself is within, one byte more isn't."""
    at, over = of_size(LIMIT), of_size(LIMIT + 1)
    assert (len(at), small.webhook(at).status_code) == (LIMIT, 202)
    assert (len(over), small.webhook(over).status_code) == (LIMIT + 1, 413)


def test_a_body_in_parts_is_put_together(small: Web) -> None:
    """However the body arrives, it is verified and read as a whole."""
    body = of_size(3_000)
    parts = [body[:1], b"", body[1:2_000], body[2_000:]]
    assert small.send("POST", "/webhooks/seam", body=parts, headers=signed(body)).status_code == 202


@pytest.mark.parametrize("declared", ["-1", "none", "", "1e3"], ids=["negative", "a word", "empty", "a float"])
def test_a_length_that_is_no_number_is_not_believed(small: Web, declared: str) -> None:
    """What is read counts then."""
    body = of_size(3_000)
    headers = [*signed(body), (b"content-length", declared.encode())]
    assert small.send("POST", "/webhooks/seam", body=body, headers=headers).status_code == 202
