"""`python -m receiver`: the process `web`."""

import socket
import sys
from contextlib import suppress
from typing import Final

import uvicorn

from receiver.app import REQUIRED, create_app
from shared.settings import load_or_exit
from shared.telemetry import configure_logging

# As uvicorn's own runner exits: its log has said why.
_COULD_NOT_START: Final = 3


def main() -> None:
    """Check the settings (exit 2 with every problem), then serve until SIGTERM or Ctrl-C."""
    settings = load_or_exit(REQUIRED)
    configure_logging("web", settings.log_level)
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=64 * 1024,
    )
    server = uvicorn.Server(config)
    # Ctrl-C is raised again once everything has ended well: no news to anybody.
    with suppress(KeyboardInterrupt):
        server.run(sockets=[shared_socket(settings.host, settings.port)] if settings.share_port else None)
    if not server.started:
        sys.exit(_COULD_NOT_START)


def shared_socket(host: str, port: int) -> socket.socket:
    """Bind an address that other processes of this user may bind too; each gets its share of new connections.

    Raises OSError where the system doesn't know such sharing, or somebody listens there who doesn't share.
    """
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind((host, port))
    return listening


if __name__ == "__main__":
    main()
