"""Why messages were parked. One fix mends all messages with the same cause. Pure."""

import hashlib
import re
from ast import literal_eval
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.domain.messages.cancellations import HOW_TO_CANCEL
from shared.domain.messages.message import unknown_unit

# What a problem quotes is of one message; it may be a guest's. An apostrophe within a word quotes nothing.
_QUOTED: Final = re.compile(r"(?<!\w)'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_NUMBER: Final = re.compile(r"[0-9]+")
_UNIT: Final = re.compile(r"unit: (?P<quoted>'.*'|\".*\") is not in the doors file;.*")


@dataclass(frozen=True, slots=True)
class ParkedCause:
    """What is wrong with several messages alike. `text` quotes nothing of them but an unknown `unit`."""

    name: str
    text: str
    unit: str | None = None


def cause_of(problems: Sequence[str]) -> ParkedCause:
    """Return the cause of a message with these problems, as `str(Problem)` has them.

    An unknown unit is a cause by itself where it is the only problem: adding it to the doors file mends all of them.
    """
    unit = unit_of(problems)
    # Without what may be meant: the doors file grows, and the cause stays one.
    texts = [str(unknown_unit(unit))] if unit is not None else [without_quotes(problem) for problem in problems]
    mark = "\n".join(sorted({_NUMBER.sub("#", text) if unit is None else text for text in texts}))
    return ParkedCause(hashlib.sha256(mark.encode()).hexdigest()[:8], " ".join(f"{text}." for text in texts), unit)


def without_quotes(text: str) -> str:
    """Return a problem's text without what it quotes of the message; how to cancel quotes nothing of it."""
    return HOW_TO_CANCEL.join(_QUOTED.sub("…", part) for part in text.split(HOW_TO_CANCEL))


def unit_of(problems: Sequence[str]) -> str | None:
    """Return the unit that a message waits for: it is parked only because DOORS_FILE doesn't have that unit."""
    found = _UNIT.fullmatch(problems[0]) if len(problems) == 1 else None
    if found is None:
        return None
    try:
        unit = literal_eval(found["quoted"])
    except (ValueError, SyntaxError):
        return None
    return unit if isinstance(unit, str) and problems[0].startswith(str(unknown_unit(unit))) else None
