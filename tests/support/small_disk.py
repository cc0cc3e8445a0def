"""A small disk that can really be full: a tmpfs in its own mount namespace, which ends with its holding process."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.support.machine import PROJECT, Machine

# Mounts the disk, says so, and holds the namespace until its stdin is closed, also if its parent was killed.
_HOLD = 'mount -t tmpfs -o "size=$1m,mode=0700" tmpfs "$0" && echo mounted && exec cat'
_BLOCK = 64 * 1024
_SMALLEST_BLOCK = 1024


class NoSmallDisk(RuntimeError):
    """No disk can be mounted on this machine. The text says why."""


class SmallDisk:
    """A disk of some megabytes, mounted for as long as this is open; `path` leads to it from outside."""

    def __init__(self, directory: Path, megabytes: int) -> None:
        """Mount the disk. Raises NoSmallDisk."""
        if sys.platform != "linux" or shutil.which("unshare") is None:
            raise NoSmallDisk("namespaces are Linux's, and `unshare` (util-linux) makes them")
        directory.mkdir(parents=True, exist_ok=True)
        # Another user than root may be root in a user namespace, if the system allows that.
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
        """Fill the disk to the last byte, until `make_room`. If others free space meanwhile, call it again."""
        with suppress(OSError), self._ballast.open("ab", buffering=0) as file:
            for size in (_BLOCK, _SMALLEST_BLOCK):
                with suppress(OSError):
                    while file.write(bytes(size)) == size:
                        pass

    def make_room(self) -> None:
        """Free the space that `fill` used."""
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        """Unmount the disk; everything on it is lost."""
        self._holder.communicate()
