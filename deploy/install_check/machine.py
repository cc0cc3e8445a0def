"""A machine as bare as can be had without another one: this one's disk, copied on write, and its own systemd.

Everything is in namespaces: mounts, processes, network, host name, control groups. Nothing of the real machine is
changed, and all of it ends with the process that made it. The caller must be in a mount namespace of its own.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

_SYSTEMD: Final = "/lib/systemd/systemd"
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ENVIRONMENT: Final = {"PATH": _PATH, "HOME": "/root", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
_DEVICES: Final = ("null", "zero", "full", "random", "urandom", "tty")
_BOOTED_WITHIN: Final = 60.0
_POLL: Final = 0.2
# The kernel's settings and devices stay out of its reach: they are shared with the real machine. Its mounts are shared
# among its own namespaces, as they are on a real machine: units get their credentials that way.
_BOOT: Final = """\
set -e
cd "$1"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
ip link set lo up
pivot_root . .
umount -l .
mount --make-rshared /
exec env -i container=install-check PATH="$2" "$3" --system --unit=basic.target --show-status=no
"""


class NoMachine(Exception):
    """There can't be one here, or it didn't come up; the text says why."""


class BareMachine:
    """One such machine. `prepare` works before it boots, with the real network; `run` in it, cut off from networks."""

    def __init__(self, base: Path, *, over: Sequence[Path] = ()) -> None:
        """Lay its disk over ours, and over what other machines wrote (their `written`, once they are closed).

        `base` is an empty directory; what is written takes memory.
        """
        self.root = base / "root"
        self.written = base / "upper"
        self._cgroup = _cgroup_root() / f"oracode-install-check-{os.getpid()}-{base.name}"
        self._holder: subprocess.Popen[bytes] | None = None
        self._pid = 0
        _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(base))
        for name in ("upper", "work", "root"):
            (base / name).mkdir()
        below = ":".join(map(str, (*over, "/")))
        layers = f"lowerdir={below},upperdir={self.written},workdir={base / 'work'}"
        _mount("-t", "overlay", "-o", layers, "overlay", str(self.root))
        self._make_devices()
        # What the real machine mounts at its start is no business of this one.
        (self.root / "etc/fstab").write_text("")

    def _make_devices(self) -> None:
        devices = self.root / "dev"
        _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(devices))
        for name in _DEVICES:
            (devices / name).touch()
            _mount("--bind", f"/dev/{name}", str(devices / name))
        for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
            (devices / name).symlink_to(f"/proc/self/{target}")
        for name in ("pts", "shm"):
            (devices / name).mkdir()
        _mount("-t", "devpts", "-o", "newinstance,ptmxmode=0666,mode=620", "devpts", str(devices / "pts"))
        _mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", str(devices / "shm"))
        (devices / "ptmx").symlink_to("pts/ptmx")

    def prepare(self, script: str) -> None:
        """Run a shell script as root on its disk, while it isn't booted. Raises NoMachine with what went wrong."""
        # Debian's packages ask this whether they may start what they install.
        policy = self.root / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "VIRTUAL_"))
        }
        environment = kept | {"PATH": _PATH, "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive"}
        enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc=" + str(self.root / "proc")]
        shell = ["chroot", str(self.root), "/bin/sh", "-euc", script]
        done = subprocess.run([*enter, *shell], env=environment, capture_output=True, text=True, check=False)
        policy.unlink()
        if done.returncode:
            raise NoMachine(f"{script.strip()}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")

    def boot(self) -> None:
        """Start its systemd, and wait until it has nothing more to start. Raises NoMachine."""
        if not Path(_SYSTEMD).exists():
            raise NoMachine(f"there is no {_SYSTEMD}")
        self._cgroup.mkdir()
        unshare = "unshare --mount --pid --uts --ipc --net --cgroup --fork --kill-child"
        join = f'echo $$ > "{self._cgroup}/cgroup.procs"; exec {unshare} sh -c "$0" sh "$@"'
        command = ["sh", "-c", join, _BOOT, str(self.root), _PATH, _SYSTEMD]
        self._holder = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + _BOOTED_WITHIN
        state = ""
        while time.monotonic() < deadline and self._holder.poll() is None:
            self._pid = self._pid or _child_of(self._holder.pid)
            if self._pid:
                state = self.run("systemctl", "is-system-running", is_checked=False).stdout.strip()
                # "degraded": a unit of the real machine, which we have nothing to do with, failed.
                if state in ("running", "degraded"):
                    return
            time.sleep(_POLL)
        raise NoMachine(f"systemd did not come up as the first process of a namespace (it says {state or 'nothing'!r})")

    def run(self, *command: str, is_checked: bool = True, within: float = 300.0) -> subprocess.CompletedProcess[str]:
        """Run a command as root in it. Raises NoMachine where it fails, unless that isn't to be checked."""
        done = subprocess.run(
            [*self._enter(), *command],
            cwd="/",
            env=_ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )
        if is_checked and done.returncode:
            raise NoMachine(f"{' '.join(command)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done

    def start(self, command: Sequence[str], output: Path) -> "subprocess.Popen[bytes]":
        """Start a command as root in it, and return at once; what it writes goes to a file of the real machine."""
        entered = [*self._enter(), *command]
        with output.open("wb") as file:
            return subprocess.Popen(entered, cwd="/", env=_ENVIRONMENT, stdout=file, stdin=subprocess.DEVNULL)

    def _enter(self) -> list[str]:
        namespaces = ("mount", "uts", "ipc", "net", "pid", "cgroup")
        return ["nsenter", f"--target={self._pid}", *(f"--{each}" for each in namespaces), "--root", "--wd=/"]

    def stop(self) -> None:
        """End everything in it at once, as a cut of the power does; it can be booted again."""
        if self._holder is not None:
            self._holder.kill()
            self._holder.wait()
            self._holder, self._pid = None, 0
            self._leave_no_group()

    def close(self) -> None:
        """End it, and take its disk out."""
        self.stop()
        subprocess.run(["umount", "--recursive", "--lazy", str(self.root)], check=False)

    def net(self, *arguments: str) -> None:
        """Run `ip` in its network. Raises NoMachine."""
        command = ["nsenter", f"--target={self._pid}", "--net", "ip", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoMachine(f"{' '.join(command)}: {done.stderr.strip()}")

    @property
    def pid(self) -> int:
        """Its first process, as this machine sees it."""
        return self._pid

    def _leave_no_group(self) -> None:
        # Deepest first. Processes of the namespace may take a moment to be gone.
        deadline = time.monotonic() + 5
        while self._cgroup.exists() and time.monotonic() < deadline:
            for folder, _, _ in os.walk(self._cgroup, topdown=False):
                with suppress(OSError):
                    Path(folder).rmdir()
            time.sleep(_POLL)


def problem_here() -> str:
    """Return why this machine can't hold one; empty where it may."""
    if os.geteuid():
        return "it needs root: sudo make install-check"
    for name in ("unshare", "nsenter", "pivot_root", "ip", "systemctl"):
        if shutil.which(name, path=_PATH) is None:
            return f"there is no `{name}` here: it is for Debian and its kin"
    try:
        _cgroup_root()
    except NoMachine as missing:
        return str(missing)
    return ""


def _cgroup_root() -> Path:
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, folder, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(folder)
    raise NoMachine("no cgroup2 is mounted here, which systemd needs")


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoMachine(f"mount {' '.join(arguments)}: {done.stderr.strip()}")


def _child_of(pid: int) -> int:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    return int(children[0]) if children else 0
