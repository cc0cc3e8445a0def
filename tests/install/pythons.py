"""Interpreters as a user may have them: too old, lacking a part, or quick to make environments with."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

_REAL = os.path.realpath(sys.executable)


def write_python(path: Path, *, prelude: str = "", venv: str = "") -> Path:
    """Write a script that stands for an interpreter.

    `prelude` runs before whatever `-c` is to run; `venv` is what the shell does instead of `-m venv`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    code = f"import sys; sys.executable = {str(path)!r}; {prelude or 'pass'}; exec(sys.argv[1])"
    path.write_text(
        f"""#!/bin/sh
real='{_REAL}'
if [ "$1" = -m ]; then
  {venv or 'exec "$real" "$@"'}
  exit
fi
exec "$real" -c "{code}" "$2"
"""
    )
    path.chmod(0o755)
    return path


def write_old_python(path: Path) -> Path:
    """Write an interpreter that says it is 3.10."""
    return write_python(path, prelude="sys.version_info = (3, 10, 13, 'final', 0); sys.version = '3.10.13 (main)'")


def write_bare_python(path: Path) -> Path:
    """Write an interpreter as Debian's without its package python3-venv."""
    return write_python(path, prelude="sys.modules['ensurepip'] = None")


def write_quick_python(path: Path) -> Path:
    """Write an interpreter whose new environments get a copy of our pip, compiled already: that takes no time."""
    site = sysconfig.get_path("purelib")
    steps = (
        "{ for place; do :; done; }",
        '"$real" -m venv --clear --without-pip "$place"',
        f"""cp -Rp '{site}'/pip '{site}'/pip-*.dist-info "$place"/lib/python*/site-packages""",
    )
    return write_python(path, venv=" && ".join(steps))


def find_old_python() -> Path | None:
    """Find a real interpreter that is too old, on the path or among pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for minor in (10, 9, 8):
        on_path = shutil.which(f"python3.{minor}")
        found = [Path(on_path)] if on_path else []
        for python in [*found, *pyenv.glob(f"versions/3.{minor}.*/bin/python3")]:
            if subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0:
                return python
    return None
