"""The links of a built site: each leads to something that is there, and nothing is loaded from elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

# Zensical's page for addresses that aren't there: it is served at any address, so its links begin at the root.
_NOT_FOUND: Final = "404.html"
# What a browser fetches without being asked. `link` is looked at by its `rel`.
_LOADING: Final = frozenset({"script", "img", "iframe", "source", "video", "audio", "embed", "object"})
_HARMLESS: Final = frozenset({"canonical", "prev", "next", "alternate"})


@dataclass(slots=True)
class _Page(HTMLParser):
    """What one page links to, loads, and can be linked to."""

    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        for name in ("href", "src", "data"):
            if target := given.get(name):
                is_loaded = tag in _LOADING or (tag == "link" and given.get("rel") not in _HARMLESS)
                (self.loads if is_loaded else self.links).append(target)


def problems_of(site: Path) -> list[str]:
    """Return what is wrong with the links of a site, a line each; what is outside of it is not asked for."""
    pages = {path.resolve(): _read(path) for path in sorted(site.rglob("*.html")) if path.name != _NOT_FOUND}
    return [
        f"{path.relative_to(site.resolve())}: {problem}"
        for path, page in pages.items()
        for problem in _problems_of_page(path, page, pages)
    ]


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text())
    page.close()
    return page


def _problems_of_page(path: Path, page: _Page, pages: dict[Path, _Page]) -> Iterator[str]:
    for target in dict.fromkeys([*page.loads, *page.links]):
        parts = urlsplit(target)
        if parts.scheme or parts.netloc:
            if target in page.loads and parts.scheme != "data":
                yield f"loads {target} from elsewhere"
            continue
        file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        file = file / "index.html" if file.is_dir() else file
        if not file.is_file():
            yield f"links to {target}, which isn't there"
        elif parts.fragment and file in pages and unquote(parts.fragment) not in pages[file].anchors:
            yield f"links to {target}, where no such section is"
