"""A small disk that can really be full: a tmpfs in a mount namespace of its own, gone with who holds it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.support.machine import PROJECT, Machine

# Mounts, says so, and holds the namespace until its stdin is closed: also when whoever started it is killed.
_HOLD = 'mount -t tmpfs -o "size=$1m,mode=0700" tmpfs "$0" && echo mounted && exec cat'
_BLOCK = 64 * 1024
_SMALLEST_BLOCK = 1024


class NoSmallDisk(RuntimeError):
    """No disk of our own can be mounted here; the text says why."""


class SmallDisk:
    """A disk of some megabytes, mounted for as long as this is open; `path` leads to it from outside."""

    def __init__(self, directory: Path, megabytes: int) -> None:
        """Mount it. Raises NoSmallDisk."""
        if sys.platform != "linux" or shutil.which("unshare") is None:
            raise NoSmallDisk("namespaces are Linux's, and `unshare` (util-linux) makes them")
        directory.mkdir(parents=True, exist_ok=True)
        # Whoever isn't root may be it in a user namespace, where the system allows that.
        user = () if os.geteuid() == 0 else ("--map-root-user",)
        command = ["unshare", "--mount", *user, "sh", "-c", _HOLD, str(directory), str(megabytes)]
        self._holder = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != b"mounted\n":
            _, why = self._holder.communicate()
            raise NoSmallDisk(why.decode(errors="replace").strip() or "a tmpfs can't be mounted")
        self._directory = directory.resolve()
        self.path = self._seen(self._directory)
        self._ballast = self.path / "ballast"

    def machine(self, name: str, settings: Mapping[str, str]) -> Machine:
        """Return a machine with its directory on this disk, except for the sandbox's: Seam's disk isn't ours."""
        seen_at = self._seen(self._directory / name)
        seen_at.mkdir(mode=0o700)
        (seen_at / "sandbox.sqlite").symlink_to(self._directory.parent / f"{name}-sandbox.sqlite")
        holder = str(self._holder.pid)
        user = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
        enter = ("nsenter", "--target", holder, "--mount", *user, f"--wd={PROJECT}")
        return Machine(self._directory / name, settings, enter=enter, seen_at=seen_at)

    def _seen(self, path: Path) -> Path:
        return Path(f"/proc/{self._holder.pid}/root") / path.relative_to("/")

    def fill(self) -> None:
        """Leave no byte free, until `make_room`: what others free meanwhile is taken by the next call."""
        with suppress(OSError), self._ballast.open("ab", buffering=0) as file:
            for size in (_BLOCK, _SMALLEST_BLOCK):
                with suppress(OSError):
                    while file.write(bytes(size)) == size:
                        pass

    def make_room(self) -> None:
        """Give back what `fill` took."""
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        """Unmount it with everything on it."""
        self._holder.communicate()
