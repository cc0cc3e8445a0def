"""Process `web` as it really runs, spoken to over bare sockets: what no HTTP library would send."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
from redis import Redis

from deploy.local.ports import free_port
from tests.receiver.web import SECRET, TOKEN, event_of, signed
from tests.support.waiting import wait_until

PROJECT = Path(__file__).resolve().parents[2]
_ANSWER_WITHIN = 10.0


class WebProcess:
    """One `python -m receiver` on a free port; what it writes goes into a file."""

    def __init__(self, redis_url: str, log: Path, *, port: int | None = None, **settings: str) -> None:
        """Start it and wait until it answers."""
        self.port = port or free_port()
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "receiver"],
                env=environment_of(redis_url, PORT=str(self.port), **settings),
                cwd=PROJECT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        wait_until(lambda: self._answers() or not self.is_alive(), what="web")

    def stop(self) -> None:
        """Ask it to end, and wait for that."""
        self._process.terminate()
        self._process.wait(10)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def listens(self) -> bool:
        """Whether it takes new connections."""
        with closing(socket.socket()) as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def log(self) -> str:
        """Return what it has written."""
        return self._log.read_text(errors="replace")

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def memory(self) -> int:
        """Return its resident memory in bytes."""
        return int(psutil.Process(self._process.pid).memory_info().rss)

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=_ANSWER_WITHIN)

    def raw(self, *pieces: bytes, quiet: float = 0.5) -> bytes:
        """Send bytes as they are; return all that is answered until the server closes, or is silent for `quiet` s."""
        with self.connect() as connection:
            try:
                for piece in pieces:
                    connection.sendall(piece)
            except OSError:
                pass  # refused while we were still sending: the answer may be there all the same
            return read_all(connection, quiet=quiet)

    def served(self, *requests: bytes) -> bytes:
        """Send requests, the last of which ends the connection, and return all answers, however long they take."""
        return self.raw(*requests, quiet=_ANSWER_WITHIN)

    def _answers(self) -> bool:
        try:
            return self.raw(request("GET", "/healthz", close=True)).startswith(b"HTTP/1.1 200")
        except OSError:
            return False


@contextmanager
def web_process(redis_url: str, log: Path, *, port: int | None = None, **settings: str) -> Iterator[WebProcess]:
    """Run one, and end it."""
    process = WebProcess(redis_url, log, port=port, **settings)
    try:
        yield process
    finally:
        process.stop()


def environment_of(redis_url: str, **settings: str) -> dict[str, str]:
    """Return the environment of a process `web`, whatever that of the tests holds."""
    kept = ("PATH", "PYTHON", "COVERAGE")
    inherited = {name: value for name, value in os.environ.items() if name.startswith(kept)}
    ours = {"REDIS_URL": redis_url, "SEAM_WEBHOOK_SECRET": SECRET, "BOOKING_TOKENS": TOKEN}
    return {**inherited, **ours, **settings}


def request(method: str, path: str, body: bytes = b"", *headers: tuple[bytes, bytes], close: bool = False) -> bytes:
    """Return an honest request as bytes."""
    lines = [f"{method} {path} HTTP/1.1".encode(), b"host: web", b"content-length: %d" % len(body)]
    lines += [name + b": " + value for name, value in headers]
    if close:
        lines.append(b"connection: close")
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def webhook(*headers: tuple[bytes, bytes], close: bool = False, **fields: str) -> bytes:
    """Return a webhook as Seam sends it: an event with these fields, signed."""
    body = json.dumps(event_of(**fields)).encode()
    return request("POST", "/webhooks/seam", body, *signed(body), *headers, close=close)


def read_all(connection: socket.socket, *, quiet: float = _ANSWER_WITHIN) -> bytes:
    """Return what comes until the other side closes, or sends nothing for `quiet` seconds."""
    connection.settimeout(quiet)
    got = b""
    try:
        while piece := connection.recv(65536):
            got += piece
    except (TimeoutError, ConnectionError):
        pass
    return got


def statuses(answer: bytes) -> list[int]:
    """Return the status of each answer in what was read."""
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


def is_being_written(redis_client: Redis) -> bool:
    """Say whether a script waits for the data server to take writes."""
    clients: list[dict[str, str]] = redis_client.client_list()
    return any("b" in client["flags"] and client["cmd"] in ("eval", "evalsha") for client in clients)
