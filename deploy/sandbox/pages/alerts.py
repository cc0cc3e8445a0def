"""The alerts that the sink took, as people get them: of one channel, newest first, each repeated one once."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.responses import HTMLResponse

from deploy.sandbox.alerts import Alert
from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.encoding import format_timestamp
from deploy.sandbox.pages.chat import readable, rendered
from deploy.sandbox.pages.html import page, text

SHOWN = 100
ALL = "all"


@dataclass(frozen=True, slots=True)
class _Said:
    """One message, which may have come several times; the newest of them, and when the first came."""

    alert: Alert
    times: int
    first: Alert


def alerts_page(sandbox: Sandbox, query: Mapping[str, str]) -> HTMLResponse:
    """Return the page. `channel` is that of the query, else the first that people read; `q` is a part of the text."""
    everything = sandbox.alerts.everything()
    channels = Counter(alert.channel for alert in everything)
    channel = query.get("channel") or _usual(list(channels))
    wanted = query.get("q", "").strip()
    chosen = [alert for alert in everything if channel in (ALL, alert.channel)]
    said = [each for each in _once(chosen) if wanted.casefold() in _words(each.alert).casefold()]
    shown = "".join(_message(each) for each in said[:SHOWN])
    empty = "<p>No alert matches.</p>" if everything else "<p>None so far. This page shows new ones by itself.</p>"
    more = f'<p class="hint">The newest {SHOWN} of {len(said)}.</p>' if len(said) > SHOWN else ""
    body = f'{_tabs(channels, channel, wanted)}{more}<div class="chat">{shown or empty}</div>'
    return page("Alerts", body, here="/alerts")


def _usual(channels: Sequence[str]) -> str:
    """Return the channel to begin with: a chat, where the same alerts go to programs too."""
    chats = (name for name in channels if name.startswith(("slack", "teams", "mail")))
    return next(chats, channels[0] if len(channels) == 1 else ALL)


def _once(alerts: Sequence[Alert]) -> list[_Said]:
    """Return the messages newest first; those that say the same in the same channel are one."""
    said: dict[tuple[str, str], _Said] = {}
    for alert in alerts:
        before = said.pop((alert.channel, alert.body), None)
        first = before.first if before else alert
        said[alert.channel, alert.body] = _Said(alert, (before.times if before else 0) + 1, first)
    return list(reversed(said.values()))


def _tabs(channels: Mapping[str, int], channel: str, wanted: str) -> str:
    names = [*channels, *([ALL] if len(channels) != 1 else [])]
    links = "".join(
        f'<li><a href="/alerts?{text(urlencode({"channel": name}))}"{" aria-current=true" if name == channel else ""}>'
        f"{text(name)}{f' <strong>{channels[name]}</strong>' if name in channels else ''}</a></li>"
        for name in names
    )
    search = (
        f'<form method="get" action="/alerts"><input type="hidden" name="channel" value="{text(channel)}">'
        f'<label>Only with <input name="q" type="search" value="{text(wanted)}"></label>'
        '<button class="quiet">Filter</button></form>'
    )
    as_json = '<p class="hint"><a href="/alerts.json">As JSON</a></p>'
    return f'<ul class="tabs">{links}</ul>{search if channels else ""}{as_json}'


def _message(said: _Said) -> str:
    alert = said.alert
    shown = rendered(alert.parsed) if alert.parsed is not None else ""
    whole = alert.body
    if alert.parsed is not None:
        whole = json.dumps(alert.parsed, indent=2, ensure_ascii=False)
    raw = (
        f"<details><summary>as sent</summary><pre>{text(whole)}</pre></details>"
        if shown
        else f"<pre>{text(whole)}</pre>"
    )
    again = f"<span>{said.times} times since {_at(said.first)}</span>" if said.times > 1 else ""
    who = f'<div class="who"><span>{text(alert.channel)}</span><span>{_at(alert)}</span>{again}</div>'
    return f'<article class="message">{who}{shown}{raw}</article>'


def _at(alert: Alert) -> str:
    return text(f"{format_timestamp(alert.at)[:19].replace('T', ' ')} UTC")


def _words(alert: Alert) -> str:
    return " ".join(readable(alert.parsed)) + alert.body if alert.parsed is not None else alert.body
