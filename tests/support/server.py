"""A real data server for tests, with a fresh directory, on a free port."""

import os
import secrets
import signal
import subprocess
from pathlib import Path

import redis

from deploy.local import data_server
from deploy.local.ports import free_port
from tests.support.waiting import wait_until


class DataServer:
    """One server process. `kill` and then `start` keeps its data."""

    def __init__(self, directory: Path, *, password: str = "", more: str = "") -> None:
        """Prepare a server. `more` holds further lines of its configuration."""
        self.port = free_port()
        self.directory = directory
        self._password = password or secrets.token_urlsafe(16)
        self._command = data_server.configure(directory, port=self.port, password=self._password)
        if more:
            with (directory / "server.conf").open("a") as configuration:
                configuration.write(more)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's address."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """The running server's process id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._answers, what="the data server")

    def send(self, number: signal.Signals) -> None:
        """Send the running server a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End the server without warning."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End the server."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(10)
            self._process = None

    def _answers(self) -> bool:
        with redis.Redis.from_url(self.url, socket_timeout=1) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False
