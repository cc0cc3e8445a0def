"""Which names (booking ids, units) somebody may have meant by one that nobody knows. Pure."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

# Of many thousands the comparison would take longer than a person waits.
_MOST_COMPARED: Final = 20_000
_MOST_NAMED: Final = 3
_SIMILAR: Final = 0.6


def near(name: str, known: Iterable[str], *, similar: float = _SIMILAR) -> list[str]:
    """Return the names that somebody may have meant, the nearest first: the same but for capitals go before typos.

    `similar` is how alike two must be, from 0 to 1.
    """
    compared = {each.lower(): each for each, _ in zip(known, range(_MOST_COMPARED), strict=False)}
    same = [each for each in compared.values() if _plain(each) == _plain(name)]
    alike = [each for each in compared if abs(len(each) - len(name)) <= _MOST_NAMED]
    close = get_close_matches(name.lower(), alike, _MOST_NAMED, similar)
    return list(dict.fromkeys([*same, *(compared[each] for each in close)]))[:_MOST_NAMED]


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
