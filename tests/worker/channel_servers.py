"""Channels of each kind, and servers for them that answer like the real ones."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
from redis import Redis

from shared.ledger.alert_channels import Conversations
from tests.worker.recording_server import Got, Reply
from worker.alerts.apprise_channel import AppriseChannel
from worker.alerts.channel import Channel
from worker.alerts.pagerduty import PagerDuty
from worker.alerts.signed_webhook import SignedWebhook
from worker.alerts.slack import SlackWebhook
from worker.alerts.slack_bot import SlackBot
from worker.alerts.teams import TeamsWorkflow

TOKEN = "xoxb-tell-nobody"
SECRET = "whsec_dGhlIHNlY3JldCBvZiB0aGUgYWxlcnRz"
KEY = "R0UT1NGKEY"


def slack_answers(got: Got) -> Reply:
    """Answer as Slack's incoming webhooks do."""
    is_readable = isinstance(got.parsed.get("text"), str)
    return Reply(200, b"ok") if is_readable else Reply(400, b"no_text")


class SlackApi:
    """Answers like Slack's Web API: always 200, and `ok` says whether it worked."""

    def __init__(self) -> None:
        self.posted: list[str] = []

    def __call__(self, got: Got) -> Reply:
        """Answer one call."""
        if got.headers.get("authorization") != f"Bearer {TOKEN}":
            return self._say(ok=False, error="invalid_auth")
        content = got.parsed
        if got.path == "/chat.update" and content.get("ts") not in self.posted:
            return self._say(ok=False, error="message_not_found")
        if got.path == "/chat.postMessage":
            self.posted.append(f"1763700000.{len(self.posted):06}")
            return self._say(ok=True, ts=self.posted[-1], channel=content["channel"])
        return self._say(ok=True, ts=content["ts"], channel=content["channel"])

    def _say(self, **content: Any) -> Reply:
        return Reply(200, json.dumps(content).encode(), {"content-type": "application/json"})


def teams_answers(got: Got) -> Reply:
    """Answer as a Teams workflow does."""
    (attachment,) = got.parsed["attachments"]
    is_card = attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    return Reply(202) if is_card and len(got.body) < 28_000 else Reply(400, b"bad card")


def pagerduty_answers(got: Got) -> Reply:
    """Answer as PagerDuty's Events API v2 does."""
    event = got.parsed
    is_good = event["routing_key"] == KEY and event["event_action"] in ("trigger", "resolve")
    if event["event_action"] == "trigger":
        payload = event["payload"]
        is_good = is_good and payload["severity"] in ("critical", "error", "warning", "info") and payload["source"]
        is_good = is_good and len(payload["summary"]) <= 1024
    if not is_good or len(event["dedup_key"]) > 255:
        return Reply(400, b'{"status":"invalid event"}')
    return Reply(202, b'{"status":"success","message":"Event processed"}')


def slack_bot(url: str, client: httpx.Client, redis: Redis, *, has_buttons: bool = False) -> SlackBot:
    """Return a channel to `SlackApi`."""
    return SlackBot(
        "bot",
        api=url,
        token=TOKEN,
        slack_channel="C1",
        conversations=Conversations(redis, keep_for=timedelta(days=1)),
        client=client,
        has_buttons=has_buttons,
    )


Build = Callable[[str, httpx.Client, Redis], Channel]

KINDS: dict[str, tuple[Callable[[], Callable[[Got], Reply]], Build]] = {
    "slack": (lambda: slack_answers, lambda url, client, _: SlackWebhook("slack", f"{url}/{TOKEN}", client)),
    "slack_bot": (
        SlackApi,
        slack_bot,
    ),
    "teams": (lambda: teams_answers, lambda url, client, _: TeamsWorkflow("teams", f"{url}/?sig={TOKEN}", client)),
    "pagerduty": (
        lambda: pagerduty_answers,
        lambda url, client, _: PagerDuty("duty", url=f"{url}/v2/enqueue", routing_key=KEY, client=client),
    ),
    "webhook": (
        lambda: lambda _: Reply(204),
        lambda url, client, _: SignedWebhook("hook", f"{url}/hook?key={TOKEN}", SECRET, client),
    ),
    "apprise": (
        lambda: lambda _: Reply(200),
        lambda url, _client, _: AppriseChannel("other", f"{url.replace('http', 'json')}/{TOKEN}"),
    ),
}
