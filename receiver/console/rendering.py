"""Templates: Jinja2 with autoescape; the filters that say times and next steps to people."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from receiver.console import row_markup
from receiver.console.addresses import part_of
from receiver.console.day_labels import labels_of
from receiver.console.views.arrivals import WINDOWS
from shared.domain.quoting import shown
from shared.domain.times.wording import show_length
from shared.unapplied_messages import undated_text

FOLDER: Final = Path(__file__).parent
_COMMAND: Final = re.compile(r"`([^`]{1,300})`")
_FIRST: Final = re.compile(r".*?[.!?](?=\s)|.*", re.DOTALL)
# What texts for every channel name as a command is done on a page here.
_IN_CONSOLE: Final = (
    (re.compile(r"with `oracode (?:bookings choose|codes reveal)[^`]*`"), "on the booking's page"),
    (re.compile(r"with `oracode arrivals`"), "on the page Arrivals"),
    (re.compile(r"with `oracode parked (?:show|list)[^`]*`"), "on the page Parked"),
)
_DAY: Final = timedelta(days=1)
_IN_DAYS_FROM: Final = 4


@cache
def make_templates() -> Environment:
    """Return the environment, one for all apps of a process, with every template compiled.

    Nobody waits for that at the first page then. A name that a template misspells is an error, not an empty place.
    """
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
        "brief": _brief,
        "offset": _offset,
        "utc": _utc,
        "left": _left,
        "span": _span,
        "words": _words,
        "title": _title,
        "code": _code,
        "part": part_of,
        "shown": _shown,
        "sentence": _sentence,
        "rest": _rest,
    }
    environment.globals |= {
        "address": address,
        "day_title": _day_title,
        "days_of": _days_of,
        "labels_of": labels_of,
        "ui": row_markup,
        "undated_text": undated_text,
        "windows": _windows,
    }
    for name in environment.list_templates():
        environment.get_template(name)
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


def _brief(at: datetime) -> str:
    return f"{at:%a} {at.day} {at:%b}, {at:%H:%M}"


def _offset(at: datetime) -> str:
    """Return the offset of a time: `UTC`, or `UTC-08:00`."""
    return f"UTC{at.isoformat()[-6:]}" if at.utcoffset() else "UTC"


def _utc(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if at is not None else ""


def _day_title(rows: Sequence[Any], as_of: datetime) -> str:
    """Return a day's heading: `Today`, `Tomorrow` or nothing before its date, by the clock of the locks of that day."""
    check_in = rows[0].check_in
    today = as_of.astimezone(check_in.tzinfo or UTC).date()
    near = {today: "Today, ", today + _DAY: "Tomorrow, "}.get(check_in.date(), "")
    return near + _day(check_in)


def _days_of(rows: Iterable[Any], as_of: datetime) -> list[tuple[list[Any], list[tuple[str, list[Any]]]]]:
    """Return rows that have `check_in` and `building` in their order: those of each day, and these by building.

    A day is one of the lock's clock. Where locks are in several time zones a day may come again, and one date may be
    today at one door and tomorrow at the next: these are two days. The order of the rows
    is that in which guests arrive, and so is that of buildings.
    """
    days = []
    for _, of_day in groupby(rows, key=lambda row: _day_title([row], as_of)):
        listed = list(of_day)
        buildings: dict[str, list[Any]] = {}
        for row in listed:
            buildings.setdefault(row.building, []).append(row)
        days.append((listed, list(buildings.items())))
    return days


def _left(seconds: int) -> str:
    """Return how long there is still, or since when it is past: to the minute, from a day on to the hour."""
    length = timedelta(seconds=abs(seconds) // 60 * 60)
    if length >= _DAY:
        length = timedelta(hours=length // timedelta(hours=1))
    text = show_length(length) if length else "less than a minute"
    return f"in {text}" if seconds >= 0 else f"{text} ago"


def _span(hours: int) -> str:
    """Return a window's length: in days from four whole days on."""
    days, rest = divmod(hours, 24)
    return f"{days} days" if days >= _IN_DAYS_FROM and not rest else f"{hours} hour{'s' * (hours != 1)}"


def _windows(hours: int) -> list[int]:
    """Return the windows that the board offers, in hours; the one that is shown is among them."""
    return sorted({*WINDOWS, hours})


def _words(text: str) -> str:
    return text.replace("_", " ")


def _title(reason: str) -> str:
    """Return a reason as the beginning of a line: `refused_by_seam` is `Refused by Seam`."""
    text = _words(reason).replace("seam", "Seam")
    return text[:1].upper() + text[1:]


def _code(text: str) -> Markup:
    """Return a sentence for those who have no shell; commands in backticks are set as code. All of it is escaped."""
    for command, place in _IN_CONSOLE:
        text = command.sub(place, text)
    return Markup(_COMMAND.sub(r"<code>\1</code>", str(escape(shown(text)))))  # noqa: S704 - escaped above


def _sentence(text: str) -> str:
    """Return the first sentence of a text."""
    return _FIRST.match(text + " ")[0].strip()  # type: ignore[index] # it matches any text


def _rest(text: str) -> str:
    """Return what stands behind the first sentence."""
    return text[len(_sentence(text)) :].strip()


def _shown(text: Any) -> str:
    return shown(str(text))
