"""`make failover-check`: docs/deploy.md and docs/failover.md on three bare machines; then the primary's machine dies.

Bookings come to both `web` meanwhile. The machine comes back half a minute later. What was accepted must then be ready,
each with one code. Needs what `make install-check` needs, and exits as it does.
"""

import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from deploy.install_check.documented import NotAsDocumented, blocks, blocks_in, filled_in, page_of
from deploy.install_check.machine import BareMachine, NoMachine
from deploy.install_check.steps import (
    API_KEY,
    CLONE,
    INSTALLED,
    NOTHING_CHECKED,
    PROJECT,
    PYTHON,
    SEAM_PORT,
    clone,
    enter_own_mounts,
    more_settings,
    say,
    start_sandbox,
)
from deploy.local.state import signing_secret

# As in docs/failover.md.
_ADDRESSES: Final = ("10.0.0.1", "10.0.0.2", "10.0.0.3")
_SEAM: Final = f"http://{_ADDRESSES[2]}:{SEAM_PORT}"
_PACKAGES: Final = "apt-get install"
_LOAD: Final = 75
_BEFORE: Final = 12.0
_DEAD_FOR: Final = 25.0
_READY_WITHIN: Final = 120.0
_NOT_CHECKED: Final = (
    "the way in: an address that leads to the `web` that lives",
    "TLS between the machines",
    "all that `make install-check` says it doesn't check",
)


def main() -> int:
    """Run the check in a mount namespace of its own."""
    if problem := enter_own_mounts("deploy.install_check.failover"):
        print(f"make failover-check: {problem}. NOTHING was checked.", file=sys.stderr)
        return NOTHING_CHECKED
    with tempfile.TemporaryDirectory(prefix="oracode-failover-check-") as folder:
        machines: list[BareMachine] = []
        try:
            return _check(Path(folder), machines)
        except (NoMachine, NotAsDocumented) as error:
            print(f"FAILED\n{error}", file=sys.stderr)
            return 1
        finally:
            for machine in machines:
                machine.close()
            for mounted in Path(folder).iterdir():
                subprocess.run(["umount", "--lazy", str(mounted)], stderr=subprocess.DEVNULL, check=False)


def _check(folder: Path, machines: list[BareMachine]) -> int:
    token = secrets.token_urlsafe(24)
    _set_up(folder, machines, token)
    first, second, _ = machines
    say("bookings come to both machines")
    loads = [_start_load(machine, folder, token) for machine in (first, second)]
    time.sleep(_BEFORE)
    say("the primary's machine dies")
    first.stop()
    time.sleep(_DEAD_FOR)
    promoted = second.run("redis-cli", "-p", "26379", "sentinel", "get-master-addr-by-name", "oracode").stdout.split()
    if promoted[0] != _ADDRESSES[1]:
        raise NoMachine(f"the Sentinels say that the primary is {promoted}")
    say("the other one was promoted; the machine comes back")
    first.boot()
    _connect(machines, 0)
    first.run("systemctl", "start", "redis-server", "redis-sentinel", "oracode.target")
    for load, _ in loads:
        load.wait()
    accepted = [json.loads(line) for _, path in loads for line in path.read_text().splitlines()]
    return _judge(machines, accepted)


def _judge(machines: list[BareMachine], accepted: list[dict[str, Any]]) -> int:
    if not accepted:
        raise NoMachine("no booking was accepted")
    missing = {each["booking_id"] for each in accepted}
    deadline = time.monotonic() + _READY_WITHIN
    while missing and time.monotonic() < deadline:
        listed = machines[1].run("oracode", "bookings", "list", "--json", is_checked=False).stdout.splitlines()
        ready = {each["booking_id"] for each in map(json.loads, listed) if each["state"] == "ready"}
        missing -= ready
        time.sleep(2)
    get = f"import httpx; print(httpx.get('{_SEAM}/sandbox/access_codes').text)"
    codes = Counter(each["device_id"] for each in json.loads(machines[2].run(PYTHON, "-c", get).stdout)["access_codes"])
    twice = [each["booking_id"] for each in accepted if codes[each["device_id"]] > 1]
    moments = sorted(each["at"] for each in accepted)
    longest = max((later - earlier for earlier, later in pairwise(moments)), default=0.0)
    say(f"{len(accepted)} bookings were accepted; {len(missing)} of them are not ready, {len(twice)} have two codes")
    say(f"longest time in which none was accepted: {longest:.0f} s, for all waits until the only replica is back")
    print("\nNot checked:", *(f"- {each}" for each in _NOT_CHECKED), sep="\n")
    return 1 if missing or twice else 0


