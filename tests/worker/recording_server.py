"""A server on 127.0.0.1 that answers like a channel's real one, and records the requests."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """One answer; with `cut` the connection is closed instead, `after` seconds."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0.0
    cut: bool = False


@dataclass(frozen=True)
class Got:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def parsed(self) -> Any:
        """The body, as JSON."""
        return json.loads(self.body)


class Recorder:
    """The requests, and the next answers: first the `faults`, then answers like the real one's."""

    def __init__(self, honest: Callable[[Got], Reply]) -> None:
        self.got: list[Got] = []
        self.faults: list[Reply] = []
        self.honest = honest
        self.url = ""

    def answer(self, request: Got) -> Reply:
        """Record the request and return the answer."""
        self.got.append(request)
        return self.faults.pop(0) if self.faults else self.honest(request)


@contextmanager
def recording(honest: Callable[[Got], Reply]) -> Iterator[Recorder]:
    """Run a server while the block runs."""
    recorder = Recorder(honest)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): text for name, text in self.headers.items()}
            reply = recorder.answer(Got(self.path, headers, body))
            time.sleep(reply.after)
            self.close_connection = True
            if reply.cut:
                # A reset, not a regular close.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                return
            self.send_response(reply.status)
            for name, text in ({"content-length": str(len(reply.body)), "connection": "close"} | reply.headers).items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: Any) -> None:
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            return

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    recorder.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield recorder
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
