"""Counts and times every task of a worker, by Celery's signals: no handler has to."""

import threading
import time
from typing import Any

from celery import states
from celery.signals import after_task_publish, task_postrun, task_prerun

from shared import metrics
from shared.contracts import SELF_PING, SWEEP_DUE


class TaskMetrics:
    """Remembers when each task that runs now began. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began: dict[str, float] = {}

    def begin(self, task_id: str = "", sender: Any = None, **_: Any) -> None:
        """Note that a task begins; a worker's calls to itself are no work."""
        if sender.name != SELF_PING:
            with self._lock:
                self._began[task_id] = time.monotonic()

    def end(self, task_id: str = "", sender: Any = None, state: str | None = None, **_: Any) -> None:
        """Note that a task is over."""
        with self._lock:
            began = self._began.pop(task_id, None)
        if began is not None:
            metrics.TASKS.add(sender.name, "done" if state == states.SUCCESS else "failed")
            metrics.TASK_SECONDS.observe(time.monotonic() - began, sender.name)


def measure_tasks() -> None:
    """Count and time every task of this process."""
    each = TaskMetrics()
    task_prerun.connect(each.begin, weak=False)
    task_postrun.connect(each.end, weak=False)


def count_sweeps() -> None:
    """Count the sweeps that this process sends."""

    @after_task_publish.connect(sender=SWEEP_DUE, weak=False)
    def _(**_: Any) -> None:
        metrics.SWEEPS.add()
