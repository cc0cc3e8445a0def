"""Separate hosts: network namespaces on one bridge, each with its own address, name and clock.

The program needs root, and its own network namespace (`enter_own_network`): the bridge ends with that.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_NAMESPACES = Path("/run/netns")
_INSIDE = "ORACODE_OWN_NETWORK"
_LIBRARIES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")


class NoHosts(Exception):
    """No hosts can be made on this machine. The text says why."""


@dataclass(frozen=True, slots=True)
class Host:
    """One of the hosts."""

    name: str
    address: str

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Return the command that runs `arguments` on this host, as one process."""
        named = f'hostname {self.name}; exec "$@"'
        return [
            "nsenter",
            f"--net={_NAMESPACES / self.name}",
            "unshare",
            "--uts",
            "sh",
            "-c",
            named,
            "sh",
            *arguments,
        ]

    def cut_off(self) -> None:
        """Disconnect the host: packets are lost, and connections stay open."""
        _ip("link", "set", f"to-{self.name}", "down")

    def reconnect(self) -> None:
        """Connect the host again."""
        _ip("link", "set", f"to-{self.name}", "up")


def enter_own_network(module: str) -> None:
    """Run this program again in its own network namespace, unless it is in one. Raises NoHosts."""
    if os.geteuid():
        raise NoHosts("it needs root")
    missing = [name for name in ("unshare", "nsenter", "ip") if shutil.which(name) is None]
    if missing:
        raise NoHosts(f"there is no `{missing[0]}`")
    if _INSIDE in os.environ:
        return
    os.environ[_INSIDE] = "yes"
    command = ["unshare", "--net", "--mount", "--propagation", "private", sys.executable, "-m", module, *sys.argv[1:]]
    os.execvp(command[0], command)  # noqa: S606 - this very program, in a network of its own


def make_hosts(count: int) -> list[Host]:
    """Make hosts on one bridge, which this process is also on. Raises NoHosts."""
    with suppress(FileExistsError):
        _NAMESPACES.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(_NAMESPACES)], check=True)
    _ip("link", "set", "lo", "up")
    _ip("link", "add", "bridge", "type", "bridge")
    _ip("address", "add", "10.77.0.254/24", "dev", "bridge")
    _ip("link", "set", "bridge", "up")
    hosts = []
    for number in range(1, count + 1):
        host = Host(f"h{number}", f"10.77.0.{number}")
        _ip("netns", "add", host.name)
        _ip("link", "add", f"to-{host.name}", "type", "veth", "peer", "name", "eth0", "netns", host.name)
        _ip("link", "set", f"to-{host.name}", "master", "bridge", "up")
        for command in (
            ("address", "add", f"{host.address}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", host.name, *command)
        hosts.append(host)
    return hosts


def clock_ahead(seconds: int) -> Mapping[str, str]:
    """Return the environment that sets a process's clock ahead, but not its timers. Raises NoHosts."""
    found = [path for pattern in _LIBRARIES for path in Path("/").glob(pattern.lstrip("/"))]
    if not found:
        raise NoHosts("there is no libfaketime (Debian: apt install faketime)")
    return {"LD_PRELOAD": str(found[0]), "FAKETIME": f"{seconds:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoHosts(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
