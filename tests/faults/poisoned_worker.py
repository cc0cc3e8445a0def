"""Process `worker` with a task that ends the process for certain messages, like a bug in a library."""

import os
from typing import Any

from shared.contracts import APPLY_BOOKING
from shared.redis_client import connect
from shared.settings import load_settings
from worker.app import REQUIRED, create_worker, log_as

POISON = "POISON"


def main() -> None:
    """Run a worker that dies of the message POISON."""
    settings = load_settings(REQUIRED)
    log_as("worker", settings)
    app = create_worker(settings)
    apply = app.tasks[APPLY_BOOKING].run
    redis = connect(settings.redis_address)
    app.tasks.unregister(APPLY_BOOKING)

    @app.task(name=APPLY_BOOKING)
    def apply_or_die(entry_id: str) -> None:
        found: Any = redis.xrange(settings.booking_stream, entry_id, entry_id)
        if found and POISON in found[0][1]["message"]:
            os._exit(1)
        apply(entry_id)

    app.worker_main(["worker", "--pool=threads", "--concurrency=16", "--without-gossip", "--without-mingle"])


if __name__ == "__main__":
    main()
