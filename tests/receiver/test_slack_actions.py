"""`POST /slack/actions`: what Slack signed becomes an order, once; nothing else does."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr
from redis import Redis

from shared.contracts import OPS_STREAM
from shared.domain.booking.record import Window
from shared.ops_commands import CHOOSE, HANDLE, RETRY, OpsCommand, SlotOrder, button_for, command_from
from tests.receiver.web import Web, running, settings_for
from tests.support.server import DataServer

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
PATH = "/slack/actions"


@pytest.fixture
def slack(data_server: DataServer, redis_client: Redis) -> Iterator[Web]:
    """Run `web` with a signing secret."""
    del redis_client
    with running(settings_for(data_server.url, slack_signing_secret=SecretStr(SECRET))) as it:
        yield it


def pressed(*actions: tuple[str, str], stamp: str = "1763700000.1") -> bytes:
    """Return the form that Slack sends for pressed buttons."""
    each = [{"action_id": action, "value": value, "action_ts": stamp} for action, value in actions]
    payload = {"type": "block_actions", "user": {"id": "U1", "username": "ann"}, "actions": each}
    return urlencode({"payload": json.dumps(payload)}).encode()


def signed(
    body: bytes, *, secret: str = SECRET, at: float | None = None, version: str = "v0"
) -> list[tuple[bytes, bytes]]:
    """Sign as Slack documents it; written down here again, so that the library isn't its own witness."""
    stamp = str(int(time.time() if at is None else at))
    base = f"{version}:{stamp}:".encode() + body
    signature = f"{version}={hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()}"
    return [(b"x-slack-request-timestamp", stamp.encode()), (b"x-slack-signature", signature.encode())]


def orders(redis: Redis) -> list[tuple[str, str, str]]:
    """Return what was ordered."""
    entries: Any = redis.xrange(OPS_STREAM)
    commands = [command_from(fields["command"]) for _, fields in entries]
    return [(each.action, each.target, each.by) for each in commands]


def test_a_press_is_an_order(slack: Web, redis_client: Redis) -> None:
    """With what it is about, and who gave it."""
    body = pressed((RETRY, "BK-1"), (HANDLE, "booking/BK-1/no_slot/d"))
    answer = slack.send("POST", PATH, body=body, headers=signed(body))
    assert answer.status_code == 200
    assert orders(redis_client) == [
        (RETRY, "BK-1", "ann in Slack"),
        (HANDLE, "booking/BK-1/no_slot/d", "ann in Slack"),
    ]


def test_a_chosen_slot_is_an_order_with_all_that_was_shown(slack: Web, redis_client: Redis) -> None:
    """Booking, door, slot and window; two buttons of one block are two orders."""
    window = Window(datetime(2036, 12, 1, 18, tzinfo=UTC), datetime(2036, 12, 5, 10, tzinfo=UTC))
    asked = [
        SlotOrder(door="d0000000-0000-0000-0000-000000000001", slot=name, window=window) for name in ("Late", "Later")
    ]
    presses = [button_for("BK-1", choice, place) for place, choice in enumerate(asked, 1)]
    body = pressed(*(press for press in presses if press is not None))
    assert slack.send("POST", PATH, body=body, headers=signed(body)).status_code == 200
    entries: Any = redis_client.xrange(OPS_STREAM)
    assert [command_from(fields["command"]) for _, fields in entries] == [
        OpsCommand(action=CHOOSE, target="BK-1", by="ann in Slack", choice=choice) for choice in asked
    ]


def test_a_choice_that_cannot_be_used_orders_nothing(slack: Web, redis_client: Redis) -> None:
    """It is answered like any press that isn't ours: Slack has nothing to send again."""
    body = pressed((CHOOSE, "BK-1"), (f"{CHOOSE}:1", "[" * 1_900), (f"{CHOOSE}:2", '{"booking": "BK-1"}'))
    assert slack.send("POST", PATH, body=body, headers=signed(body)).status_code == 200
    assert orders(redis_client) == []


def test_what_slack_sends_again_is_one_order(slack: Web, redis_client: Redis) -> None:
    """A second press, later, is another."""
    for stamp in ("1.1", "1.1", "2.2"):
        body = pressed((RETRY, "BK-1"), stamp=stamp)
        assert slack.send("POST", PATH, body=body, headers=signed(body)).status_code == 200
    assert len(orders(redis_client)) == 2


def test_other_buttons_order_nothing(slack: Web, redis_client: Redis) -> None:
    """Links under a message report their presses too."""
    body = pressed(("open_runbook", "x"), (RETRY, ""), (RETRY, "x" * 2_001))
    assert slack.send("POST", PATH, body=body, headers=signed(body)).status_code == 200
    assert orders(redis_client) == []


BODY = pressed((RETRY, "BK-1"))
FORGED = {
    "unsigned": [],
    "other secret": signed(BODY, secret="guessed"),
    "other body": signed(BODY + b"&x=y"),
    "old": signed(BODY, at=time.time() - 400),
    "from the future": signed(BODY, at=time.time() + 4_000),
    "other version": signed(BODY, version="v1"),
    "no time": signed(BODY)[1:],
    "no signature": signed(BODY)[:1],
    "odd time": [(b"x-slack-request-timestamp", b"1e9"), signed(BODY)[1]],
    "digits of elsewhere": [(b"x-slack-request-timestamp", "١٢".encode()), signed(BODY)[1]],
    "endless time": [(b"x-slack-request-timestamp", b"9" * 5_000), signed(BODY)[1]],
    "bytes for a signature": [signed(BODY)[0], (b"x-slack-signature", b"v0=\xff\xfe")],
}


@pytest.mark.parametrize("forgery", FORGED)
def test_what_is_not_slacks_is_refused(slack: Web, redis_client: Redis, forgery: str) -> None:
    """One answer for all of them."""
    answer = slack.send("POST", PATH, body=BODY, headers=FORGED[forgery])
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_signature"})
    assert orders(redis_client) == []


UNREADABLE = {
    "nothing": b"",
    "no payload": b"a=b",
    "no JSON": b"payload=x",
    "a list": b"payload=[]",
    "deep": b"payload=" + b"[" * 50_000,
    "no user": urlencode({"payload": json.dumps({"actions": []})}).encode(),
    "actions of another kind": urlencode({"payload": json.dumps({"actions": 5, "user": {"id": "U"}})}).encode(),
    "an action without an id": urlencode({"payload": json.dumps({"actions": [{}], "user": {"id": "U"}})}).encode(),
    "many fields": b"&".join(b"a=b" for _ in range(50)),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_cannot_be_read_is_told_so(slack: Web, kind: str) -> None:
    """Though Slack signed it."""
    body = UNREADABLE[kind]
    assert slack.send("POST", PATH, body=body, headers=signed(body)).status_code == 400


def test_it_is_not_there_without_a_secret(web: Web) -> None:
    """404 for every request."""
    assert web.send("POST", PATH, body=BODY, headers=signed(BODY)).status_code == 404


def test_other_methods_and_long_bodies(slack: Web) -> None:
    """As everywhere."""
    assert slack.send("GET", PATH).status_code == 405
    assert slack.send("POST", PATH, body=b"x" * 300_000).status_code == 413
