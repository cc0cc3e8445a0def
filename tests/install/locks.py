"""What a lock pins on a machine, and what of it is needed there."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of a lock."""

    name: str
    version: str
    marker: Marker | None
    hashes: int

    def is_for(self, machine: Mapping[str, str]) -> bool:
        """Whether pip installs it there."""
        return self.marker is None or self.marker.evaluate(dict(machine))


def read_lock(path: Path) -> list[Pin]:
    """Read all pins of a lock."""
    pins = []
    for entry in re.sub(r"\\\n\s*", " ", path.read_text()).splitlines():
        text, *hashes = entry.split(" --hash=sha256:")
        requirement = Requirement(text)
        ((operator, version),) = ((one.operator, one.version) for one in requirement.specifier)
        assert operator == "==", entry
        pins.append(Pin(canonicalize_name(requirement.name), version, requirement.marker, len(hashes)))
    return pins


@dataclass(frozen=True, slots=True)
class Installed:
    """What an installed package says of itself; `metadata` would read it from its files each time."""

    version: str
    requires: Sequence[str]
    pythons: SpecifierSet


def read_installed(site_packages: Path) -> dict[str, Installed]:
    """Read all packages of an environment."""
    return {
        canonicalize_name(one.name): Installed(
            one.version, tuple(one.requires or ()), SpecifierSet(str(one.metadata.json.get("requires_python", "")))
        )
        for one in metadata.distributions(path=[str(site_packages)])
    }


def describe_machine(python: str, platform: str) -> dict[str, str]:
    """Return the values of markers on a machine with a version of CPython."""
    machine = {key: str(value) for key, value in default_environment().items()}
    return machine | {
        "extra": "",
        "platform_system": {"linux": "Linux", "darwin": "Darwin"}[platform],
        "python_full_version": python,
        "python_version": python.rpartition(".")[0],
        "implementation_version": python,
        "sys_platform": platform,
    }


@dataclass(slots=True)
class Walk:
    """Which pins are needed, starting from what the project asks for.

    What a package requires is known of installed packages only. One that is pinned for other Pythons is `unread`.
    """

    pins: Mapping[str, str]
    installed: Mapping[str, Installed]
    machine: Mapping[str, str]
    needed: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def follow(self, requirements: Iterable[str], *, of: str, extras: Sequence[str] = ("",)) -> None:
        """Follow requirements, and those of what they name, as far as markers and extras ask for them."""
        for requirement in map(Requirement, requirements):
            marker = requirement.marker
            if marker is None or any(marker.evaluate({**self.machine, "extra": extra}) for extra in extras):
                self._follow_one(requirement, of=of)

    def _follow_one(self, requirement: Requirement, *, of: str) -> None:
        name = canonicalize_name(requirement.name)
        version = self.pins.get(name)
        if version is None:
            self.problems.append(f"{of} requires {requirement}, which isn't in the lock")
            return
        self.needed.add(name)
        if not requirement.specifier.contains(version, prereleases=True):
            self.problems.append(f"{of} requires {requirement}; the lock has {version}")
        for extra in ("", *requirement.extras):
            if (name, extra) not in self._seen:
                self._seen.add((name, extra))
                self._read(name, version, extra)

    def _read(self, name: str, version: str, extra: str) -> None:
        package = self.installed.get(name)
        if package is None or package.version != version:
            self.unread.add(name)
            return
        if not package.pythons.contains(self.machine["python_full_version"]):
            self.problems.append(f"{name} {version} isn't for Python {self.machine['python_full_version']}")
        self.follow(package.requires, of=f"{name} {version}", extras=[extra])
