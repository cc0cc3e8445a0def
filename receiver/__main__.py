"""`python -m receiver`: the process `web`."""

import math
import os
from functools import partial
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from typing import Final

import uvicorn

from receiver.app import REQUIRED, create_app
from receiver.auth_failure_counts import AuthFailureCounts
from receiver.booking_routes import required_settings
from receiver.request_timeout import RequestTimeoutProtocol
from receiver.sender_clock import SenderClock
from receiver.server import Server, inherited_sockets, shared_socket
from shared.durability import refuse_unsafe_store
from shared.ledger.auth_failures import AuthFailureLedger
from shared.ledger.clocks import ClockReadings
from shared.liveness.fleet import WEB
from shared.liveness.sign_of_life import SignOfLife, this_process
from shared.logging_setup import configure_logging
from shared.metrics_server import serve_metrics
from shared.redis_client import connect
from shared.settings import Settings, load_or_exit
from shared.tracing import start_tracing

# Exit status of a process that could not listen; 2 is for unusable settings.
_NOT_STARTED: Final = 3
# How many connections may wait to be accepted. The system's own limit is lower (net.core.somaxconn).
_BACKLOG: Final = 65_535


def main() -> None:
    """Check the settings (exit 2 with every problem), then serve until SIGTERM or Ctrl-C."""
    settings = load_or_exit((*REQUIRED, *required_settings(os.environ)))
    configure_logging("web", settings.log_level, settings.secrets)
    refuse_unsafe_store(settings)
    allow_many_connections()
    counts = AuthFailureCounts()
    redis = connect(settings.redis_address)
    failures = AuthFailureLedger(redis)
    us = this_process(WEB)
    serve_metrics(WEB, settings, version=us.version)
    start_tracing(WEB, version=us.version)
    sender_clock = SenderClock()
    readings = ClockReadings(redis)
    also = [lambda: counts.flush(failures.add), lambda: sender_clock.flush(readings.note_sender)]
    signs = SignOfLife(redis, us, also=also)
    server = Server(server_config(settings, counts, sender_clock), when_serving=signs.start)
    server.run(inherited_sockets() or ([shared_socket(settings.host, settings.port)] if settings.share_port else None))
    if not server.started:
        raise SystemExit(_NOT_STARTED)


def allow_many_connections() -> None:
    """Let this process open as many files as the system lets it: a connection is one, and the default is 1,024."""
    _, hard = getrlimit(RLIMIT_NOFILE)
    setrlimit(RLIMIT_NOFILE, (hard, hard))


def server_config(
    settings: Settings, counts: AuthFailureCounts | None = None, sender_clock: SenderClock | None = None
) -> uvicorn.Config:
    """Return how uvicorn serves `web`. Failed tries are counted in `counts`; `sender_clock` sees signed times."""
    request_timeout = settings.request_timeout.total_seconds()
    return uvicorn.Config(
        create_app(settings, counts=counts, sender_clock=sender_clock),
        host=settings.host,
        port=settings.port,
        interface="asgi3",
        # uvicorn takes a factory as well as the class; its annotation has only the class.
        http=partial(RequestTimeoutProtocol, request_timeout=request_timeout),  # type: ignore[arg-type]
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        # `receiver.auth_failures` looks for the client's address, and only where it is needed.
        proxy_headers=False,
        backlog=_BACKLOG,
        # Longer than a proxy keeps an idle connection, which must be the first to close it (docs/security.md).
        timeout_keep_alive=math.ceil(request_timeout),
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
