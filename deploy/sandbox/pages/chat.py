"""Alerts as people get them: Slack's blocks, Teams' cards, PagerDuty's incidents and signed webhooks, as HTML."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from deploy.sandbox.pages.html import text

# Keys of chat messages whose text is for people, and those that hold more of it.
_TEXT_KEYS = ("title", "summary", "text", "message", "fallback", "pretext", "content")
_PART_KEYS = ("blocks", "attachments", "fields", "elements", "text", "body", "payload", "content")
_WEBHOOK_LINES: Final = (
    ("What happened", "happened"),
    ("Check-in", "check_in"),
    ("Next", "next_step"),
    ("Look closer", "look_closer"),
)
_EMOJI: Final = {
    ":rotating_light:": "🚨",
    ":warning:": "⚠️",
    ":information_source:": "\u2139\ufe0f",
    ":white_check_mark:": "✅",
}
_BOLD, _CODE = re.compile(r"\*([^*\n]{1,300})\*"), re.compile(r"`([^`\n]{1,500})`")
_ENTITIES: Final = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


def rendered(message: Any) -> str:
    """Return a message as HTML; empty where nothing in it is for people."""
    match message:
        case {"blocks": list() as blocks}:
            return "".join(map(_block, blocks))
        case {"delivery_id": _, "happened": _}:
            return _webhook(message)
        case _:
            return "".join(f"<p>{_lines_of(line)}</p>" for line in readable(message))


def readable(message: Any) -> list[str]:
    """Return the lines of a message that are meant for people, each once, in order."""
    return list(dict.fromkeys(line for line in _lines(message) if line.strip()))


def _block(block: Any) -> str:
    match block:
        case {"type": "header", "text": {"text": str() as title}}:
            return f"<h2>{_lines_of(_with_emoji(title))}</h2>"
        case {"type": "context", "elements": list() as elements}:
            told = [_markup(str(each.get("text", ""))) for each in elements if isinstance(each, Mapping)]
            return f'<p class="context">{" ".join(told)}</p>'
        case {"type": "actions", "elements": list() as elements}:
            names = [" ".join(readable(each)) for each in elements]
            return f'<p class="buttons">{"".join(f"<span>{text(name)}</span>" for name in names if name)}</p>'
        case {"type": "divider"}:
            return "<hr>"
        case {"type": "section"}:
            return "".join(f"<p>{_markup(line)}</p>" for line in readable(block))
        case _:
            return "".join(f"<p>{_lines_of(line)}</p>" for line in readable(block))


def _webhook(message: Mapping[str, Any]) -> str:
    lines = "".join(
        f"<p><strong>{name}:</strong> {_lines_of(str(message[key]))}</p>"
        for name, key in _WEBHOOK_LINES
        if message.get(key)
    )
    state = f"{message.get('problem')} · {message.get('severity')} · {message.get('status')}"
    return f'<h2>{text(message.get("title"))}</h2>{lines}<p class="context">{text(state)}</p>'


def _markup(written: str) -> str:
    """Return Slack's own markup as HTML: bold, code, line breaks. What it escapes is shown as it was meant."""
    for entity, sign in _ENTITIES:
        written = written.replace(entity, sign)
    html = _lines_of(_with_emoji(written))
    return _CODE.sub(r"<code>\1</code>", _BOLD.sub(r"<strong>\1</strong>", html))


def _with_emoji(written: str) -> str:
    for name, sign in _EMOJI.items():
        written = written.replace(name, sign)
    return written


def _lines_of(written: str) -> str:
    return text(written).replace("\n", "<br>")


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
