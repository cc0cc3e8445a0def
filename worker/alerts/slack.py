"""Slack by incoming webhook (Slack docs, "Sending messages using incoming webhooks")."""

import json
from typing import Any, Final

import httpx

from shared.domain.alerts import Severity
from worker.alerts.channel import AlertMessage
from worker.alerts.http_post import post

_SIGNS: Final = {
    Severity.INFO: ":information_source:",
    Severity.WARNING: ":warning:",
    Severity.PAGE: ":rotating_light:",
}
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

    def send(self, message: AlertMessage) -> None:
        """Post the message. Raises NotDelivered."""
        body = json.dumps(slack_message(message)).encode()
        post(self._client, self._url, body, {"content-type": "application/json"})


def slack_message(message: AlertMessage) -> dict[str, Any]:
    """Return the message as Slack blocks, with a plain text for notifications."""
    is_open = message.status == "open"
    sign = _SIGNS[message.severity] if is_open else ":white_check_mark:"
    head = message.subject if is_open else f"Resolved: {message.subject}"
    lines = [f"*What happened:* {escape(message.happened)}"]
    if message.check_in:
        lines.append(f"*Check-in:* {escape(message.check_in)}")
    lines.append(f"*Next:* {escape(message.next_step)}" + (f" _({message.actor})_" if is_open else ""))
    context = f"`{escape(message.look_closer)}` · {message.problem} · {message.severity}"
    if message.count > 1:
        context += f" · {message.count} times"
    return {
        "text": f"{sign} {escape(head)}: {escape(message.happened)}"[:_LONGEST_TEXT],
        "blocks": [
            {
                "type": "header",
                "text": {
                    "type": "plain_text",
                    "text": f"{sign} {head}"[:_LONGEST_HEADER],
                    "emoji": True,
                },
            },
            {
                "type": "section",
                "text": {"type": "mrkdwn", "text": "\n".join(lines)[:_LONGEST_TEXT]},
            },
            {"type": "context", "elements": [{"type": "mrkdwn", "text": context[:_LONGEST_TEXT]}]},
        ],
    }


def escape(text: str) -> str:
    """Escape what Slack reads as markup (Slack docs, "Escaping text"), and the backticks that end our code spans."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("`", "'").replace("\n", " ")
