"""Which files the site is made of, laid out as they lie in the project: so each link in them works in both places."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

# Pages outside of docs/. Paths are those of the project, also in zensical.toml.
_OTHERS: Final = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "deploy/RUNBOOK.md")
_LINK: Final = re.compile(r"(\]\()([^)\s#]+)(#[^)\s]*)?(\))")
_SCHEME: Final = re.compile(r"[a-z][a-z+.-]*:")
# A folder is shown by this page of it, as on code hosts.
_OF_FOLDER: Final = "README.md"


def page_paths(project: Path) -> list[str]:
    """Return the paths of all pages that people write, relative to the project."""
    written = sorted(path.relative_to(project).as_posix() for path in (project / "docs").rglob("*.md"))
    return [*(name for name in _OTHERS if (project / name).is_file()), *written]


def copy_sources(project: Path, into: Path) -> None:
    """Copy all pages, and the files that they link to. A link to nothing is left: the site's check names it."""
    for name in page_paths(project):
        add_page(name, (project / name).read_text(), project, into)


def add_page(name: str, text: str, project: Path, into: Path) -> None:
    """Write one page, as if it lay in the project under this name, and copy the files that it links to."""
    folder = (project / name).parent
    for linked in _linked_files(text, folder, project):
        _copy(linked, into / linked.relative_to(project))
    page = into / name
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(_with_pages_of_folders(text, folder))


def _targets(text: str) -> Iterator[str]:
    return (match[2] for match in _LINK.finditer(text) if not _SCHEME.match(match[2]))


def _linked_files(text: str, folder: Path, project: Path) -> Iterator[Path]:
    """Yield what a page links to and isn't a page: configurations, schemas, pictures, examples."""
    for target in _targets(text):
        linked = (folder / target).resolve()
        if linked.is_file() and linked.suffix != ".md" and linked.is_relative_to(project):
            yield linked


def _with_pages_of_folders(text: str, folder: Path) -> str:
    """Let links to a folder lead to its page."""

    def to_page(match: re.Match[str]) -> str:
        is_of_folder = not _SCHEME.match(match[2]) and (folder / match[2] / _OF_FOLDER).is_file()
        target = f"{match[2].rstrip('/')}/{_OF_FOLDER}" if is_of_folder else match[2]
        return f"{match[1]}{target}{match[3] or ''}{match[4]}"

    return _LINK.sub(to_page, text)


def _copy(file: Path, copy: Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, copy)
