"""Ports for servers that thousands of clients connect to."""

import secrets
import socket
from contextlib import closing, suppress
from typing import Final

_PORTS: Final = range(20_000, 32_000)


def low_port() -> int:
    """Return a port that nobody listens on, below those that the system gives to clients.

    So no client takes it before the server listens.
    """
    while True:
        port = secrets.choice(_PORTS)
        with closing(socket.socket()) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
