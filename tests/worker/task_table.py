"""The tasks of one worker as plain functions by name, without Celery."""

from collections.abc import Callable
from typing import Any, cast

from celery import Celery

from tests.worker.machine import Machine
from worker.tasks import register_tasks

Task = Callable[..., Any]


class TaskTable:
    """Stands in for Celery's app: a task that is sent is run at once."""

    def __init__(self, machine: Machine) -> None:
        self.tasks: dict[str, Task] = {}
        register_tasks(cast(Celery, self), machine.handlers, machine.clock)

    def task(self, *, name: str) -> Callable[[Task], Task]:
        """Register a task."""

        def register(run: Task) -> Task:
            self.tasks[name] = run
            return run

        return register

    def send_task(self, name: str, args: Any = (), kwargs: Any = None) -> None:
        """Run a task."""
        self.tasks[name](*args, **(kwargs or {}))

    def do(self, name: str, *arguments: Any, **more: Any) -> None:
        """Run a task."""
        self.tasks[name](*arguments, **more)
