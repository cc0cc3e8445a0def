"""A small project that is set up by this project's own Makefile, from a package index that has newer versions too."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest

from tests.install.pythons import write_quick_python
from tests.install.wheels import Index, Package, serve

ROOT = Path(__file__).resolve().parents[2]

# As pytest-cov, which requires `coverage[toml]`.
PLUGIN = Package("plugin", "1.0", requires=["tool[toml]>=1"])
TOOL = Package("tool", "1.0", extras={"toml": ["parser>=1"]})
PARSER = Package("parser", "1.0")
LINTER = Package("linter", "1.0")
PINNED = (PLUGIN, TOOL, PARSER)
NEWER = (
    Package("plugin", "2.0", requires=["tool[toml]>=1"]),
    Package("tool", "2.0", extras={"toml": ["parser>=1", "newcomer"]}),
    Package("parser", "2.0"),
    Package("newcomer", "1.0"),
    Package("linter", "2.0"),
)

_PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
_BACKEND = """
import shutil

def build_editable(directory, *_):
    return shutil.copy("small/small-1.0-py3-none-any.whl", directory).rpartition("/")[2]
"""


@dataclass(frozen=True, slots=True)
class SmallProject:
    """Its folder has spaces in its name, this project's Makefile, and locks of its own."""

    directory: Path
    index: Index
    python: Path

    def write(self) -> None:
        """Copy what sets up this project, beside a project that has hardly anything to set up."""
        (self.directory / "deploy/local").mkdir(parents=True)
        for name in ("Makefile", "deploy/local/make_venv.sh"):
            shutil.copy(ROOT / name, self.directory / name)
        (self.directory / "pyproject.toml").write_text(_PYPROJECT)
        (self.directory / "backend.py").write_text(_BACKEND)
        Package("small", "1.0", requires=["plugin"]).write(self.directory)
        self.lock("requirements.txt", *PINNED)
        self.lock("requirements-dev.txt", *PINNED, LINTER)
        self.lock("requirements-sdk.txt", TOOL)
        self.lock("requirements-docs.txt", TOOL)

    def lock(self, name: str, *packages: Package) -> None:
        """Write a lock."""
        (self.directory / name).write_text(self.index.lock(*packages))

    def start(self, target: str, *, names_python: bool = True) -> subprocess.Popen[str]:
        """Start `make` in a session of its own, with no settings but the index."""
        return subprocess.Popen(
            ["make", target, *([f"PYTHON={self.python}"] if names_python else [])],
            cwd=self.directory,
            env={
                "PATH": os.environ["PATH"],
                "HOME": os.environ.get("HOME", "/"),
                "PIP_CONFIG_FILE": os.devnull,
                "PIP_DISABLE_PIP_VERSION_CHECK": "1",
                "PIP_INDEX_URL": self.index.url,
                "PIP_NO_CACHE_DIR": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def make(self, target: str, *, fails: bool = False, names_python: bool = True) -> str:
        """Run `make`; return what it said."""
        process = self.start(target, names_python=names_python)
        said, _ = process.communicate(timeout=300)
        assert (process.returncode != 0) == fails, said
        return said

    def installed(self, folder: str = ".venv") -> dict[str, str]:
        """Return the versions that an environment holds, of what isn't Python's own."""
        (site,) = (self.directory / folder).glob("lib/python*/site-packages")
        found = {one.name: one.version for one in metadata.distributions(path=[str(site)])}
        return {name: version for name, version in found.items() if name not in {"pip", "setuptools"}}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """Serve what the locks pin, and newer versions of all of it."""
    with serve(tmp_path_factory.mktemp("index")) as index:
        index.publish(*PINNED, LINTER, *NEWER)
        yield index


@pytest.fixture(scope="session")
def quick_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an interpreter for tests that set up many environments."""
    return write_quick_python(tmp_path_factory.mktemp("quick") / "python3")


@pytest.fixture
def small_project(tmp_path: Path, index: Index, quick_python: Path) -> SmallProject:
    """Lay out a project in which nothing has been set up."""
    project = SmallProject(tmp_path / "a check out", index, quick_python)
    project.write()
    index.asked.clear()
    return project


@pytest.fixture(scope="module")
def set_up_project(tmp_path_factory: pytest.TempPathFactory, index: Index, quick_python: Path) -> SmallProject:
    """Set up a project once; each test that breaks its environment leaves a sound one."""
    project = SmallProject(tmp_path_factory.mktemp("set-up") / "a check out", index, quick_python)
    project.write()
    project.make("setup")
    return project
