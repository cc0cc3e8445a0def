"""Why messages were parked. Messages with the same cause are mended by the same fix. Pure."""

import hashlib
import re
from ast import literal_eval
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from shared.domain.messages.cancellations import HOW_TO_CANCEL
from shared.domain.messages.message import unknown_unit
from shared.domain.messages.near_misses import OUR_FIELDS

# Quotations differ from message to message, and may be about a guest. An apostrophe within a word begins none.
_QUOTED: Final = re.compile(r"(?<!\w)'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_NUMBER: Final = re.compile(r"[0-9]+")
_UNIT: Final = re.compile(r"unit: (?P<quoted>'.*'|\".*\") is not in the doors file;.*")
# A value as `quoted` writes it, once quotations are left out; and how long a text is that was cut.
_VALUE: Final = re.compile(
    r"^(?:(?:true|false|null|nan|-?inf|a list|an object|a number of more than \d+ digits|a \w+|-?\d[\d.e+-]*)(?= )|…)"
    r"(?:… \(\d+ characters\))?"
)
_PLACE: Final = re.compile(r"(?<=is not JSON): .*|(?<=at byte) \d+")
# The part of a problem that says what would be right has values of the message only in these places.
_RIGHT_VALUE: Final = re.compile(r"(?<=revision above )\d+|(?<=, such as )\S+(?=T15:45$)")
_OUR_FIELD: Final = re.compile(
    rf"(?P<name>{'|'.join(OUR_FIELDS)})(?:\[\d+\])?: (?P<rest>.*)",
    re.DOTALL,
)
# A problem of a field that isn't one of ours: the message can give it any name.
_OTHER_FIELD: Final = re.compile(
    r"(?P<name>.+): (?P<rest>(?:is not read; write |is given more than once; "
    r"|\S.{0,120}? (?:is not read, and \w+ is a date alone; |says that the booking |stands beside the message, )).*)",
    re.DOTALL,
)
A_FIELD: Final = "a field"


@dataclass(frozen=True, slots=True)
class ParkedCause:
    """What is wrong with several messages alike: the field and the reason, not the values.

    `text` quotes nothing of them but an unknown `unit`. `earlier_name` is its name in older versions, which made it
    from the whole text.
    """

    name: str
    text: str
    unit: str | None = None
    earlier_name: str = ""


def cause_of(problems: Sequence[str]) -> ParkedCause:
    """Return the cause of a message with these problems, as `str(Problem)` has them.

    An unknown unit is a cause by itself where it is the only problem: adding it to the doors file mends all of them.
    """
    unit = unit_of(problems)
    # Without similar names: they change with the doors file, and the cause must stay the same.
    texts = [str(unknown_unit(unit))] if unit is not None else [without_quotes(problem) for problem in problems]
    earlier_name = _name(texts, keeps_numbers=unit is not None)
    if unit is None:
        texts = sorted({_without_values(text) for text in texts})
    name = _name(texts, keeps_numbers=unit is not None)
    return ParkedCause(name, " ".join(f"{text}." for text in texts), unit, earlier_name)


def _name(texts: Iterable[str], *, keeps_numbers: bool) -> str:
    mark = "\n".join(sorted({text if keeps_numbers else _NUMBER.sub("#", text) for text in texts}))
    return hashlib.sha256(mark.encode()).hexdigest()[:8]


def _without_values(text: str) -> str:
    """Return a problem's text (quotations left out) without values, and without field names of other systems."""
    ours = _OUR_FIELD.fullmatch(text)
    found = ours or _OTHER_FIELD.fullmatch(text)
    if found is None:
        return text
    wrong, separator, right = found["rest"].partition("; ")
    wrong = _NUMBER.sub("…", _PLACE.sub("", _VALUE.sub("…", wrong)))
    return f"{found['name'] if ours else A_FIELD}: {wrong}{separator}{_RIGHT_VALUE.sub('…', right)}"


def other_fields(problems: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the fields that the problems are about and that aren't ours, as the message has them."""
    texts = [text for text in problems if not _OUR_FIELD.fullmatch(text)]
    found = (_OTHER_FIELD.fullmatch(text) for text in texts)
    return tuple(dict.fromkeys(each["name"] for each in found if each is not None))


def without_quotes(text: str) -> str:
    """Return a problem's text without what it quotes of the message; how to cancel quotes nothing of it."""
    return HOW_TO_CANCEL.join(_QUOTED.sub("…", part) for part in text.split(HOW_TO_CANCEL))


def unit_of(problems: Sequence[str]) -> str | None:
    """Return the unit that a message waits for; None unless its only problem is that DOORS_FILE lacks that unit."""
    found = _UNIT.fullmatch(problems[0]) if len(problems) == 1 else None
    if found is None:
        return None
    try:
        unit = literal_eval(found["quoted"])
    except (ValueError, SyntaxError):
        return None
    return unit if isinstance(unit, str) and problems[0].startswith(str(unknown_unit(unit))) else None
