"""The site's navigation, as `zensical.toml` has it."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

SETTINGS: Final = Path(__file__).with_name("zensical.toml")


def listed_pages() -> list[str]:
    """Return the path of each page in the navigation, in its order. Raises KeyError where there is no navigation."""
    return list(_pages_in(tomllib.loads(SETTINGS.read_text())["project"]["nav"]))


def _pages_in(entry: Any) -> Iterator[str]:
    match entry:
        case str():
            yield entry
        case dict():
            for part in entry.values():
                yield from _pages_in(part)
        case _:
            for part in entry:
                yield from _pages_in(part)
