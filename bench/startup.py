"""How long a person waits: for `oracode --help`, for `oracode match` on files, for `oracode up` to be ready."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from bench.matching import device
from bench.processes import PROJECT, Started, scratch
from bench.statistics import Spread
from bench.suite import Options, Outcome
from bench.table import table
from bench.targets import Target

_ORACODE: Final = str(Path(sys.executable).parent / "oracode")


def run(options: Options) -> Outcome:
    """Measure all three."""
    times = 3 if options.quick else 9
    with scratch() as folder:
        (folder / "device.json").write_text(json.dumps(device(10)))
        booking = {"booking_id": "B", "device_ids": [device(10)["device_id"]]}
        stay = {"check_in": "2026-12-01T15:45", "check_out": "2026-12-05T10:15"}
        (folder / "booking.json").write_text(json.dumps(booking | stay))
        files = ["--device", str(folder / "device.json"), "--booking", str(folder / "booking.json"), "--json"]
        helped = Spread.of([seconds_of([_ORACODE, "--help"]) for _ in range(times)])
        matched = Spread.of([seconds_of([_ORACODE, "match", *files]) for _ in range(times)])
    ready = Spread.of([seconds_until_ready() for _ in range(options.rounds)])
    targets = (
        Target("start-up: oracode --help", helped.median, "at most", 0.2, "s"),
        Target("start-up: oracode match on files", matched.median, "at most", 0.3, "s"),
        Target("start-up: oracode up ready", ready.median, "at most", 5, "s"),
    )
    found = {"help": helped, "match": matched, "up": ready}
    rows = [(name, each.median, each.low, each.high) for name, each in found.items()]
    figures: dict[str, Any] = {name: [each.median, each.low, each.high] for name, each in found.items()}
    return Outcome(figures=figures, targets=targets, text=table(("start-up, seconds", "median", "low", "high"), rows))


def seconds_of(command: list[str]) -> float:
    """Return how long a command takes. Raises CalledProcessError."""
    started = time.perf_counter()
    subprocess.run(command, cwd=PROJECT, capture_output=True, check=True)
    return time.perf_counter() - started


def seconds_until_ready() -> float:
    """Return how long `oracode up` takes until `run.json` says that everything answers, in a fresh folder."""
    with scratch() as folder:
        started = time.perf_counter()
        with Started("oracode up", [_ORACODE, "up", "--data-dir", str(folder / "data")]) as process:
            process.until((folder / "data" / "run.json").exists, within=60)
            return time.perf_counter() - started
