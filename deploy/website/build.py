"""Builds the site: lays out the pages, has Zensical make HTML of them, checks every link."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

from deploy.website.links import problems_of
from deploy.website.navigation import SETTINGS
from deploy.website.reference import made_pages
from deploy.website.sources import add_page, copy_sources

PROJECT: Final = Path(__file__).resolve().parents[2]
GENERATOR: Final = PROJECT / ".venv-docs/bin/zensical"
_WITHIN: Final = 300


class NotBuilt(Exception):
    """There is no site, or it isn't sound; the text says why."""


def build(directory: Path) -> Path:
    """Build the site in `directory`, which is emptied; return the folder of its HTML. Raises NotBuilt.

    `directory/source` holds what it was made of: the project's pages, and those that were made from the code.
    """
    if not GENERATOR.is_file():
        raise NotBuilt(f"there is no {GENERATOR.relative_to(PROJECT)}: make setup-docs")
    if directory.exists():
        if any(directory.iterdir()) and not (directory / SETTINGS.name).is_file():
            raise NotBuilt(f"{directory} holds something else: name another directory")
        shutil.rmtree(directory)
    source = directory / "source"
    source.mkdir(parents=True)
    shutil.copyfile(SETTINGS, directory / SETTINGS.name)
    copy_sources(PROJECT, source)
    for name, text in made_pages():
        add_page(name, text, PROJECT, source)
    shutil.copytree(SETTINGS.with_name("theme"), directory / "theme")
    done = subprocess.run(
        [GENERATOR, "build", "--strict", "--clean"],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=_WITHIN,
        check=False,
    )
    site = directory / "html"
    if done.returncode or not (site / "index.html").is_file():
        raise NotBuilt(f"Zensical failed:\n{done.stdout}{done.stderr}")
    if problems := problems_of(site):
        raise NotBuilt("\n".join(problems))
    return site
