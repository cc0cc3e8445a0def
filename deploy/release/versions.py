"""The version of a release, in every place that names it."""

import re
import tomllib
from pathlib import Path
from typing import Final

_HEADING: Final = re.compile(r"^## (\S+)(?: \((\d{4}-\d{2}-\d{2})\))?$", re.MULTILINE)
UNRELEASED: Final = "Unreleased"


def version_of(project: Path) -> str:
    """Return the version of pyproject.toml."""
    return str(tomllib.loads((project / "pyproject.toml").read_text())["project"]["version"])


def changelog_headings(project: Path) -> list[tuple[str, str]]:
    """Return the versions that CHANGELOG.md has, newest first, each with its date; that of `Unreleased` is empty."""
    return _HEADING.findall((project / "CHANGELOG.md").read_text())


def problems_of_versions(project: Path, tag: str = "") -> list[str]:
    """Return what doesn't fit together, a line each; `tag` is the tag that is to be published, where there is one."""
    version = version_of(project)
    problems = []
    listed = dict(changelog_headings(project))
    if version not in listed:
        problems.append(f"CHANGELOG.md has no section `## {version} (YYYY-MM-DD)`")
    elif not listed[version]:
        problems.append(f"CHANGELOG.md doesn't date {version}")
    image = re.search(r'newTag: "([^"]+)"', (project / "deploy/kubernetes/kustomization.yaml").read_text())
    if image is None or image[1] != version:
        problems.append(f"deploy/kubernetes/kustomization.yaml names another image than {version}")
    if tag and tag != f"v{version}":
        problems.append(f"the tag is {tag}, and pyproject.toml says {version}: v{version} was expected")
    return problems
