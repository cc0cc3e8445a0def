"""`make install-check`: install by docs/deploy.md on a bare machine, run all units under systemd, make a code.

Needs root, a Debian (or its kin) with systemd, and apt and pip with their indexes. It checks what is committed.
Exit 0: all is well; 1: something isn't; 3: this machine can't hold a bare one, so NOTHING was checked.
"""

import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from deploy.install_check.documented import NotAsDocumented, blocks, filled_in, page_of
from deploy.install_check.machine import BareMachine, NoMachine
from deploy.install_check.steps import (
    API_KEY,
    CLONE,
    INSTALLED,
    NOTHING_CHECKED,
    PROJECT,
    PYTHON,
    clone,
    enter_own_mounts,
    more_settings,
    say,
    start_sandbox,
)
from deploy.local.state import signing_secret

_NOT_CHECKED: Final = (
    "the kernel, the firmware and a real boot: systemd is the first process of a namespace on this machine's kernel",
    "the proxy, TLS and everything from outside (tests/proxy checks the proxy's files)",
    "Seam: the sandbox stands for it",
    "other distributions and versions of systemd than this machine's",
)
_RUN_CHECKS: Final = "from deploy.install_check.checks import main; raise SystemExit(main())"


def main() -> int:
    """Run the check in a mount namespace of its own."""
    if problem := enter_own_mounts("deploy.install_check"):
        print(f"make install-check: {problem}. NOTHING was checked.", file=sys.stderr)
        return NOTHING_CHECKED
    with tempfile.TemporaryDirectory(prefix="oracode-install-check-") as base:
        try:
            machine = BareMachine(Path(base))
        except NoMachine as missing:
            print(f"make install-check: {missing}. NOTHING was checked.", file=sys.stderr)
            return NOTHING_CHECKED
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
    say("installing packages and the program, as docs/deploy.md says")
    clone(machine)
    machine.prepare(filled_in(program, CLONE))
    say("booting its systemd")
    machine.boot()
    say("configuring the data server, settings, secrets and units, as docs/deploy.md says")
    password = secrets.token_urlsafe(24)
    machine.run("sh", "-euc", filled_in(server, {"LONG-RANDOM-TEXT": password}))
    values = {"LONG-RANDOM-TEXT": password, "seam_…": API_KEY, "whsec_…": signing_secret()}
    given = {
        "booking_tokens": secrets.token_urlsafe(24),
        "console_tokens": f"operator:revealer:{secrets.token_urlsafe(24)}",
    }
    machine.run("sh", "-euc", filled_in(settings, values) + more_settings("127.0.0.1", given))
    machine.run("sh", "-euc", start_sandbox("127.0.0.1"))
    machine.run("sh", "-euc", units, within=120)
    done = machine.run(PYTHON, "-c", f"import os; os.chdir({INSTALLED!r}); {_RUN_CHECKS}", is_checked=False)
    print(done.stdout, end="")
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        print(machine.run("journalctl", "--no-pager", "-n", "60", is_checked=False).stdout, file=sys.stderr)
        return 1
    print("\nNot checked:", *(f"- {each}" for each in _NOT_CHECKED), sep="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
