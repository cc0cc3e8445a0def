"""Keeps processes running: one that dies is started again. If it dies soon after each start, the pauses grow.

Each child has a process group of its own: Ctrl-C reaches only the supervisor, which ends the children in its order. On
Linux a child also ends if the supervisor is killed, so that no process is left that holds ports and files.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from typing import IO, Final

_POLL: Final = 0.1
_SHORTEST_PAUSE: Final = 0.3
# A process must work again within 15 seconds of its death, and its start takes some of them.
_LONGEST_PAUSE: Final = 3.0
# A process that has run for so long is healthy: after its next death the pause is the shortest again.
_HEALTHY_AFTER: Final = 10.0
# A child runs this before its command; with `python -S -E` it takes some milliseconds. On Linux it asks for a signal
# when the supervisor dies (PR_SET_PDEATHSIG is 1). A listening socket is handed over as systemd does it.
_CHILD: Final = """\
import ctypes, os, sys
_, parent, listening, *command = sys.argv
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 15)
if os.getppid() != int(parent):
    sys.exit(1)
if listening != "-":
    os.dup2(int(listening), 3)
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execvp(command[0], command)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One process to keep running. Processes with a higher `rank` are ended first: others depend on lower ranks.

    The socket `listening` stays open between the process's death and its next start: a client that connects then waits.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    rank: int = 0
    listening: socket | None = None


@dataclass(slots=True)
class _Child:
    command: Command
    log: IO[bytes]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause: float = _SHORTEST_PAUSE
    start_at: float = 0.0
    deaths: list[int] = field(default_factory=list)


class Supervisor:
    """Runs commands until `stop`. `changed` is called after every start, with the processes' ids.

    If `changed` raises OSError, it is called again later.
    """

    def __init__(self, logs: Path, changed: Callable[[Mapping[str, int]], None]) -> None:
        self._logs = logs
        self._changed = changed
        self._children: dict[str, _Child] = {}
        self._is_report_due = False
        self._stopping = threading.Event()
        self._lock = threading.RLock()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self, command: Command) -> None:
        """Start a process, and keep it running from now on. Its output is appended to `logs/NAME.log`.

        Only the user of this process can read it: logs name bookings and doors.
        """
        self._logs.mkdir(parents=True, exist_ok=True)
        self._logs.chmod(0o700)
        child = _Child(command, _log(self._logs / f"{command.name}.log"))
        with self._lock:
            self._children[command.name] = child
            self._spawn(child)
            self._report()
        if not self._thread.is_alive():
            self._thread.start()

    def pids(self) -> dict[str, int]:
        """Return the ids of the running processes, by name."""
        with self._lock:
            return {name: child.process.pid for name, child in self._children.items() if child.process is not None}

    def failures(self) -> dict[str, int]:
        """Return the exit status of each process that has died and doesn't run again yet, by name."""
        with self._lock:
            return {name: child.deaths[-1] for name, child in self._children.items() if child.process is None}

    def stop(self, within: float = 9.0) -> None:
        """End everything, the highest rank first; a process that doesn't end in time is killed."""
        self._stopping.set()
        deadline = time.monotonic() + within
        with self._lock:
            ranks = sorted({child.command.rank for child in self._children.values()}, reverse=True)
            for position, rank in enumerate(ranks):
                remaining = len(ranks) - position - 1
                self._end_rank(rank, deadline - remaining * 1.0)
            for child in self._children.values():
                child.log.close()

    def _end_rank(self, rank: int, deadline: float) -> None:
        processes = [
            child.process
            for child in self._children.values()
            if child.command.rank == rank and child.process is not None
        ]
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _watch(self) -> None:
        while not self._stopping.wait(_POLL):
            with self._lock:
                for child in self._children.values():
                    self._restart_if_dead(child)
                self._report()

    def _restart_if_dead(self, child: _Child) -> None:
        if self._stopping.is_set():
            return
        now = time.monotonic()
        if child.process is not None:
            status = child.process.poll()
            if status is None:
                return
            lived = now - child.started_at
            child.process = None
            child.deaths.append(status)
            child.pause = _SHORTEST_PAUSE if lived > _HEALTHY_AFTER else min(_LONGEST_PAUSE, child.pause * 2)
            child.start_at = now + child.pause
        elif now >= child.start_at:
            try:
                self._spawn(child)
            except OSError:
                # The system has no process, memory or file left. The supervisor must survive that.
                child.start_at = now + _LONGEST_PAUSE

    def _spawn(self, child: _Child) -> None:
        child.process = subprocess.Popen(
            _wrapped(child.command),
            pass_fds=[child.command.listening.fileno()] if child.command.listening else [],
            env=dict(child.command.environment),
            stdin=subprocess.DEVNULL,
            stdout=child.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        child.started_at = time.monotonic()
        self._is_report_due = True

    def _report(self) -> None:
        """Call `changed` if a process was started since. If that fails (a full disk), try again in the next round."""
        if self._is_report_due:
            with suppress(OSError):
                self._changed(self.pids())
                self._is_report_due = False


def _log(path: Path) -> IO[bytes]:
    """Open a log for appending, readable by its user alone; also one that an older version made."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "ab")


def _wrapped(command: Command) -> list[str]:
    listening = str(command.listening.fileno()) if command.listening else "-"
    return [sys.executable, "-S", "-E", "-c", _CHILD, str(os.getpid()), listening, *command.arguments]


def end_on_signals(stopping: threading.Event) -> None:
    """Set `stopping` when a signal asks this process to end."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
