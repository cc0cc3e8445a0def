"""Starting the load generator on the core that the measured server isn't on."""

import json
import subprocess
import sys
from pathlib import Path

from bench.load import Report, write_requests
from bench.processes import OTHER_CORE, PROJECT, pin
from bench.webhooks import signed_requests


def load(port: int, *, connections: int, seconds: float, amount: int, folder: Path, pause: float = 0.0) -> Report:
    """Send up to `amount` signed webhooks for so many seconds; who is refused rests for `pause` seconds.

    Raises CalledProcessError.
    """
    path = folder / "requests"
    write_requests(path, signed_requests(port, amount))
    command = [sys.executable, "-m", "bench.load", str(port), str(connections), str(seconds), str(path), str(pause)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        pin(process.pid, OTHER_CORE)
        output, _ = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, output)
    return Report(**json.loads(output))
