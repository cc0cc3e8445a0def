"""Drawings for a terminal: a day of a door, with its slots as bars, and times marked above them.

Plain text, at most 80 columns wide, readable without colour; in ASCII if the terminal can't show more. Control
characters in text from outside are replaced here.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import time

import click

from shared.domain.door.door import TimeSlot
from shared.domain.quoting import shown
from shared.domain.times.wall_clock import DAY

WIDTH = 80
_CELLS = 48
"""Half an hour each."""
_LABEL = WIDTH - _CELLS - 4
_CELL = DAY // _CELLS
_PLAIN = str.maketrans({
    "█": "#", "·": ".", "▼": "v", "▲": "^", "→": ">", "←": "<", "✔": "+", "✘": "x", "│": "|",
    "“": '"', "”": '"', "…": "~", "•": "*", "─": "-", "!": "!",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Terminal:
    """The encoding of the output."""

    encoding: str = "utf-8"

    def fit(self, line: str) -> str:
        """Return the line for this output: in ASCII if needed, with escapes for other characters."""
        try:
            line.encode(self.encoding)
        except (UnicodeEncodeError, LookupError):
            plain = line.translate(_PLAIN)
            return plain.encode("ascii", "backslashreplace").decode("ascii")
        return line


def axis() -> str:
    """Return the hours above the bars."""
    hours = "".join(f"{hour:02}".ljust(6) for hour in range(0, 24, 3))
    return f"{'':{_LABEL + 2}}{hours}24"


def mark(label: str, at: time) -> str:
    """Return a line with an arrow at a time of day."""
    cell = _cell(((at.hour * 60 + at.minute) * 60 + at.second) * 1_000_000)
    return f"{pad(label, _LABEL)}  {' ' * cell}▼"


def bar(slot: TimeSlot) -> str:
    """Return a slot's line: a bar over its hours, wrapping past midnight.

    A slot with the same time at both ends is open around the clock.
    """
    label = pad(shown(slot.name) or "(no name)", _LABEL)
    if slot.check_in is None or slot.check_out is None:
        return f"{label}  {'unreadable'.center(_CELLS, '·')}"
    start, end = _cell(slot.check_in.microsecond_of_day), _cell(slot.check_out.microsecond_of_day)
    length = (end - start) % _CELLS
    wraps = slot.check_in.microsecond_of_day >= slot.check_out.microsecond_of_day
    if length == 0:
        length = _CELLS if wraps else 1
    cells = ["·"] * _CELLS
    for place in range(start, start + length):
        cells[place % _CELLS] = "█"
    return f"{label}  {''.join(cells)}"


def pad(text: str, width: int) -> str:
    """Return `text` in exactly `width` columns, cut with an ellipsis if it is longer."""
    if _columns(text) > width:
        kept = ""
        for character in text:
            if _columns(kept + character) > width - 1:
                break
            kept += character
        text = f"{kept}…"
    return text + " " * (width - _columns(text))


def wrap(text: str, indent: str = "") -> Iterable[str]:
    """Yield `text` in lines of at most 80 columns, each after `indent`."""
    line = indent
    for word in text.split(" "):
        if _columns(line) + _columns(word) > WIDTH and line.strip():
            yield line.rstrip()
            line = indent
        line += word + " "
    yield line.rstrip()


def headed(heading: str, text: str, *, good: bool) -> Iterable[str]:
    """Yield `heading` and `text` in lines of at most 80 columns, the heading in colour."""
    first, *rest = wrap(heading + text)
    colour = "green" if good else "red"
    yield click.style(first[: len(heading)], fg=colour, bold=True) + first[len(heading) :]
    yield from rest


def day(slots: Sequence[TimeSlot], marks: Sequence[tuple[str, time]] = ()) -> Iterable[str]:
    """Yield the picture of a day: the hours, the marks, and a bar for each slot."""
    yield axis()
    for label, at in marks:
        yield mark(label, at)
    for slot in slots:
        yield bar(slot)


def _cell(of_day: int) -> int:
    return of_day // _CELL


def _columns(text: str) -> int:
    """Return how many columns `text` takes in a terminal: two for wide characters, none for combining marks."""
    return sum(
        0
        if unicodedata.category(character) in {"Mn", "Me", "Cf"}
        else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )
