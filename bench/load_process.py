"""Starts the load generator, on another core than the measured server."""

import json
import subprocess
import sys
from pathlib import Path

from bench.load import Report, write_requests
from bench.processes import OTHER_CORE, PROJECT, pin
from bench.webhooks import signed_requests


def load(
    port: int,
    *,
    connections: int,
    seconds: float,
    amount: int,
    folder: Path,
    pause: float = 0.0,
    rate: float = 0.0,
    accepted: bool = False,
) -> Report:
    """Send up to `amount` signed webhooks for so many seconds; a refused connection waits for `pause` seconds.

    With a `rate`, at most so many are sent in a second. With `accepted`, sending begins when the server has accepted
    all connections. Raises CalledProcessError.
    """
    path = folder / "requests"
    write_requests(path, signed_requests(port, amount))
    arguments = [str(each) for each in (port, connections, seconds, path, pause, rate)]
    command = [sys.executable, "-m", "bench.load", *arguments, *(["accepted"] if accepted else [])]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        pin(process.pid, OTHER_CORE)
        output, _ = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, output)
    return Report(**json.loads(output))
