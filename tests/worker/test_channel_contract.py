"""Every channel keeps the same contract, with a server that answers like the real one.

It delivers. Every failure is `NotDelivered`, without a URL or a token in its text. A repeat can be recognized. No
answer of the server makes it send to another address.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import get_args

import httpx
import pytest
from redis import Redis
from standardwebhooks import Webhook

from shared.domain.alerting.receipts import record_delivery
from tests.worker.alert_messages import CHANNEL, message, notice, one, opened, resolved
from tests.worker.channel_servers import KEY, KINDS, SECRET, TOKEN
from tests.worker.recording_server import Got, Recorder, Reply, recording
from worker.alerts import http_post
from worker.alerts.alerts_file_schema import ChannelPart
from worker.alerts.apprise_channel import AppriseChannel
from worker.alerts.channel import Channel, NotDelivered


@dataclass
class Stage:
    """One channel, and its server."""

    channel: Channel
    server: Recorder


@pytest.fixture(params=list(KINDS))
def stage(request: pytest.FixtureRequest, redis_client: Redis) -> Iterator[Stage]:
    """Return each kind of channel in turn."""
    honest, build = KINDS[request.param]
    with ExitStack() as stack:
        server = stack.enter_context(recording(honest()))
        client = stack.enter_context(httpx.Client(trust_env=False))
        yield Stage(build(server.url, client, redis_client), server)


def test_every_kind_of_channel_keeps_the_contract() -> None:
    """Every kind that ALERTS_FILE has is tested here; mail has test_mail_channel.py, with a mail server."""
    union = get_args(get_args(ChannelPart)[0])
    kinds = {get_args(part.model_fields["type"].annotation)[0] for part in union}
    assert kinds == {*KINDS, "email"}


def test_it_delivers_and_returns_the_answer(stage: Stage) -> None:
    """One problem, several at once, and their end."""
    alert = opened(notice())
    others = [opened(notice(f"BK-{number}")) for number in range(30)]
    assert stage.channel.send(message(alert))
    assert stage.channel.send(message(*others))
    assert stage.channel.send(message(resolved(alert)))
    assert stage.channel.send(message(*(resolved(each, thread="t") for each in others)))


FAULTS = {
    "400": Reply(400, b'{"status":"invalid"}'),
    "401": Reply(401),
    "404": Reply(404, b"no_service"),
    "410": Reply(410),
    "429": Reply(429, b'{"ok":false,"error":"ratelimited"}', {"retry-after": "7"}),
    "500": Reply(500, b"<html>oops</html>"),
    "503": Reply(503),
    "cut": Reply(cut=True),
    "redirect": Reply(302, headers={"location": "http://127.0.0.1:9/elsewhere"}),
    "redirect to itself": Reply(307, headers={"location": "/again"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_failure_is_not_delivered(stage: Stage, fault: str) -> None:
    """Its text quotes no secret; the next try succeeds."""
    sent = message(opened(notice()))
    stage.server.faults = [FAULTS[fault]] * 3
    with pytest.raises(NotDelivered) as failed:
        stage.channel.send(sent)
    for secret in (TOKEN, SECRET, KEY, stage.server.url):
        assert secret not in str(failed.value)
    assert len(stage.server.got) == 1
    stage.server.faults = []
    assert stage.channel.send(sent)


def test_the_server_s_pause_is_kept(stage: Stage) -> None:
    """429 with Retry-After."""
    if isinstance(stage.channel, AppriseChannel):
        pytest.skip("apprise doesn't say why something wasn't taken")
    stage.server.faults = [FAULTS["429"]]
    with pytest.raises(NotDelivered) as failed:
        stage.channel.send(one())
    assert failed.value.retry_after == timedelta(seconds=7)


def test_a_slow_server_does_not_delay_the_others(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that doesn't come in time is a failure."""
    if isinstance(stage.channel, AppriseChannel):
        pytest.skip("apprise has time-outs of its own, of 4 seconds")
    monkeypatch.setattr(http_post, "_TIMEOUT", httpx.Timeout(0.2))
    stage.server.faults = [Reply(200, b"ok", after=0.6)]
    with pytest.raises(NotDelivered, match="ReadTimeout"):
        stage.channel.send(one())


MALFORMED = [
    b"",
    b"<html>login</html>",
    b"[]",
    b"[" * 50_000,
    b'{"ok":true}',
    b'{"ok":"yes","ts":"1"}',
    b"\xff" * 200_000,
]


@pytest.mark.parametrize("body", MALFORMED, ids=["empty", "html", "list", "deep", "no ts", "no boolean", "bytes"])
@pytest.mark.parametrize("kind", ["slack", "slack_bot", "pagerduty"])
def test_answers_that_look_like_success(redis_client: Redis, kind: str, body: bytes) -> None:
    """A proxy's page with status 200 isn't Slack's answer; PagerDuty accepts with 202 only."""
    honest, build = KINDS[kind]
    with recording(honest()) as server, httpx.Client(trust_env=False) as client:
        server.faults = [Reply(200, body)]
        with pytest.raises(NotDelivered):
            build(server.url, client, redis_client).send(one())


def test_a_repeat_can_be_recognized(redis_client: Redis) -> None:
    """By the id that each service has for it."""
    found: dict[str, list[str]] = {}
    for kind, (honest, build) in KINDS.items():
        with recording(honest()) as server, httpx.Client(trust_env=False) as client:
            channel = build(server.url, client, redis_client)
            sent = message(opened(notice()))
            for each in (sent, sent):
                channel.send(each)
            found[kind] = [_id_of(got) for got in server.got if got.path != "/chat.update"]
    del found["slack"], found["teams"]  # these have no field for one
    assert all(ids == [ids[0]] * 2 and ids[0] for ids in found.values()), found


def _id_of(got: Got) -> str:
    content = got.parsed
    return str(
        got.headers.get("webhook-id")
        or content.get("dedup_key")
        or content.get("metadata", {}).get("event_payload", {}).get("delivery_id")
        or "booking/BK-1/no_slot/d-1#1" * ("#1)" in got.body.decode())
    )


def test_the_webhook_verifies(redis_client: Redis) -> None:
    """Any library of Standard Webhooks verifies it; it has every problem of the message."""
    honest, build = KINDS["webhook"]
    with recording(honest()) as server, httpx.Client(trust_env=False) as client:
        sent = message(*(opened(notice(f"BK-{n}")) for n in range(12)))
        build(server.url, client, redis_client).send(sent)
        # The times in these tests are far in the future; the library reads the clock.
        verified = json.loads(server.got[0].body)
        signature = Webhook(SECRET).sign(sent.delivery_id, sent.at, server.got[0].body.decode())
    assert server.got[0].headers["webhook-signature"] == signature
    assert len(verified["alerts"]) == 12


def test_problems_that_are_told_together_are_one_pagerduty_incident(redis_client: Redis) -> None:
    """It ends with the last of its problems, not before."""
    honest, build = KINDS["pagerduty"]
    first, second = opened(notice("BK-1")), opened(notice("BK-2"))
    together = message(first, second)
    thread = next(iter(together.threads))
    with recording(honest()) as server, httpx.Client(trust_env=False) as client:
        duty = build(server.url, client, redis_client)
        duty.send(together)
        still_open = record_delivery(second, CHANNEL, 1, thread=thread)
        duty.send(message(resolved(first, thread=thread), others=(still_open,)))
        duty.send(message(resolved(second, thread=thread)))
    events = [(got.parsed["event_action"], got.parsed["dedup_key"]) for got in server.got]
    assert events == [("trigger", thread), ("resolve", thread)]
