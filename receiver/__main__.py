"""`python -m receiver`: the process `web`."""

import socket
from functools import partial
from typing import Final

import structlog
import uvicorn

from receiver.app import REQUIRED, create_app
from receiver.connection_limits import ConnectionLimits, most_connections
from receiver.crowd import Crowd
from receiver.express import ExpressProtocol
from receiver.serving import Server, handed_sockets
from shared.settings import Settings, load_or_exit
from shared.telemetry import configure_logging

# Neither unusable settings (2) nor a signal: such as a port that is taken.
_NOT_STARTED: Final = 3
# Clients that may have connected before we have noticed, as far as the system allows (net.core.somaxconn): the next is
# dropped without a word, and tries again after one second, then two.
_BACKLOG: Final = 65_535

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def main() -> None:
    """Check the settings (exit 2 with every problem), then serve until SIGTERM or Ctrl-C."""
    settings = load_or_exit(REQUIRED)
    configure_logging("web", settings.log_level, settings.secrets)
    limits = connection_limits(settings)
    server = Server(server_config(settings, limits), limits)
    server.run(handed_sockets() or ([shared_socket(settings.host, settings.port)] if settings.share_port else None))
    if not server.started:
        raise SystemExit(_NOT_STARTED)


def connection_limits(settings: Settings) -> ConnectionLimits:
    """Return what connections may cost, as far as the system lets this process open files."""
    connections = most_connections(settings.connection_limit)
    if connections < settings.connection_limit:
        log.warning("connections.limited", connections=connections, wanted=settings.connection_limit)
    return ConnectionLimits(
        request_within=settings.request_timeout.total_seconds(),
        connections=connections,
        header_bytes=settings.header_limit,
    )


def server_config(settings: Settings, limits: ConnectionLimits) -> uvicorn.Config:
    """Return how uvicorn serves `web`."""
    app = create_app(settings)
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        # `receiver.rejections` does what this would, for those alone whose address anybody asks for.
        proxy_headers=False,
        date_header=False,
        timeout_graceful_shutdown=5,
        ws="none",
        backlog=_BACKLOG,
        # A factory is as good as the class for uvicorn, whose annotation knows only the class.
        http=partial(ExpressProtocol, limits=limits, crowd=Crowd(), express=app.express),  # type: ignore[arg-type]
    )


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
