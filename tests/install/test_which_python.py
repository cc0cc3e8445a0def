"""A Python that this can't run on gets one sentence, before anything is made."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.install.conftest import ROOT
from tests.install.pythons import find_old_python, write_bare_python, write_old_python, write_python

# What a target needs before it knows its Python.
_TOOLS = ("sh", "make")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Lay out what `make` reads first; whatever would go on from there would fail otherwise."""
    checkout = tmp_path / "checkout"
    (checkout / "deploy/local").mkdir(parents=True)
    for name in ("Makefile", "deploy/local/make_venv.sh"):
        shutil.copy(ROOT / name, checkout / name)
    return checkout


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Make a folder that is all that is on the path, without any Python."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for tool in _TOOLS:
        (programs / tool).symlink_to(shutil.which(tool) or tool)
    return programs


def refusal(checkout: Path, *command: str, path: Path | None = None) -> str:
    """Run `make`, which must fail and leave nothing behind; return the sentence that people read."""
    before = sorted(checkout.rglob("*"))
    done = subprocess.run(
        ["make", *command],
        cwd=checkout,
        env={"PATH": str(path) if path else os.environ["PATH"], "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode != 0
    assert done.stdout == ""
    assert sorted(checkout.rglob("*")) == before
    sentence, makes_own_line = done.stderr.splitlines()
    assert makes_own_line.startswith("make: ***")
    return sentence


@pytest.mark.parametrize(
    "target",
    [
        "demo",
        "run",
        "setup",
        "setup-dev",
        "test",
        "lint",
        "types",
        "imports",
        "fuzz",
        "faults",
        "bench",
        "audit",
        "sbom",
        "docs",
        "release-check",
    ],
)
def test_each_target_refuses_python_3_10(checkout: Path, programs: Path, target: str) -> None:
    """Whatever is asked for, people hear what to do about it."""
    write_old_python(programs / "python3")
    said = refusal(checkout, target, path=programs)
    assert said == (
        "This needs Python 3.11 or newer; python3 is 3.10.13. "
        f"Set PYTHON=…, for example `make {target} PYTHON=python3.12`."
    )


def test_make_alone_is_the_demo(checkout: Path, programs: Path) -> None:
    """The target that is named is the one that was meant."""
    write_old_python(programs / "python3")
    assert "`make demo PYTHON=" in refusal(checkout, path=programs)


def test_a_newer_python_that_is_there_is_the_example(checkout: Path, programs: Path) -> None:
    """The example can be copied. What is on the path and doesn't start, as pyenv's shims, is no example."""
    write_old_python(programs / "python3")
    write_python(programs / "python3.13")
    (programs / "python3.14").write_text("#!/bin/sh\nexit 127\n")
    (programs / "python3.14").chmod(0o755)
    assert refusal(checkout, "run", path=programs).endswith("for example `make run PYTHON=python3.13`.")


def test_no_python_at_all(checkout: Path, programs: Path) -> None:
    """Neither the shell's error nor a traceback."""
    said = refusal(checkout, "demo", path=programs)
    assert said.startswith("This needs Python 3.11 or newer; python3 can't be started. Set PYTHON=…")


def test_a_real_old_python(checkout: Path) -> None:
    """Code that asks for the version runs in it."""
    python = find_old_python()
    if python is None:
        pytest.skip("no Python 3.8, 3.9 or 3.10 on the path or among pyenv's")
    assert f"; {python} is 3." in refusal(checkout, "demo", f"PYTHON={python}")


def test_an_environment_of_an_old_python_does_not_hide_a_newer_one(checkout: Path, programs: Path) -> None:
    """`.venv` may have been made with 3.10; it isn't the Python that counts then."""
    write_old_python(checkout / ".venv/bin/python")
    assert "python3 can't be started" in refusal(checkout, "demo", path=programs)


def test_a_python_without_ensurepip(checkout: Path, programs: Path) -> None:
    """Debian's Python can't make environments until a package is installed: say which."""
    for tool in ("cat", "cksum", "grep", "mkdir"):
        (programs / tool).symlink_to(shutil.which(tool) or tool)
    python = write_bare_python(programs / "python3")
    version = subprocess.run(
        [python, "-c", "print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True, check=True
    )
    said = refusal(checkout, "setup", path=programs)
    assert "can't make virtual environments: it lacks ensurepip." in said
    assert said.endswith(f"On Debian and Ubuntu: apt install python{version.stdout.strip()}-venv")


def test_a_folder_that_cannot_be_written_to(checkout: Path) -> None:
    """A link to nowhere stands for a read-only folder: root may write to all others."""
    (checkout / ".venv").symlink_to("/proc/nowhere/at/all")
    assert refusal(checkout, "setup", f"PYTHON={sys.executable}").startswith(f"{checkout}/.venv can't be written to.")
