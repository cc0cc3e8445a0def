"""Slack by incoming webhook (Slack docs, "Sending messages using incoming webhooks")."""

import json
from collections.abc import Iterator
from typing import Any, Final

import httpx

from shared.domain.alerting.severity import Severity
from worker.alerts.channel import NotDelivered
from worker.alerts.http_post import post
from worker.alerts.message import AlertMessage, one_line

SIGNS: Final = {
    Severity.INFO: ":information_source:",
    Severity.WARNING: ":warning:",
    Severity.PAGE: ":rotating_light:",
}
_IN_SMALL: Final = ("Look closer", "Runbook", "Seen")
# Slack refuses a section of over 3,000 characters and a header of over 150.
_LONGEST_TEXT: Final = 2_500
_LONGEST_HEADER: Final = 140


class SlackWebhook:
    """One Slack channel. Text from bookings is escaped: it can't mention people or fake a link."""

    def __init__(self, name: str, url: str, client: httpx.Client) -> None:
        self._name = name
        self._url = url
        self._client = client

    @property
    def name(self) -> str:
        """The channel's name."""
        return self._name

    def send(self, message: AlertMessage) -> str:
        """Post the message. Raises NotDelivered."""
        body = json.dumps(slack_message(message)).encode()
        answer = post(self._client, self._url, body, {"content-type": "application/json"})
        if answer.body.strip() != b"ok":
            # Slack says "ok" and nothing else; anything else is a proxy or a login page.
            raise NotDelivered("the answer is not Slack's")
        return "ok"


def slack_message(message: AlertMessage) -> dict[str, Any]:
    """Return the message as Slack blocks, with a plain text for notifications."""
    sign = SIGNS[message.severity] if message.is_open else ":white_check_mark:"
    facts = [(name, text) for name, text in message.facts if name not in _IN_SMALL]
    context = " · ".join(_small(message))
    return {
        "text": f"{sign} {escape(message.title)}: {escape(message.happened)}"[:_LONGEST_TEXT],
        "blocks": [
            {
                "type": "header",
                "text": {
                    "type": "plain_text",
                    "text": f"{sign} {one_line(message.title, _LONGEST_HEADER)}",
                    "emoji": True,
                },
            },
            *({"type": "section", "text": {"type": "mrkdwn", "text": _fact(*fact)}} for fact in facts),
            {"type": "context", "elements": [{"type": "mrkdwn", "text": context[:_LONGEST_TEXT]}]},
        ],
    }


def _fact(name: str, text: str) -> str:
    lines = "\n".join(map(escape, text.split("\n")))
    return f"*{name}:*{chr(10) if chr(10) in lines else ' '}{lines}"[:_LONGEST_TEXT]


def _small(message: AlertMessage) -> Iterator[str]:
    facts = dict(message.facts)
    if "Look closer" in facts:
        yield f"`{escape(facts['Look closer'])}`"
    yield f"{message.first.problem} · {message.severity}"
    if "Runbook" in facts:
        yield escape(facts["Runbook"])
    if "Seen" in facts:
        yield facts["Seen"]


def escape(text: str) -> str:
    """Escape what Slack reads as markup (Slack docs, "Escaping text"), and the backticks that end our code spans."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("`", "'").replace("\n", " ")
