"""Microsoft Teams by a Workflows webhook ("Post to a channel when a webhook request is received").

Teams takes an adaptive card. Its text is in text runs, which have no markup: nothing needs escaping, and text from a
booking can't mention anybody or fake a link.
"""

import json
from typing import Any, Final

import httpx

from shared.domain.alerting.severity import Severity
from worker.alerts.http_post import post
from worker.alerts.message import AlertMessage, one_line

# Teams refuses messages of over 28 KB (Microsoft Learn, "Limits and specifications for Microsoft Teams").
_LONGEST_FACT: Final = 1_800
_LONGEST_TITLE: Final = 200
_COLOURS: Final = {Severity.INFO: "Accent", Severity.WARNING: "Warning", Severity.PAGE: "Attention"}


class TeamsWorkflow:
    """One Teams channel, by the URL of a workflow."""

    def __init__(self, name: str, url: str, client: httpx.Client) -> None:
        self._name = name
        self._url = url
        self._client = client

    @property
    def name(self) -> str:
        """The channel's name."""
        return self._name

    def send(self, message: AlertMessage) -> str:
        """Post the card. Raises NotDelivered."""
        body = json.dumps(teams_message(message)).encode()
        return f"HTTP {post(self._client, self._url, body, {'content-type': 'application/json'}).status}"


def teams_message(message: AlertMessage) -> dict[str, Any]:
    """Return the message as Teams takes it, with one adaptive card."""
    colour = "Good" if message.is_gone else _COLOURS[message.severity]
    title = {"type": "TextRun", "text": one_line(message.title, _LONGEST_TITLE), "weight": "Bolder", "size": "Large"}
    rows = [_row([{**title, "color": colour}])]
    for name, text in message.facts:
        lines = [{"type": "TextRun", "text": line[:_LONGEST_FACT]} for line in text.split("\n")]
        rows.append(_row([{"type": "TextRun", "text": f"{name}: ", "weight": "Bolder"}, lines[0]]))
        rows += [_row([line], spacing="None") for line in lines[1:]]
    rows.append(_row([{"type": "TextRun", "text": f"{message.first.problem} · {message.severity}", "isSubtle": True}]))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": one_line(f"{message.title}: {message.happened}", _LONGEST_FACT),
        "body": rows,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _row(runs: list[dict[str, Any]], **more: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": runs, **more}
