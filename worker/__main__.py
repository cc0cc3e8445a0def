"""`python -m worker worker` and `python -m worker beat`: the processes of those names."""

import os
import sys

from celery.signals import beat_init, worker_ready

from shared.durability import refuse_unsafe_store
from shared.garbage_collection import freeze_loaded_objects
from shared.liveness.fleet import BEAT, WORKER
from shared.liveness.sign_of_life import SignOfLife, this_process
from shared.metrics_server import serve_metrics
from shared.redis_client import connect
from shared.settings import InvalidSettings, exit_with, load_or_exit
from shared.tracing import start_tracing
from worker.app import REQUIRED, create_celery, create_worker, log_as
from worker.graceful_stop import bound_the_stop
from worker.liveness.progress_check import watch_beat
from worker.task_metrics import count_sweeps, measure_tasks
from worker.task_traces import trace_tasks


def main(arguments: list[str]) -> None:
    """Check the settings (exit 2 with every problem), then run the process until SIGTERM or Ctrl-C."""
    match arguments:
        case ["worker"]:
            run_worker()
        case ["beat"]:
            run_beat()
        case _:
            raise SystemExit("usage: python -m worker worker|beat")


def run_worker() -> None:
    """Run tasks in threads: creates wait for Seam, and waiting is cheap there."""
    settings = load_or_exit(REQUIRED)
    log_as("worker", settings)
    try:
        app = create_worker(settings)
    except InvalidSettings as invalid:
        exit_with(invalid)
    refuse_unsafe_store(settings)
    bound_the_stop()
    us = this_process(WORKER)
    signs = SignOfLife(connect(settings.redis_address), us)
    measure_tasks()
    trace_tasks()

    @worker_ready.connect(weak=False)
    def _(**_: object) -> None:
        # Celery has set up logging by now.
        serve_metrics(WORKER, settings, version=us.version)
        start_tracing(WORKER, version=us.version)
        freeze_loaded_objects()
        signs.start()

    app.worker_main(
        [
            "worker",
            "--pool=threads",
            f"--concurrency={settings.worker_concurrency}",
            "--without-gossip",
            "--without-mingle",
            # Commands reach one of several on a machine; and RabbitMQ keeps the queue of commands for one connection
            # alone: the second worker of one name, as in a rolling restart, would never start.
            f"--hostname=oracode-{os.getpid()}@%h",
        ]
    )


def run_beat() -> None:
    """Send the sweeps. Its schedule is kept in memory: what must survive lies in the due-set, not here."""
    settings = load_or_exit(("REDIS_URL",))
    log_as("beat", settings)
    refuse_unsafe_store(settings)
    app = create_celery(settings)
    watch_beat(app)
    us = this_process(BEAT)
    signs = SignOfLife(connect(settings.redis_address), us)
    count_sweeps()

    @beat_init.connect(weak=False)
    def _(**_: object) -> None:
        serve_metrics(BEAT, settings, version=us.version)
        signs.start()

    app.start(["beat", "--scheduler=celery.beat:Scheduler", "--pidfile="])


if __name__ == "__main__":
    main(sys.argv[1:])
