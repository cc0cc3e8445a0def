"""Measured processes: started on a core of their own, watched from outside, ended by their id."""

import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Self

import psutil

PROJECT: Final = Path(__file__).resolve().parents[1]
SCRATCH: Final = PROJECT / ".bench"
"""On the project's disk: in a file system in memory, fsync would cost nothing."""
_SAMPLED_EVERY: Final = 0.25  # seconds
_OURS: Final = ("SEAM_", "REDIS_", "CELERY_", "BOOKING_", "ALERT", "DOORS_", "ORACODE_", "SANDBOX_")

_cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
SERVER_CORE: Final = _cores[0]
OTHER_CORE: Final = _cores[-1]


class NotUp(RuntimeError):
    """A process ended, or didn't answer in time; the text has the last lines of its output."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process and its children use: CPU seconds since their start, resident bytes now."""

    cpu_seconds: float
    rss_bytes: int


class Started:
    """A running process. Use it as a context, or call `end`."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str] | None = None,
        *,
        core: int | None = None,
    ) -> None:
        self.name = name
        kept = {each: value for each, value in os.environ.items() if not each.startswith(_OURS)}
        self._output: IO[str] = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            list(arguments),
            env={**kept, "PYTHONPATH": str(PROJECT), "NO_PROXY": "127.0.0.1", **(environment or {})},
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self._watched = psutil.Process(self.pid)
        if core is not None:
            pin(self.pid, core)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def until(self, answers: Callable[[], object], within: float = 30.0) -> Self:
        """Wait until it answers. If it doesn't in time, end it and raise NotUp."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(Exception):
                if answers():
                    return self
            time.sleep(0.02)
        output = self.output()
        self.end()
        raise NotUp(f"{self.name} doesn't answer:\n" + "\n".join(output.splitlines()[-15:]))

    def output(self) -> str:
        """Return what it printed so far."""
        with suppress(ValueError):
            self._output.flush()
            self._output.seek(0)
            return self._output.read()
        return ""

    def usage(self) -> Usage:
        """Return what it and its children use."""
        tree = [self._watched, *self._watched.children(recursive=True)]
        times = [each.cpu_times() for each in tree]
        return Usage(
            sum(each.user + each.system for each in times),
            sum(each.memory_info().rss for each in tree),
        )

    def end(self) -> None:
        """End it and its children: ask first, then kill."""
        children: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            children = self._watched.children(recursive=True)
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(12)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        self._output.close()


def pin(pid: int, *cores: int) -> None:
    """Keep a process on these cores, if the system supports it and has more than one."""
    if hasattr(os, "sched_setaffinity") and len(_cores) > 1:
        os.sched_setaffinity(pid, cores)


def listens(port: int) -> bool:
    """Say whether a process accepts connections on this port."""
    with closing(socket.socket()) as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def scratch() -> Iterator[Path]:
    """Lend a fresh folder on the project's disk."""
    SCRATCH.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        yield Path(folder)


class Sampled:
    """Resident bytes of a process, sampled while a block runs."""

    def __init__(self, process: Started) -> None:
        self._process = process
        self._over = threading.Event()
        self.rss: list[int] = []
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._over.wait(_SAMPLED_EVERY):
            with suppress(psutil.NoSuchProcess):
                self.rss.append(self._process.usage().rss_bytes)
