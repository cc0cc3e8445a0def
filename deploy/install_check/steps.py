"""What the checks share: the namespace they are in, and what they add to the steps of the pages."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.install_check.machine import BareMachine, NoMachine, problem_here

PROJECT: Final = Path(__file__).resolve().parents[2]
INSTALLED: Final = "/opt/oracode"
PYTHON: Final = f"{INSTALLED}/.venv/bin/python"
SEAM_PORT: Final = 8090
API_KEY: Final = "seam_install_check_key"
# What the page clones is brought by `clone`.
CLONE: Final = {"git clone … /opt/oracode": "true"}
NOTHING_CHECKED: Final = 3
_INSIDE: Final = "ORACODE_INSTALL_CHECK_INSIDE"


def enter_own_mounts(module: str) -> str:
    """Run this program again in a mount namespace of its own, unless it is in one; return why it can't be."""
    if problem := problem_here():
        return problem
    if _INSIDE not in os.environ:
        os.environ[_INSIDE] = "yes"
        command = ["unshare", "--mount", "--propagation", "private", sys.executable, "-m", module]
        os.execvp(command[0], command)  # noqa: S606 - this very program, in a namespace
    return ""


def clone(machine: BareMachine) -> None:
    """Bring what is committed to where docs/deploy.md clones it; the real machine's checkout needn't be on its disk."""
    command = ["git", "-c", "safe.directory=*", "clone", "--quiet", str(PROJECT), f"{machine.root}{INSTALLED}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoMachine(f"{' '.join(command)}: {done.stderr.strip()}")


def start_sandbox(address: str) -> str:
    """Return the commands that start a sandbox in Seam's place: it is no part of an installation."""
    unit = f"""\
[Service]
DynamicUser=yes
WorkingDirectory={INSTALLED}
Environment=SANDBOX_API_KEY={API_KEY} PYTHONDONTWRITEBYTECODE=1
ExecStart={PYTHON} -m deploy.sandbox --host {address} --port {SEAM_PORT} --step 0.2
"""
    return "\n".join(
        [
            f"cat > /etc/systemd/system/seam-sandbox.service <<'END'\n{unit}END",
            "systemctl daemon-reload",
            "systemctl start seam-sandbox",
        ]
    )


def more_settings(seam: str, given: Mapping[str, str]) -> str:
    """Return the commands that point all processes to the sandbox at `seam`, and add secrets that are optional."""
    known = {"alert_urls": f"slack+http://{seam}:{SEAM_PORT}/alerts/slack", **given}
    return "\n".join(
        [
            "",
            *(f"echo '{value}' > /etc/oracode/secrets/{name}" for name, value in known.items()),
            "chgrp oracode /etc/oracode/secrets/*",
            f"echo 'SEAM_ENDPOINT=http://{seam}:{SEAM_PORT}' >> /etc/oracode/oracode.env",
            "",
        ]
    )


def say(what: str) -> None:
    """Print one line of progress."""
    print(f"· {what}", flush=True)
