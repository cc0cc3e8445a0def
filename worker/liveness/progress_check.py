"""Whether this worker, or beat, still does its work: what the watchdog looks at."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar, Final

from celery import Celery, bootsteps
from celery.signals import after_task_publish, beat_init, task_postrun, task_prerun

from shared.contracts import QUEUE, SELF_PING
from shared.liveness.watchdog import Sign, StallLimits, Watchdog
from worker.broker import WatchersConnection
from worker.liveness.self_ping import PingOurselves

# Beat sends a sweep a second, so that a worker with nothing else to do has one to take. Three times what a reconnect
# takes at most (2 s, measured). A stalled process is to be replaced within 15 seconds, and starting the next one takes
# 5 s of them on a busy machine.
STALLED_AFTER: Final = timedelta(seconds=6)
# How many calls one task may make at Seam one after the other; all of them may run into their time-outs.
MOST_CALLS_A_TASK: Final = 8


class Progress:
    """Counts tasks that begin and end. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events = 0
        self._seen = 0
        self._running = 0

    def begin(self, **_: Any) -> None:
        """Note that a task was begun."""
        with self._lock:
            self._events += 1
            self._running += 1

    def end(self, **_: Any) -> None:
        """Note that a task is over, however it went."""
        with self._lock:
            self._events += 1
            self._running -= 1

    def tick(self, **_: Any) -> None:
        """Note that something was done."""
        with self._lock:
            self._events += 1

    def look(self) -> tuple[bool, int]:
        """Return whether anything was noted since the last look, and how many tasks run now."""
        with self._lock:
            moved, self._seen = self._events != self._seen, self._events
            return moved, self._running


class QueueLength:
    """How many messages wait in our queue, asked over a connection of its own."""

    def __init__(self, app: Celery) -> None:
        self._connection = WatchersConnection(app)

    def __call__(self) -> int | None:
        """Return the number; None where the broker can't be asked now."""
        try:
            with self._connection.get().channel() as channel:
                return int(channel.queue_declare(QUEUE, passive=True).message_count)
        except Exception as error:  # noqa: BLE001 - every library below has errors of its own; all mean the same
            # Kombu's Redis transport has a queue only while it holds something.
            if isinstance(error, self._connection.channel_errors()) and "NOT_FOUND" in str(error):
                return 0
            self._connection.drop()
            return None


def worker_sign(
    progress: Progress, queue: Callable[[], int | None], concurrency: int, listens: Callable[[], bool] = lambda: True
) -> Sign:
    """Look at a worker. It has stalled if it takes nothing out of a queue that isn't empty, or doesn't try to connect.

    Others may empty the queue: what this shows with one worker alone, `self_ping_sign` shows with several.
    """
    waiting = queue()
    moved, running = progress.look()
    has_work = waiting is not None and (waiting > 0 or not listens())
    return Sign(moved=moved, has_work=has_work, has_room=running < concurrency)


def self_ping_sign(progress: Progress, call: Callable[[], bool], concurrency: int) -> Sign:
    """Look at a worker. It has stalled if it takes neither its own calls nor anything else, with a free thread."""
    has_called = call()
    moved, running = progress.look()
    return Sign(moved=moved, has_work=has_called, has_room=running < concurrency)


def beat_sign(progress: Progress, queue: QueueLength) -> Sign:
    """Look at beat: it has something to send every second, as long as there is a broker to send it to."""
    is_reachable = queue() is not None
    moved, _ = progress.look()
    return Sign(moved=moved, has_work=is_reachable)


class WatchdogStep(bootsteps.StartStopStep):
    """Watches the worker while it works. `add_watchdog` makes one with its limits."""

    requires = ("celery.worker.components:Pool",)
    busy: ClassVar[timedelta]
    """How long a worker whose threads are all busy may make no progress."""

    def __init__(self, parent: Any, **_: Any) -> None:
        super().__init__(parent)
        self._watchdogs: tuple[Watchdog, ...] = ()

    def start(self, parent: Any) -> None:
        """Begin to watch."""
        app: Celery = parent.app
        work, all_tasks, concurrency = Progress(), Progress(), int(parent.concurrency)
        queue, call = QueueLength(app), PingOurselves(app)

        def begun(sender: Any = None, **_: Any) -> None:
            all_tasks.begin()
            if sender.name != SELF_PING:
                work.begin()

        def ended(sender: Any = None, **_: Any) -> None:
            all_tasks.end()
            if sender.name != SELF_PING:
                work.end()

        def listens() -> bool:
            # Neither is there before the first connection, nor while the next one is made.
            consumer = getattr(getattr(parent, "consumer", None), "task_consumer", None)
            return consumer is not None and bool(consumer.consuming_from(QUEUE))

        task_prerun.connect(begun, weak=False)
        task_postrun.connect(ended, weak=False)
        limits = StallLimits(idle=STALLED_AFTER, busy=self.busy)
        # A question may hang, so each asks over a connection of its own.
        self._watchdogs = (
            Watchdog(lambda: worker_sign(work, queue, concurrency, listens), limits),
            Watchdog(lambda: self_ping_sign(all_tasks, call, concurrency), limits),
        )
        for watchdog in self._watchdogs:
            watchdog.start()

    def stop(self, parent: Any) -> None:
        """Stop watching: a worker that drains takes nothing, and rightly so."""
        del parent
        for watchdog in self._watchdogs:
            watchdog.stop()

    close = stop
    terminate = stop


def add_watchdog(app: Celery, *, busy: timedelta) -> None:
    """Let the app's worker watch itself; `busy` is the limit while all of its threads are busy."""
    app.steps["worker"].add(type("watchdog", (WatchdogStep,), {"name": "watchdog", "busy": busy}))


def watch_beat(app: Celery) -> None:
    """Watch process `beat` from its start on."""
    progress, queue = Progress(), QueueLength(app)
    watchdog = Watchdog(lambda: beat_sign(progress, queue), StallLimits(idle=STALLED_AFTER, busy=STALLED_AFTER))

    @beat_init.connect(weak=False)
    def _(**_: Any) -> None:
        after_task_publish.connect(progress.tick, weak=False)
        watchdog.start()
