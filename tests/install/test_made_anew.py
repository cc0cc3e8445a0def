"""An environment that is no longer what it should be is made anew, and one that is so is left alone."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.install.conftest import PINNED, SmallProject
from tests.install.wheels import Package
from tests.support.waiting import wait_until

ALL = {"plugin": "1.0", "tool": "1.0", "parser": "1.0", "small": "1.0"}


def test_nothing_is_done_twice(set_up_project: SmallProject) -> None:
    """The second `make` neither installs nor asks for anything."""
    set_up_project.index.asked.clear()
    assert set_up_project.make("setup") == ""
    assert set_up_project.index.asked == set()


def test_the_python_of_the_environment_is_kept(set_up_project: SmallProject) -> None:
    """Who chose a Python once needn't name it again, whatever `python3` is."""
    assert set_up_project.make("setup", names_python=False) == ""


def _lose_the_python(folder: Path) -> None:
    (folder / "bin/python").unlink()
    (folder / "bin/python").symlink_to("/nowhere/python3.11")


def _note_another_python(folder: Path) -> None:
    record = folder / ".installed"
    lines = record.read_text().splitlines()
    assert lines[0].startswith("python 3.")
    record.write_text("\n".join(["python 3.10.13 .cpython-310-x86_64-linux-gnu.so", *lines[1:]]) + "\n")


@pytest.mark.parametrize("breaks", [_lose_the_python, _note_another_python])
def test_an_environment_of_another_python(set_up_project: SmallProject, breaks: Callable[[Path], None]) -> None:
    """After an update of the system, say, it is made anew, people read why, and the next `make` has nothing to do."""
    folder = set_up_project.directory / ".venv"
    (folder / "left-over").touch()
    breaks(folder)

    assert "its Python is another than 3." in set_up_project.make("setup")

    assert set_up_project.installed() == ALL
    assert not (folder / "left-over").exists()
    assert set_up_project.make("setup") == ""


def test_a_moved_folder(set_up_project: SmallProject, tmp_path: Path) -> None:
    """Scripts name the folder that they were made in: `oracode` would start another copy, or nothing."""
    there = set_up_project.directory.rename(tmp_path / "elsewhere")
    moved = SmallProject(there, set_up_project.index, set_up_project.python)
    try:
        assert "it was made in another folder" in moved.make("setup")
        assert moved.installed() == ALL
        done = subprocess.run([there / ".venv/bin/small"], capture_output=True, text=True, check=True)
        assert done.stdout == "1.0\n"
    finally:
        there.rename(set_up_project.directory)
        set_up_project.make("setup")


def test_an_interrupted_install(small_project: SmallProject) -> None:
    """Ctrl-C, or worse, in the middle of an install: the next one starts over."""
    index = small_project.index
    index.is_answering.clear()
    process = small_project.start("setup")
    try:
        wait_until(lambda: index.asked, within=120, what="pip asks the index")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        index.is_answering.set()

    assert "Making .venv anew" in small_project.make("setup")
    assert small_project.installed() == ALL


def test_a_lock_that_lost_a_package(small_project: SmallProject) -> None:
    """What a lock names no more is gone, so that it can't quarrel with what the lock names."""
    stray = Package("stray", "1.0")
    small_project.index.publish(stray)
    small_project.lock("requirements.txt", *PINNED, stray)
    small_project.make("setup")
    assert "stray" in small_project.installed()

    small_project.lock("requirements.txt", *PINNED)

    assert "requirements.txt has changed" in small_project.make("setup")
    assert small_project.installed() == ALL


def test_a_changed_project_is_installed_again(set_up_project: SmallProject) -> None:
    """A new entry point needs no new environment."""
    settings = set_up_project.directory / "pyproject.toml"
    Package("small", "1.1", requires=["plugin"]).write(set_up_project.directory)
    backend = set_up_project.directory / "backend.py"
    before = settings.read_text(), backend.read_text()
    (set_up_project.directory / ".venv/kept").touch()
    try:
        settings.write_text(before[0] + "\n# another version\n")
        backend.write_text(before[1].replace("small-1.0", "small-1.1"))
        assert set_up_project.make("setup") == ""
        assert set_up_project.installed() == ALL | {"small": "1.1"}
        assert (set_up_project.directory / ".venv/kept").exists()
    finally:
        settings.write_text(before[0])
        backend.write_text(before[1])
        set_up_project.make("setup")
