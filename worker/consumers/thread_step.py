"""Parts of a worker that run in threads of their own, beside its pool, from its start to its end."""

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, ClassVar, Final

import structlog
from celery import Celery, bootsteps

Work = Callable[[threading.Event], None]
"""Runs until the event is set, and returns soon after."""

ENDS_WITHIN: Final = timedelta(seconds=2)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class ThreadStep(bootsteps.StartStopStep):
    """Starts threads with the worker, and ends them before its pool. `thread_step` makes one with its works.

    `close` comes first, when the worker is told to end: the threads begin nothing more while tasks are being finished.
    """

    requires = ("celery.worker.components:Pool",)
    works: ClassVar[Mapping[str, Work]] = {}
    ends_within: ClassVar[timedelta] = ENDS_WITHIN

    def __init__(self, parent: Any, **_: Any) -> None:
        super().__init__(parent)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, parent: Any) -> None:
        """Start a thread for each work."""
        del parent
        log.info("threads.started", names=list(self.works))
        for name, work in self.works.items():
            thread = threading.Thread(target=work, args=(self._stopping,), name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def close(self, parent: Any) -> None:
        """Let the threads begin nothing more."""
        del parent
        self._stopping.set()

    def stop(self, parent: Any) -> None:
        """End the threads."""
        self.close(parent)
        for thread in self._threads:
            thread.join(timeout=self.ends_within.total_seconds())

    terminate = stop


def add_threads(app: Celery, name: str, works: Mapping[str, Work], *, ends_within: timedelta = ENDS_WITHIN) -> None:
    """Let the app's worker run `works` in threads, by their names. A thread that doesn't end in time dies with it.

    Celery makes a worker's steps itself, from classes (Celery docs, "Extensions and Bootsteps"); so each gets one.
    """
    step = type(name, (ThreadStep,), {"name": name, "works": dict(works), "ends_within": ends_within})
    app.steps["worker"].add(step)
