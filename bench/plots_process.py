"""Starts the drawing of the curves: matplotlib is in the environment of the peers, not in ours."""

import subprocess
from pathlib import Path

from bench.processes import PROJECT
from bench.suite import Options
from bench.variants import PEERS


def draw(results: Path, options: Options) -> None:
    """Draw the results into files beside them; say so if that can't be done."""
    python = PEERS / "python"
    if not python.exists():
        options.say("no plots: .venv-peers is missing; run `make bench`")
        return
    target = results.parent / "results"
    command = [str(python), str(PROJECT / "bench" / "plots.py"), str(results), str(target)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    options.say(ended.stdout.strip() or f"no plots: {ended.stderr.strip().splitlines()[-1]}")
