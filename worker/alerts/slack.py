"""Slack by incoming webhook (Slack docs, "Sending messages using incoming webhooks")."""

import json
import re
from collections.abc import Container, Iterator
from typing import Any, Final

import httpx

from shared.domain.alerting.severity import Severity
from worker.alerts.channel import NotDelivered
from worker.alerts.http_post import post
from worker.alerts.message import CHOOSE, AlertMessage, one_line

SIGNS: Final = {
    Severity.INFO: ":information_source:",
    Severity.WARNING: ":warning:",
    Severity.PAGE: ":rotating_light:",
}
# Facts with our own text; commands in them are between backticks.
_OURS: Final = ("Next", CHOOSE)
_IN_SMALL: Final = ("Look closer", "Runbook", "Seen")
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

    def send(self, message: AlertMessage) -> str:
        """Post the message. Raises NotDelivered."""
        body = json.dumps(slack_message(message)).encode()
        answer = post(self._client, self._url, body, {"content-type": "application/json"})
        if answer.body.strip() != b"ok":
            # Slack's answer is "ok" alone; any other answer comes from a proxy or a login page.
            raise NotDelivered("the answer is not Slack's")
        return "ok"


def slack_message(message: AlertMessage, *, without: Container[str] = ()) -> dict[str, Any]:
    """Return the message as Slack blocks, and as text for notifications. Facts named in `without` are left out."""
    told = [(name, text) for name, text in message.facts if name not in _IN_SMALL and name not in without]
    sign = ":white_check_mark:" if message.is_gone else SIGNS[message.severity]
    facts = [(name, _with_code(text) if name in _OURS and message.is_open else _escaped(text)) for name, text in told]
    context = " · ".join(_small(message))
    return {
        "text": f"{sign} {escape(message.title)}: {escape(message.happened)}"[:_LONGEST_TEXT],
        # Text from bookings is plain text: Slack makes no links, mentions or previews of it.
        "mrkdwn": False,
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": [
            {
                "type": "header",
                "text": {
                    "type": "plain_text",
                    "text": f"{sign} {one_line(message.title, _LONGEST_HEADER)}",
                    "emoji": True,
                },
            },
            *({"type": "section", "text": _markup(_fact(*fact))} for fact in facts),
            {"type": "context", "elements": [_markup(context)]},
        ],
    }


def _markup(text: str) -> dict[str, Any]:
    """Return a text with our own markup; with `verbatim`, Slack looks for no links and names in the rest."""
    return {"type": "mrkdwn", "text": text[:_LONGEST_TEXT], "verbatim": True}


def _fact(name: str, markup: str) -> str:
    return f"*{name}:*{chr(10) if chr(10) in markup else ' '}{markup}"[:_LONGEST_TEXT]


def _escaped(text: str) -> str:
    return "\n".join(map(escape, text.split("\n")))


def _with_code(text: str) -> str:
    """Return our own text with its commands as code, so that they can be pasted. Only commands have backticks in it."""
    parts = enumerate(text.split("`"))
    return "".join(f"`{_entities(part)}`" if number % 2 else _escaped(part) for number, part in parts)


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
    """Return text that Slack shows as it is, on one line.

    Three characters are escaped as its documentation says ("Escaping text"). The characters for bold, strikethrough and
    code can't be escaped: they are replaced by similar ones. So are underscores that would start or end italics.
    """
    escaped = _entities(text)
    return _EDGE_UNDERSCORE.sub("\uff3f", " ".join(escaped.translate(_LOOK_ALIKES).splitlines()))


def _entities(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
