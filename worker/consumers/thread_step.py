"""Parts of a worker that run in threads of their own, beside its pool: what they have in common with each other."""

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, ClassVar

from celery import Celery, bootsteps

Work = Callable[[threading.Event], None]


class ThreadStep(bootsteps.StartStopStep):
    """Starts threads with the worker, and ends them before its pool.

    `close` comes first, when the worker is told to end: the threads begin nothing more while tasks are being finished.
    """

    requires = ("celery.worker.components:Pool",)
    ends_within: ClassVar[timedelta] = timedelta(seconds=2)
    """How long a thread is waited for; one that takes longer dies with the process."""

    def __init__(self, parent: Any, **_: Any) -> None:
        super().__init__(parent)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def works(self, app: Celery) -> Mapping[str, Work]:
        """Return what is to run, by name; each returns soon after the event that it is given was set."""
        raise NotImplementedError

    def start(self, parent: Any) -> None:
        """Start a thread for each work."""
        for name, work in self.works(parent.app).items():
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
