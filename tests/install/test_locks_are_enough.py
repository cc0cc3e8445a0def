"""An install takes what the lock pins and nothing else, on a day on which all of it has newer versions."""

import re
from importlib import metadata

import pytest
from packaging.version import Version

from tests.install.conftest import LINTER, PINNED, PLUGIN, SmallProject

RUN = {package.name: package.version for package in PINNED} | {"small": "1.0"}


def test_an_install_holds_what_is_pinned_and_asks_for_nothing_else(small_project: SmallProject) -> None:
    """By the very commands that users run; what tests need is added to what the demo needs."""
    small_project.make("setup")
    assert small_project.installed() == RUN
    (small_project.directory / ".venv/kept").touch()

    small_project.make("setup-dev")

    assert small_project.installed() == RUN | {"linter": "1.0"}
    assert small_project.installed(".venv-sdk") == {"tool": "1.0"}
    assert (small_project.directory / ".venv/kept").exists()
    pinned = (*PINNED, LINTER)
    assert small_project.index.asked == {one.name for one in pinned} | {f"{one.name}/{one.filename}" for one in pinned}
    assert small_project.make("setup") == ""


def let_pip_resolve(project: SmallProject) -> None:
    """Install as it was done before."""
    script = project.directory / "deploy/local/make_venv.sh"
    text = script.read_text()
    assert "pip install --quiet --no-deps --require-hashes" in text
    script.write_text(text.replace("--no-deps --require-hashes", "--require-hashes"))


@pytest.mark.skipif(Version(metadata.version("pip")) >= Version("23.3"), reason="pip 23.3 and newer stay with the pin")
def test_an_install_that_resolves_fails_here(small_project: SmallProject) -> None:
    """The control: the pip of Python 3.11 and 3.12 takes the newest for `tool[toml]`, which has no hash in the lock."""
    let_pip_resolve(small_project)

    said = small_project.make("setup", fails=True)

    assert "In --require-hashes mode, all requirements must have their versions pinned" in said
    assert "pip could not install requirements.txt" in said


def test_an_install_that_resolves_asks_for_more(small_project: SmallProject) -> None:
    """The control, for every pip: what a lock lacks it would look for elsewhere."""
    let_pip_resolve(small_project)
    small_project.lock("requirements.txt", PLUGIN)

    small_project.make("setup", fails=True)

    assert "tool" in small_project.index.asked


def test_a_lock_that_lacks_something_fails(small_project: SmallProject) -> None:
    """What pip doesn't resolve it still checks, and what failed isn't taken for done."""
    small_project.lock("requirements.txt", PLUGIN)
    said = small_project.make("setup", fails=True)
    assert "plugin 1.0 requires tool, which is not installed." in said
    assert "requirements.txt must be corrected" in said
    assert "tool" not in small_project.index.asked
    assert not (small_project.directory / ".venv/.installed").exists()


def test_another_file_than_the_pinned_one_is_refused(small_project: SmallProject) -> None:
    """The hashes are checked."""
    lock = small_project.directory / "requirements.txt"
    lock.write_text(re.sub("sha256:.{4}", "sha256:0000", lock.read_text()))

    said = small_project.make("setup", fails=True)

    assert "DO NOT MATCH THE HASHES" in said
