"""Which requests are Seam's: signatures, their age, several secrets, both names of the headers."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr
from redis import Redis

from tests.receiver.web import OTHER_SECRET, SECRET, Web, event_of, running, settings_for, signed
from tests.support.server import DataServer

BODY = json.dumps(event_of()).encode()
REJECTED = {"error": "invalid_signature"}


def now() -> float:
    """Return the present moment."""
    return datetime.now(UTC).timestamp()


HOSTILE: dict[str, Any] = {
    "garbage": {"signature": b"garbage"},
    "no comma": {"signature": b"v1"},
    "two commas": {"signature": b"v1,a,b"},
    "bad base64": {"signature": b"v1,a"},
    "comma alone": {"signature": b","},
    "spaces": {"signature": b"v1,a  v1,b"},
    "empty": {"signature": b""},
    "another version": {"signature": b"v2,AAAA"},
    "not ASCII": {"signature": "v1,sigñature".encode()},
    "not UTF-8": {"signature": b"v1,\xff\xfe"},
    "of nothing": {"signature": b"v1,"},
    "no signature": {"signature": None},
    "no id": {"id": None},
    "no timestamp": {"timestamp": None},
    "another id": {"id": b"msg_2"},
    "id not ASCII": {"id": b"\xff"},
    "timestamp NaN": {"timestamp": b"nan"},
    "timestamp infinite": {"timestamp": b"inf"},
    "timestamp beyond floats": {"timestamp": b"1e400"},
    "timestamp beyond years": {"timestamp": b"9" * 30},
    "timestamp a word": {"timestamp": b"today"},
    "timestamp empty": {"timestamp": b""},
    "timestamp zero": {"timestamp": b"0"},
    "timestamp in other digits": {"timestamp": b"\xd9\xa1\xd9\xa7" * 5},
}


@pytest.mark.parametrize("changed", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("family", ["svix", "webhook"])
def test_hostile_headers_are_all_told_the_same(
    web: Web, redis_client: Redis, family: str, changed: dict[str, bytes | None]
) -> None:
    """401 with one body, whatever is wrong: a forger learns nothing, and nothing is written."""
    headers = signed(BODY, family=family, changed=changed)
    answer = web.send("POST", "/webhooks/seam", body=BODY, headers=headers)
    assert (answer.status_code, answer.json()) == (401, REJECTED)
    assert redis_client.dbsize() == 0


@pytest.mark.parametrize(
    "seconds", [-3_600, -301, 305, 3_600], ids=["an hour old", "301 s old", "305 s early", "an hour early"]
)
def test_a_signature_is_good_for_five_minutes(web: Web, seconds: int) -> None:
    """A request that was recorded can't be played again later; a clock that is far off is no excuse."""
    answer = web.send("POST", "/webhooks/seam", body=BODY, headers=signed(BODY, at=now() + seconds))
    assert (answer.status_code, answer.json()) == (401, REJECTED)


@pytest.mark.parametrize("seconds", [-290, 290], ids=["290 s old", "290 s early"])
def test_within_five_minutes_it_is_good(web: Web, seconds: int) -> None:
    """Clocks may differ, and deliveries may take their time."""
    assert web.webhook(event_of(), at=now() + seconds).status_code == 202


def test_another_secret_is_rejected(web: Web) -> None:
    """A good signature by somebody else is none."""
    assert web.webhook(event_of(), secret=OTHER_SECRET).json() == REJECTED


def test_no_headers_at_all_are_rejected(web: Web) -> None:
    """Without a signature nothing is read as an event."""
    answer = web.send("POST", "/webhooks/seam", body=BODY)
    assert (answer.status_code, answer.json()) == (401, REJECTED)


def test_a_changed_body_is_rejected(web: Web) -> None:
    """The signature is over the bytes: the same JSON written otherwise isn't what was signed."""
    answer = web.send("POST", "/webhooks/seam", body=BODY + b" ", headers=signed(BODY))
    assert (answer.status_code, answer.json()) == (401, REJECTED)


def test_a_body_that_is_not_text_is_rejected(web: Web) -> None:
    """Bytes that are no UTF-8 can't have been signed."""
    answer = web.send("POST", "/webhooks/seam", body=b"\xff\xfe", headers=signed(BODY))
    assert (answer.status_code, answer.json()) == (401, REJECTED)


@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET], ids=["the first", "the second"])
def test_any_of_several_secrets_verifies(data_server: DataServer, redis_client: Redis, secret: str) -> None:
    """A secret is changed without a gap: both are good meanwhile."""
    del redis_client
    secrets = (SecretStr(SECRET), SecretStr(OTHER_SECRET))
    with running(settings_for(data_server.url, seam_webhook_secret=secrets)) as web:
        assert web.webhook(event_of(), secret=secret).status_code == 202


def test_one_good_signature_of_several_is_enough(web: Web) -> None:
    """While Svix rotates a secret, it signs with both, in one header."""
    (good,) = (value for name, value in signed(BODY) if name == b"svix-signature")
    headers = signed(BODY, changed={"signature": b"v1,AAAA v1a,AAAA " + good})
    assert web.send("POST", "/webhooks/seam", body=BODY, headers=headers).status_code == 202


def test_the_standard_names_of_the_headers_are_read_too(web: Web) -> None:
    """`webhook-*` are the twins of `svix-*` in the Standard Webhooks specification."""
    assert web.webhook(event_of(), family="webhook").status_code == 202


WINNERS: Sequence[Any] = [
    pytest.param(SECRET, OTHER_SECRET, 202, id="good svix, bad webhook"),
    pytest.param(OTHER_SECRET, SECRET, 401, id="bad svix, good webhook"),
]


@pytest.mark.parametrize(("svix", "twin", "status"), WINNERS)
def test_svix_headers_go_before_their_twins(web: Web, svix: str, twin: str, status: int) -> None:
    """With both sets, `svix-*` alone decides."""
    headers = signed(BODY, secret=svix) + signed(BODY, secret=twin, family="webhook")
    assert web.send("POST", "/webhooks/seam", body=BODY, headers=headers).status_code == status


def test_header_names_are_read_in_any_case(web: Web) -> None:
    """HTTP's names have no case."""
    headers = [(name.upper(), value) for name, value in signed(BODY)]
    assert web.send("POST", "/webhooks/seam", body=BODY, headers=headers).status_code == 202
