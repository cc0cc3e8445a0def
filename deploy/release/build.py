"""Builds what is published, and installs it as an operator would."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

SUMS: Final = "SHA256SUMS"
_WITHIN: Final = 900


class NotReleasable(Exception):
    """Something that a release needs is missing or wrong; the text says what."""


def build_wheel(project: Path, into: Path) -> Path:
    """Build the wheel from the checkout, with the pinned build backend of this environment. Raises NotReleasable."""
    into.mkdir(parents=True, exist_ok=True)
    run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(into),
        str(project),
    )
    (wheel,) = into.glob("*.whl")
    return wheel


def write_sums(folder: Path) -> Path:
    """Write the SHA-256 of every file of a folder, as `sha256sum --check` reads them."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != SUMS)
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    sums = folder / SUMS
    sums.write_text("".join(lines))
    return sums


def install(folder: Path, venv: Path, wheel: str) -> Path:
    """Install the wheel of a release, and what its lock pins, into a new environment; return its `oracode`.

    Nothing but the folder's own files decides what is installed. Raises NotReleasable.
    """
    run(sys.executable, "-m", "venv", "--clear", str(venv))
    python = str(venv / "bin/python")
    install_command = (python, "-I", "-m", "pip", "install", "--quiet", "--no-deps")
    run(*install_command, "--require-hashes", "-r", str(folder / "requirements.txt"))
    run(*install_command, str(folder / wheel))
    run(python, "-I", "-m", "pip", "check")
    return venv / "bin/oracode"


def run(*command: str, cwd: Path | None = None) -> str:
    """Run a command and return what it printed. Raises NotReleasable with what it said."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=_WITHIN, check=False)
    if done.returncode:
        raise NotReleasable(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


def copy_into(folder: Path, *files: Path) -> None:
    """Copy files beside the wheel."""
    for file in files:
        shutil.copyfile(file, folder / file.name)
