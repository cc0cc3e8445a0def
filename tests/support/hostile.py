"""Hostile JSON values for fuzz tests, and how many examples a fuzz test draws.

`make fuzz` sets FUZZ_TIMES, which multiplies the number of examples of every fuzz test.
"""

import json
import os
from typing import Any, Final

from hypothesis import strategies as st

_TIMES: Final = int(os.environ.get("FUZZ_TIMES", "1"))
# A placeholder for what `json.dumps` can't write. It is replaced in the finished text.
_SPELLED: Final = {
    "@deep": "[" * 300 + "]" * 300,
    "@deeper": "[" * 950 + "]" * 950,
    "@deepest": '{"a":' * 100_000,
    "@digits": "9" * 4_000,
    "@too many digits": "9" * 5_000,
    "@infinite": "1e999",
    "@not a number": "NaN",
    "@half": r'"\ud800"',
    "@halves swapped": r'"\udc00\ud800"',
    "@twice": '{"code": "1", "code": "2", "booking_id": "a", "booking_id": "b"}',
    "@megabyte": '"' + "x" * 1_000_000 + '"',
}
# Half a surrogate pair can be written in JSON, but not in UTF-8: it is drawn often.
TEXTS: Final = st.text(st.characters(codec=None) | st.characters(categories=["Cs"]), max_size=12)
MARKUP: Final = st.sampled_from(
    [
        "\0",
        "\r\nX: y",
        "\x1b]0;owned\x07\x1b[2J",
        "\u202ereversed",
        "<script>alert(1)</script>",
        "<!channel> *bold* <http://inner|click>",
        "=cmd|' /C calc'!A0",
        "{{7*7}} %s %(a)s {0}",
        "../../etc/passwd",
        "http://169.254.169.254/",
    ]
)
MOMENTS: Final = st.sampled_from(
    [
        "2026-12-01T15:45:00-08:00",
        "2026-12-01T15:45",
        "2026-12-01",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2026-02-30T00:00:00Z",
        "2026-12-01T24:00:00Z",
        "\uff12\uff10\uff12\uff16-12-01T00:00:00Z",
    ]
)
NUMBERS: Final = st.integers() | st.floats() | st.sampled_from([10**300, -(10**300), 2**63, -1, 0, 1e308])
SCALARS: Final = st.none() | st.booleans() | NUMBERS | TEXTS | MARKUP | MOMENTS | st.sampled_from([*_SPELLED])
JSON: Final[st.SearchStrategy[Any]] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
)


def examples(count: int) -> int:
    """Return how many examples a fuzz test draws: `count` in a usual run."""
    return count * _TIMES


def spelled(value: Any) -> str:
    """Return a drawn value as JSON text, with the placeholders replaced."""
    text = json.dumps(value)
    for mark in sorted(_SPELLED, key=len, reverse=True):
        text = text.replace(f'"{mark}"', _SPELLED[mark])
    return text


@st.composite
def mutated(draw: st.DrawFn, good: dict[str, Any]) -> dict[str, Any]:
    """Draw a good object with up to three of its values, at any depth, replaced, added or taken out."""
    changed: dict[str, Any] = json.loads(json.dumps(good))
    for _ in range(draw(st.integers(0, 3))):
        place: Any = changed
        while True:
            keys = [*place] if isinstance(place, dict) else [*range(len(place))]
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            inner = place[key]
            if isinstance(inner, dict | list) and inner and draw(st.booleans()):
                place = inner
                continue
            if isinstance(place, dict) and draw(st.integers(0, 4)) == 0:
                del place[key]
            else:
                place[key] = draw(JSON)
            break
    return changed
