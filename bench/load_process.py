"""Starting the load generator on the core that the measured server isn't on."""

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
    """Send up to `amount` signed webhooks for so many seconds; who is refused rests for `pause` seconds.

    With a `rate` at most so many are sent a second. With `accepted` it begins once the server has taken in all
    connections. Raises CalledProcessError.
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
