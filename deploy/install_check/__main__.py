"""`make install-check`: install by docs/deploy.md on a bare machine, run all units under systemd, make a code.

Needs root, a Debian (or its kin) with systemd, and apt and pip with their indexes. It checks what is committed.
Exit 0: all is well; 1: something isn't; 3: this machine can't hold a bare one, so NOTHING was checked.
"""

import os
import secrets
import subprocess
import sys
import tempfile
from base64 import b64encode
from pathlib import Path
from typing import Final

from deploy.install_check.documented import NotAsDocumented, blocks, filled_in, page_of
from deploy.install_check.machine import BareMachine, NoMachine, problem_here

PROJECT: Final = Path(__file__).resolve().parents[2]
INSTALLED: Final = "/opt/oracode"
SEAM_PORT: Final = 8090
API_KEY: Final = "seam_install_check_key"
_INSIDE: Final = "ORACODE_INSTALL_CHECK_INSIDE"
_CLONE: Final = "git clone … /opt/oracode"
_NOT_CHECKED: Final = (
    "the kernel, the firmware and a real boot: systemd is the first process of a namespace on this machine's kernel",
    "the proxy, TLS and everything from outside (tests/proxy checks the proxy's files)",
    "Seam: the sandbox stands for it",
    "other distributions and versions of systemd than this machine's",
)
# The sandbox is no part of an installation: so it is added here.
_SANDBOX: Final = f"""\
[Service]
DynamicUser=yes
WorkingDirectory={INSTALLED}
Environment=SANDBOX_API_KEY={API_KEY} PYTHONDONTWRITEBYTECODE=1
ExecStart={INSTALLED}/.venv/bin/python -m deploy.sandbox --port {SEAM_PORT} --step 0.2
"""


def main() -> int:
    """Run the check in a mount namespace of its own."""
    if problem := problem_here():
        print(f"make install-check: {problem}. NOTHING was checked.", file=sys.stderr)
        return 3
    if _INSIDE not in os.environ:
        os.environ[_INSIDE] = "yes"
        command = ["unshare", "--mount", "--propagation", "private", sys.executable, "-m", "deploy.install_check"]
        os.execvp(command[0], command)  # noqa: S606 - this very program, in a namespace
    with tempfile.TemporaryDirectory(prefix="oracode-install-check-") as base:
        try:
            machine = BareMachine(Path(base))
        except NoMachine as missing:
            print(f"make install-check: {missing}. NOTHING was checked.", file=sys.stderr)
            return 3
        try:
            return _check(machine)
        except (NoMachine, NotAsDocumented) as error:
            print(f"FAILED\n{error}", file=sys.stderr)
            return 1
        finally:
            machine.close()
            subprocess.run(["umount", "--lazy", base], check=False)


def _check(machine: BareMachine) -> int:
    program, server, settings, units = blocks(page_of(PROJECT))
    _say("installing packages and the program, as docs/deploy.md says")
    _clone(machine)
    machine.prepare(filled_in(program, {_CLONE: "true"}))
    _say("booting its systemd")
    machine.boot()
    _say("configuring the data server, settings, secrets and units, as docs/deploy.md says")
    password = secrets.token_urlsafe(24)
    machine.run("sh", "-euc", filled_in(server, {"LONG-RANDOM-TEXT": password}))
    values = {"LONG-RANDOM-TEXT": password, "seam_…": API_KEY, "whsec_…": f"whsec_{_secret()}"}
    machine.run("sh", "-euc", filled_in(settings, values) + _of_the_check())
    machine.run("sh", "-euc", units, within=120)
    done = machine.run(
        f"{INSTALLED}/.venv/bin/python", "-c", f"import os; os.chdir({INSTALLED!r}); {_RUN_CHECKS}", is_checked=False
    )
    print(done.stdout, end="")
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        print(machine.run("journalctl", "--no-pager", "-n", "60", is_checked=False).stdout, file=sys.stderr)
        return 1
    print("\nNot checked:", *(f"- {each}" for each in _NOT_CHECKED), sep="\n")
    return 0


_RUN_CHECKS: Final = "from deploy.install_check.checks import main; raise SystemExit(main())"


def _clone(machine: BareMachine) -> None:
    """Bring what is committed to where docs/deploy.md clones it; the real machine's checkout needn't be on its disk."""
    command = ["git", "-c", "safe.directory=*", "clone", "--quiet", str(PROJECT), f"{machine.root}{INSTALLED}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoMachine(f"{' '.join(command)}: {done.stderr.strip()}")


def _of_the_check() -> str:
    """Return what the check adds: a Seam that is the sandbox, and the optional secrets that it uses."""
    given = {
        "booking_tokens": secrets.token_urlsafe(24),
        "console_tokens": f"operator:revealer:{secrets.token_urlsafe(24)}",
        "alert_urls": f"slack+http://127.0.0.1:{SEAM_PORT}/alerts/slack",
    }
    lines = [f"echo '{value}' > /etc/oracode/secrets/{name}" for name, value in given.items()]
    return "\n".join(
        [
            "",
            *lines,
            "chgrp oracode /etc/oracode/secrets/*",
            f"echo 'SEAM_ENDPOINT=http://127.0.0.1:{SEAM_PORT}' >> /etc/oracode/oracode.env",
            f"cat > /etc/systemd/system/seam-sandbox.service <<'END'\n{_SANDBOX}END",
            "systemctl daemon-reload",
            "systemctl start seam-sandbox",
        ]
    )


def _secret() -> str:
    return b64encode(secrets.token_bytes(24)).decode()


def _say(what: str) -> None:
    print(f"· {what}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
