"""Reads the selectors of PromQL: `name{label="value",other=~"a|b"}`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_STRING = r'"(?:[^"\\]|\\.)*"'
_MATCHER = rf"\s*(\w+)\s*(=~|!~|!=|=)\s*({_STRING})\s*"
_SELECTOR = re.compile(rf"([a-zA-Z_:][\w:]*)\s*\{{((?:[^{{}}\"]|{_STRING})*)\}}")
_MATCHERS = re.compile(rf"{_MATCHER}(?:,{_MATCHER})*,?\s*")


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition of a selector, such as `state=~"ready|failed"`."""

    label: str
    operator: str
    value: str

    def unmatched(self, known: Iterable[str]) -> list[str]:
        """Return the alternatives that none of the known values meets. An exclusion must name a known value, too."""
        is_regex = "~" in self.operator
        # Alternatives within brackets stay together: Prometheus anchors each whole pattern at both ends.
        alternatives = self.value.split("|") if is_regex and "(" not in self.value else [self.value]
        values = list(known)
        return [
            each
            for each in alternatives
            if not any(re.fullmatch(each, value) if is_regex else each == value for value in values)
        ]


def selectors(query: str) -> list[tuple[str, tuple[Matcher, ...]]]:
    """Return each metric that has conditions, with them. Raises ValueError where a brace can't be read."""
    found = []
    for selector in _SELECTOR.finditer(query):
        name, within = selector.groups()
        if within.strip() and not _MATCHERS.fullmatch(within):
            raise ValueError(f"unreadable selector: {selector[0]}")
        matchers = tuple(
            Matcher(label, operator, re.sub(r"\\(.)", r"\1", text[1:-1]))
            for label, operator, text in re.findall(_MATCHER, within)
        )
        found.append((name, matchers))
    if len(found) != re.sub(_STRING, "", query).count("{"):
        raise ValueError(f"a selector without a name, or an open brace: {query}")
    return found
