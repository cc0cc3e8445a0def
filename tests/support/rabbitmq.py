"""A RabbitMQ node for tests: its own ports, directory and name, on 127.0.0.1; never the system's service."""

import os
import secrets
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from socket import create_connection
from typing import Any

from kombu import Connection

from tests.support.ports import low_port
from tests.support.waiting import wait_until

# Debian's wrapper on PATH changes the user if it is run as root. This script doesn't.
_PLACES = (Path("/usr/lib/rabbitmq/bin/rabbitmq-server"),)
_CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{port}
loopback_users.guest = true
disk_free_limit.absolute = 1MB
log.console = true
log.file = false
"""


def find_server() -> str | None:
    """Return the start script; None where RabbitMQ isn't installed."""
    found = [str(path) for path in _PLACES if path.exists()] + list(filter(None, [shutil.which("rabbitmq-server")]))
    return found[0] if found and shutil.which("epmd") else None


class RabbitMQ:
    """One node, and the port mapper that Erlang needs. `kill` and then `start` keeps its queues."""

    def __init__(self, directory: Path) -> None:
        script = find_server()
        assert script is not None, "RabbitMQ is not installed"
        directory.mkdir(parents=True, exist_ok=True)
        self.port, dist_port, self._epmd_port = low_port(), low_port(), low_port()
        self._directory = directory
        self._command = [script]
        (directory / "rabbitmq.conf").write_text(_CONFIGURATION.format(port=self.port))
        (directory / "plugins").write_text("[].\n")
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "RABBITMQ_NODENAME": f"tests-{secrets.token_hex(4)}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(dist_port),
            "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(directory / "log"),
            "RABBITMQ_PID_FILE": str(directory / "pid"),
            "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }
        self._epmd: subprocess.Popen[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The node's address."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def start(self) -> None:
        """Start the node and wait until it takes connections."""
        if self._epmd is None:
            # Started by us, in the foreground: otherwise the node starts a port mapper that outlives it.
            command = ["epmd", "-port", str(self._epmd_port), "-address", "127.0.0.1"]
            self._epmd = subprocess.Popen(
                command, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            wait_until(lambda: _listens(self._epmd_port), what="epmd")
        with (self._directory / "out").open("ab") as output:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdout=output, stderr=output, start_new_session=True
            )
        try:
            wait_until(self._answers, within=60, what=f"RabbitMQ; see {self._directory / 'out'}")
        except BaseException:
            self.stop()
            raise

    def kill(self) -> None:
        """End the node without warning."""
        if self._process is not None:
            # The start script is the node, or its parent. Its process group holds nothing else.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
            self._process = None
            wait_until(lambda: not _listens(self.port), what="the node's end")

    def restart(self) -> None:
        """End the node without warning, and start it again."""
        self.kill()
        self.start()

    def stop(self) -> None:
        """End the node and what was started for it."""
        self.kill()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait(10)
            self._epmd = None

    def messages(self, queue: str) -> list[Any]:
        """Take every message out of a queue."""
        with Connection(self.url) as connection:
            channel: Any = connection.default_channel
            taken = []
            while (message := channel.basic_get(queue)) is not None:
                channel.basic_ack(message.delivery_tag)
                taken.append(message)
            return taken

    def count(self, queue: str) -> int:
        """Return how many messages of a queue are ready; 0 if there is no such queue."""
        with Connection(self.url) as connection:
            try:
                channel: Any = connection.default_channel
                return int(channel.queue_declare(queue, passive=True).message_count)
            except connection.channel_errors:
                return 0

    def forget(self, *queues: str) -> None:
        """Delete queues with all that is in them."""
        with Connection(self.url) as connection:
            channel: Any = connection.default_channel
            for queue in queues:
                channel.queue_delete(queue)

    def _answers(self) -> bool:
        if not _listens(self.port):
            time.sleep(0.1)
            return False
        try:
            with Connection(self.url, connect_timeout=2) as connection:
                connection.connect()
                return True
        except OSError:
            return False


def _listens(port: int) -> bool:
    try:
        create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
