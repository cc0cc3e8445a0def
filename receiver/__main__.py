"""`python -m receiver`: the process `web`."""

import uvicorn

from receiver.app import REQUIRED, create_app
from shared.settings import load_or_exit
from shared.telemetry import configure_logging


def main() -> None:
    """Check the settings (exit 2 with every problem), then serve until SIGTERM or Ctrl-C."""
    settings = load_or_exit(REQUIRED)
    configure_logging("web", settings.log_level)
    uvicorn.run(
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


if __name__ == "__main__":
    main()
