"""Each lock names all that is needed, and fits together, on each Python that is supported.

An install doesn't resolve: what the lock lacks is missing. `pip check` tells that on the machine and Python where it
runs; this tells it for all of them. What the auditors and the benchmark's peers need is checked when that is installed.
"""

import os
import platform
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from tests.install.conftest import ROOT
from tests.install.locks import Installed, Walk, describe_machine, read_installed, read_lock

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = PROJECT["dependency-groups"]
_VERSION = "Programming Language :: Python :: "
MINORS = [one.removeprefix(_VERSION) for one in PROJECT["project"]["classifiers"] if one.startswith(_VERSION)]
# Markers may tell the first releases of a version from the later ones: async-timeout is for those before 3.11.3.
PYTHONS = [f"{minor}.{micro}" for minor in MINORS for micro in (0, 9)]
PLATFORMS = ("linux", "darwin")
LOCKS = {
    "requirements.txt": (".venv", [*PROJECT["project"]["dependencies"], *GROUPS["build"]]),
    "requirements-dev.txt": (".venv", [*PROJECT["project"]["dependencies"], *GROUPS["build"], *GROUPS["dev"]]),
    "requirements-sdk.txt": (".venv-sdk", GROUPS["sdk"]),
    "requirements-docs.txt": (".venv-docs", GROUPS["docs"]),
}


@cache
def installed_in(folder: str) -> dict[str, Installed]:
    """Return what an environment holds."""
    sites = list((ROOT / folder).glob("lib/python*/site-packages"))
    if not sites:
        reason = f"{folder} is missing, and nothing else tells what its packages require: make setup-dev"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    (site,) = sites
    return read_installed(site)


def walk(lock: str, machine: dict[str, str]) -> Walk:
    """Follow all requirements that begin with the project's, on a machine."""
    folder, roots = LOCKS[lock]
    pins = [pin for pin in read_lock(ROOT / lock) if pin.is_for(machine)]
    versions = {pin.name: pin.version for pin in pins}
    assert len(versions) == len(pins), "two versions of one package"
    walked = Walk(versions, installed_in(folder), machine)
    walked.follow(roots, of="the project")
    return walked


@pytest.mark.parametrize("system", PLATFORMS)
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_satisfies_every_requirement(lock: str, python: str, system: str) -> None:
    """Extras included. What is pinned for other Pythons only can't be read here, and is when tests run on those."""
    here = describe_machine(platform.python_version(), sys.platform)
    for_here = {pin.name: pin.version for pin in read_lock(ROOT / lock) if pin.is_for(here)}

    walked = walk(lock, describe_machine(python, system))

    assert walked.problems == []
    assert {name for name in walked.unread if for_here.get(name) == walked.pins[name]} == set()


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_has_nothing_that_nobody_needs(lock: str) -> None:
    """On this machine, where each package can be read."""
    here = describe_machine(platform.python_version(), sys.platform)
    walked = walk(lock, here)
    assert walked.unread == set()
    assert set(walked.pins) == walked.needed


def test_every_pin_of_every_lock_has_hashes() -> None:
    """Without them pip refuses the lock."""
    locks = [*ROOT.glob("requirements*.txt"), *ROOT.glob("bench/requirements*.txt")]
    assert len(locks) >= 5
    assert [(lock.name, pin.name) for lock in locks for pin in read_lock(lock) if not pin.hashes] == []


def test_locks_of_one_environment_agree() -> None:
    """What tests need is added to what is deployed, and changes none of it."""
    deployed = {(pin.name, pin.version, str(pin.marker)) for pin in read_lock(ROOT / "requirements.txt")}
    tested = {(pin.name, pin.version, str(pin.marker)) for pin in read_lock(ROOT / "requirements-dev.txt")}
    assert deployed <= tested


def test_a_walk_finds_what_a_lock_lacks(tmp_path: Path) -> None:
    """The control: an extra's requirement that isn't pinned, a wrong version, a package for older Pythons alone."""
    for name, requires in {
        "tool": 'Requires-Dist: parser>=2; extra == "toml"\nRequires-Dist: absent; extra == "toml"',
        "parser": "Requires-Python: <3.12\nRequires-Dist: backport; python_version < '3.12'",
    }.items():
        about = tmp_path / f"{name}-1.0.dist-info/METADATA"
        about.parent.mkdir()
        about.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requires}\n")
    installed = read_installed(tmp_path)
    pins = {"tool": "1.0", "parser": "1.0", "superfluous": "1.0"}

    def problems(root: str, python: str) -> list[str]:
        walked = Walk(pins, installed, describe_machine(python, "linux"))
        walked.follow([root], of="the project")
        return walked.problems

    assert problems("tool", "3.12.0") == []
    assert problems("tool[toml]", "3.12.0") == [
        'tool 1.0 requires parser>=2; extra == "toml"; the lock has 1.0',
        "parser 1.0 isn't for Python 3.12.0",
        'tool 1.0 requires absent; extra == "toml", which isn\'t in the lock',
    ]
    assert problems("parser", "3.11.0") == [
        'parser 1.0 requires backport; python_version < "3.12", which isn\'t in the lock'
    ]
    assert problems("tool<1", "3.11.0") == ["the project requires tool<1; the lock has 1.0"]
