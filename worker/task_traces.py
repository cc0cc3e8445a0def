"""Carries an open span into a task, and opens one around each task that was sent below a span.

A task that comes by the clock opens none here: what it does for a booking begins a trace of its own, with a link.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from celery.signals import task_postrun, task_prerun

from shared import tracing

HEADER = "traceparent"


class TaskTraces:
    """Begins with a task and ends with it, in the thread that runs it."""

    def __init__(self) -> None:
        self._open: dict[str, AbstractContextManager[None]] = {}

    def begin(self, task_id: str = "", task: Any = None, **_: Any) -> None:
        """Let what the task does be below the span that its message carries."""
        traceparent = _carried_by(task.request)
        if traceparent:
            carried = tracing.carried({HEADER: traceparent})
            carried.__enter__()
            self._open[task_id] = carried

    def end(self, task_id: str = "", **_: Any) -> None:
        """End that."""
        carried = self._open.pop(task_id, None)
        if carried is not None:
            carried.__exit__(None, None, None)


def trace_tasks() -> None:
    """Carry spans into the tasks of this process."""
    each = TaskTraces()
    task_prerun.connect(each.begin, weak=False)
    task_postrun.connect(each.end, weak=False)


def _carried_by(request: Any) -> str:
    """Return the header of a task's message; Celery puts those that it doesn't know into `headers`, and beside it."""
    headers = getattr(request, "headers", None)
    found = headers.get(HEADER) if isinstance(headers, Mapping) else None
    return str(found or getattr(request, HEADER, None) or "")
