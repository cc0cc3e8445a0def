"""Profiles, on demand: py-spy (on PATH, or named by PY_SPY) records a process while a block runs."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from bench.processes import OTHER_CORE, PROJECT, Started, pin
from bench.suite import Options


@contextmanager
def of(process: Started, name: str, options: Options, seconds: float) -> Iterator[None]:
    """Record a Python process into `.bench/profiles/NAME.svg` for so many seconds; does nothing without `--profile`."""
    tool = os.environ.get("PY_SPY") or shutil.which("py-spy")
    if not options.profile or tool is None:
        if options.profile:
            options.say("no profile: py-spy is not on PATH (nor named by PY_SPY)")
        yield
        return
    folder = PROJECT / ".bench" / "profiles"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / (re.sub(r"\W+", "-", name).strip("-") + ".txt")
    command = [tool, "record", "--pid", str(process.pid), "--duration", str(max(1, int(seconds))), "--rate", "100"]
    command += ["--format", "raw", "--output", str(target), "--idle"]
    with subprocess.Popen(command, stdout=None, stderr=None) as recorder:
        pin(recorder.pid, OTHER_CORE)
        yield
        recorder.wait(30)
    options.say(f"profile of {name}: {target.relative_to(PROJECT)}")
