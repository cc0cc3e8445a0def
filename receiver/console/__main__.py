"""`python -m receiver.console`: the process `console`."""

from typing import Final

import uvicorn

from receiver.console.app import REQUIRED, create_app
from receiver.server import Server, inherited_sockets
from shared.durability import refuse_unsafe_store
from shared.liveness.fleet import CONSOLE
from shared.liveness.sign_of_life import SignOfLife, this_process
from shared.logging_setup import configure_logging
from shared.metrics_server import serve_metrics
from shared.redis_client import connect
from shared.settings import Settings, load_or_exit

# Exit status of a process that could not listen; 2 is for unusable settings.
_NOT_STARTED: Final = 3


def main() -> None:
    """Check the settings (exit 2 with every problem), then serve until SIGTERM or Ctrl-C."""
    settings = load_or_exit(REQUIRED)
    configure_logging("console", settings.log_level, settings.secrets)
    refuse_unsafe_store(settings)
    us = this_process(CONSOLE)
    serve_metrics(CONSOLE, settings, version=us.version)
    signs = SignOfLife(connect(settings.redis_address), us)
    server = Server(server_config(settings), when_serving=signs.start)
    server.run(inherited_sockets())
    if not server.started:
        raise SystemExit(_NOT_STARTED)


def server_config(settings: Settings) -> uvicorn.Config:
    """Return how uvicorn serves `console`."""
    return uvicorn.Config(
        create_app(settings),
        host=settings.console_host,
        port=settings.console_port,
        interface="asgi3",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