def _set_up(folder: Path, machines: list[BareMachine], token: str) -> None:
    program, server, settings, units = blocks(page_of(PROJECT))
    own, replica, sentinels, processes = blocks_in(page_of(PROJECT, "docs/failover.md"), "Set it up")
    say("installing packages and the program once, for all three")
    disk = BareMachine(_new(folder, "disk"))
    clone(disk)
    packages, configure = _split(sentinels)
    disk.prepare(filled_in(program, CLONE))
    disk.prepare(packages)
    disk.close()
    machines += [BareMachine(_new(folder, f"machine-{number}"), over=[disk.written]) for number in (1, 2, 3)]
    say("booting three machines on one network")
    for number in (2, 0, 1):
        machines[number].boot()
        _connect(machines, number)
    say("setting up, as docs/deploy.md and docs/failover.md say")
    machines[2].run("sh", "-euc", start_sandbox(_ADDRESSES[2]))
    password, secret = {"LONG-RANDOM-TEXT": secrets.token_urlsafe(24)}, signing_secret()
    values = password | {"seam_…": API_KEY, "whsec_…": secret}
    for machine in machines[:2]:
        machine.run("sh", "-euc", filled_in(server, password))
        more = more_settings(_ADDRESSES[2], {"booking_tokens": token})
        machine.run("sh", "-euc", filled_in(settings, values) + more)
        machine.run("sh", "-euc", units, within=120)
    for machine, address in zip(machines[:2], _ADDRESSES, strict=False):
        machine.run("sh", "-euc", filled_in(own, password | {"MY-OWN-ADDRESS": address}))
    machines[1].run("sh", "-euc", replica)
    for machine in machines:
        machine.run("sh", "-euc", filled_in(configure, password))
    for machine in machines[:2]:
        machine.run("sh", "-euc", filled_in(processes, password), within=120)
    for machine in machines[:2]:
        _wait_for_web(machine)


def _new(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def _split(sentinels: str) -> tuple[str, str]:
    """Return the line that needs the network, and the others."""
    lines = sentinels.splitlines()
    packages = [line for line in lines if line.startswith(_PACKAGES)]
    return "\n".join(packages), "\n".join(line for line in lines if line not in packages)


def _connect(machines: list[BareMachine], number: int) -> None:
    """Plug a machine's wire in: the third one is where they meet."""
    switch, address = machines[2], f"{_ADDRESSES[number]}/24"
    if number == 2:  # noqa: PLR2004 - the third
        switch.net("link", "add", "bridge", "type", "bridge")
        switch.net("address", "add", address, "dev", "bridge")
        switch.net("link", "set", "bridge", "up")
        return
    machine = machines[number]
    # A wire goes with the network of either end; that of a machine that died may take a moment.
    name = f"to-{number}-{machine.pid}"
    switch.net("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(machine.pid))
    switch.net("link", "set", name, "master", "bridge", "up")
    machine.net("address", "add", address, "dev", "eth0")
    machine.net("link", "set", "eth0", "up")


def _wait_for_web(machine: BareMachine) -> None:
    ask = "import httpx; raise SystemExit(not httpx.get('http://127.0.0.1:8080/readyz', timeout=20).is_success)"
    deadline = time.monotonic() + 60
    while machine.run(PYTHON, "-c", ask, is_checked=False).returncode:
        if time.monotonic() > deadline:
            raise NoMachine(machine.run("journalctl", "--no-pager", "-n", "60", is_checked=False).stdout)
        time.sleep(1)


def _start_load(machine: BareMachine, folder: Path, token: str) -> "tuple[subprocess.Popen[bytes], Path]":
    path = folder / f"accepted-{machine.pid}"
    command = f"cd {INSTALLED} && exec {PYTHON} -m deploy.install_check.bookings {_SEAM} {token} {_LOAD}"
    return machine.start(["sh", "-c", command], path), path


if __name__ == "__main__":
    raise SystemExit(main())
