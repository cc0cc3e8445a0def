"""The alerts that the sink took, for people: newest first, chat messages rendered readable."""

import json
from collections.abc import Iterator
from typing import Any

from starlette.responses import HTMLResponse

from deploy.sandbox.alerts import Alert
from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.encoding import format_timestamp
from deploy.sandbox.pages.html import page, text

SHOWN = 200
REFRESH_SECONDS = 5
# Keys of chat messages (Slack, Teams, PagerDuty and the like) whose text is for people, and those
# that hold more of it.
_TEXT_KEYS = ("title", "summary", "text", "message", "fallback", "pretext", "content")
_PART_KEYS = ("blocks", "attachments", "fields", "elements", "text", "body", "payload", "content")


def alerts_page(sandbox: Sandbox) -> HTMLResponse:
    """Return the page."""
    newest = list(reversed(sandbox.alerts.everything()))[:SHOWN]
    articles = "".join(_article(alert) for alert in newest)
    empty = "<p>None so far. This page refreshes itself.</p>"
    links = '<p><a href="/">Sandbox</a> · <a href="/alerts.json">As JSON</a></p>'
    return page("Alerts", links + (articles or empty), refresh_seconds=REFRESH_SECONDS)


def readable(message: Any) -> list[str]:
    """Return the lines of a chat message that are meant for people, each once, in order."""
    return list(dict.fromkeys(line for line in _lines(message) if line.strip()))


def _article(alert: Alert) -> str:
    lines = readable(alert.parsed) if alert.parsed is not None else []
    shown = "".join(f"<p>{text(line).replace(chr(10), '<br>')}</p>" for line in lines)
    whole = alert.body
    if alert.parsed is not None:
        whole = json.dumps(alert.parsed, indent=2, ensure_ascii=False)
    raw = f"<details><summary>as sent</summary><pre>{text(whole)}</pre></details>"
    if not shown:
        raw = f"<pre>{text(whole)}</pre>"
    heading = f"<h2>{text(alert.channel)} <small>{text(format_timestamp(alert.at))}</small></h2>"
    return f"<article>{heading}{shown}{raw}</article>"


def _lines(part: Any) -> Iterator[str]:
    match part:
        case list():
            for item in part:
                yield from _lines(item)
        case dict():
            for key in _TEXT_KEYS:
                if isinstance(part.get(key), str):
                    yield part[key]
            for key in _PART_KEYS:
                if not isinstance(part.get(key), str):
                    yield from _lines(part.get(key))
        case _:
            return
