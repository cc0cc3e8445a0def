"""The commands of docs/deploy.md: the check does what an operator is told to do, and nothing else."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PAGE: Final = "docs/deploy.md"
_SECTION: Final = r"^## {title}\n(.*?)(?=^## |^\| )"
_BLOCK: Final = re.compile(r"^ *```sh\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
# How the page writes what everybody has another of.
_PLACEHOLDER: Final = re.compile(r"…|\b[A-Z]+-[A-Z]+-[A-Z]+\b")


class NotAsDocumented(Exception):
    """The page isn't written as it is read here."""


def blocks(page: str) -> list[str]:
    """Return the commands of docs/deploy.md for systemd, a block for each step. Raises NotAsDocumented without any."""
    return blocks_in(page, "systemd")


def blocks_in(page: str, title: str) -> list[str]:
    """Return the blocks of commands of a section, up to its first table, without their indentation.

    Raises NotAsDocumented where there are none.
    """
    section = re.search(_SECTION.format(title=re.escape(title)), page, re.MULTILINE | re.DOTALL)
    found = _BLOCK.findall(section[1]) if section else []
    if not found:
        raise NotAsDocumented(f"there are no commands in the section {title!r}")
    return ["\n".join(line.strip() for line in block.splitlines()) for block in found]


def filled_in(block: str, values: Mapping[str, str]) -> str:
    """Return a block with each placeholder replaced. Raises NotAsDocumented for one that isn't there, or is left."""
    for placeholder, value in values.items():
        if placeholder not in block:
            raise NotAsDocumented(f"the page doesn't say {placeholder!r} where it is expected: {block}")
        block = block.replace(placeholder, value)
    code = "\n".join(line.partition(" #")[0] for line in block.splitlines())
    if left := _PLACEHOLDER.search(code):
        raise NotAsDocumented(f"the page says {left[0]!r}, and nothing is known for it: {block}")
    return block


def page_of(project: Path, page: str = PAGE) -> str:
    """Return a page."""
    return (project / page).read_text(encoding="utf-8")
