"""Slack by incoming webhook (Slack docs, "Sending messages using incoming webhooks")."""

import json
import re
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
_LOOK_ALIKES: Final = str.maketrans({"`": "'", "*": "\u2217", "~": "\u223c"})
_EDGE_UNDERSCORE: Final = re.compile(r"(?<![^\W_])_|_(?![^\W_])")


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
        # What a booking says is text: Slack makes no link, mention or preview of it.
        "mrkdwn": False,
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
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
                "text": _markup("\n".join(lines)),
            },
            {"type": "context", "elements": [_markup(context)]},
        ],
    }


def _markup(text: str) -> dict[str, Any]:
    """Return a text with our own markup in it; `verbatim` keeps Slack from finding links and names in the rest."""
    return {"type": "mrkdwn", "text": text[:_LONGEST_TEXT], "verbatim": True}


def escape(text: str) -> str:
    """Return text that Slack shows as it is, on one line.

    Three characters are escaped as its documentation says ("Escaping text"). Those for bold, struck out and code can't
    be: they are replaced by others that look like them, and underscores that would begin or end italics likewise.
    """
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _EDGE_UNDERSCORE.sub("\uff3f", " ".join(escaped.translate(_LOOK_ALIKES).splitlines()))
