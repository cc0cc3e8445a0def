"""Templates: Jinja2 with autoescape; the filters that say times and next steps to people."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from shared.domain.quoting import shown
from shared.domain.times.wording import show_length

FOLDER: Final = Path(__file__).parent
_COMMAND: Final = re.compile(r"`([^`]{1,300})`")
_DAY: Final = timedelta(days=1)


def make_templates() -> Environment:
    """Return the environment. A name that a template misspells is an error, not an empty place."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "clock": _clock,
        "day": _day,
        "moment": _moment,
        "utc": _utc,
        "left": _left,
        "words": _words,
        "code": _code,
        "part": _part,
        "shown": _shown,
    }
    environment.globals |= {"address": address, "day_title": _day_title, "days_of": _days_of}
    return environment


def address(path: str, **query: Any) -> str:
    """Return an address with the query's values that are there."""
    given = {name: value for name, value in query.items() if value not in (None, "", ())}
    return f"{path}?{urlencode(given)}" if given else path


def _clock(at: datetime) -> str:
    return f"{at:%H:%M}"


def _day(at: datetime) -> str:
    return f"{at:%a} {at.day} {at:%b %Y}"


def _moment(at: datetime | None) -> str:
    return f"{_day(at)}, {at:%H:%M}" if at is not None else ""


def _utc(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if at is not None else ""


def _day_title(on: str, as_of: datetime) -> str:
    """Return a day's heading: `Today`, `Tomorrow` or nothing before its date. `on` is an ISO date."""
    day = datetime.fromisoformat(on)
    near = {as_of.date(): "Today, ", as_of.date() + _DAY: "Tomorrow, "}.get(day.date(), "")
    return near + _day(day)


def _days_of(rows: Iterable[Any]) -> list[tuple[str, list[tuple[str, list[Any]]]]]:
    """Return rows that have `check_in` and `building` by day, and those of a day by building, in their order."""
    days: dict[str, dict[str, list[Any]]] = {}
    for row in rows:
        days.setdefault(row.check_in.date().isoformat(), {}).setdefault(row.building, []).append(row)
    return [(on, sorted(buildings.items())) for on, buildings in sorted(days.items())]


def _left(seconds: int) -> str:
    """Return how long there is still, or since when it is past: to the minute, from two days on to the hour."""
    length = timedelta(seconds=abs(seconds) // 60 * 60)
    if length >= 2 * _DAY:
        length = timedelta(hours=length // timedelta(hours=1))
    text = show_length(length) if length else "less than a minute"
    return f"in {text}" if seconds >= 0 else f"{text} ago"


def _words(text: str) -> str:
    return text.replace("_", " ")


def _code(text: str) -> Markup:
    """Return a sentence whose commands in backticks are set as code. Everything in it is escaped."""
    return Markup(_COMMAND.sub(r"<code>\1</code>", str(escape(shown(text)))))  # noqa: S704 - escaped above


def _part(text: str) -> str:
    """Return text as one part of an address."""
    return quote(text, safe="")


def _shown(text: Any) -> str:
    return shown(str(text))
