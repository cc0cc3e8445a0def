"""One worker of two stalls while the other one works: the common queue moves, so the queue alone doesn't show it."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit, urlunsplit

from celery import Celery

from deploy.local.run import PROJECT
from deploy.local.supervisor import Command, Supervisor
from shared.contracts import QUEUE, SELF_PING
from tests.faults.table import WITHIN, Row
from tests.faults.traffic import Traffic
from tests.support.freezable_proxy import FreezableProxy
from tests.support.machine import Machine
from tests.support.waiting import wait_until

_ANSWER_WITHIN = 1.0


class SecondWorker:
    """Another worker process of a machine, supervised; it reaches its broker through our proxy."""

    def __init__(self, machine: Machine, broker_url: str) -> None:
        parts = urlsplit(broker_url)
        assert parts.port is not None
        self.proxy = FreezableProxy(parts.port)
        host = parts.netloc.rpartition(":")[0]
        behind = urlunsplit(parts._replace(netloc=f"{host}:{self.proxy.port}"))
        self._broker_url = broker_url
        settings = {**machine.run()["settings"], "CELERY_BROKER_URL": behind}
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self._environment = {**kept, **settings, "PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"}
        self._pids: Mapping[str, int] = {}
        self._supervisor = Supervisor(machine.directory / "logs", self._changed)

    def start(self) -> None:
        """Start it and wait until it takes tasks."""
        arguments = [sys.executable, "-m", "worker", "worker"]
        self._supervisor.start(Command(name="worker-2", arguments=arguments, environment=self._environment))
        wait_until(lambda: self.taken() > 0, within=30, what="the second worker takes its share")

    def stop(self) -> None:
        """End it."""
        self._supervisor.stop(within=40)
        self.proxy.close()

    @property
    def pid(self) -> int | None:
        """The id of its process now."""
        return self._pids.get("worker-2")

    def taken(self) -> int:
        """Return how many messages of the common queue its process has taken; 0 if it doesn't answer."""
        return taken_by(self._broker_url, self.pid)

    def stop_taking(self) -> None:
        """Tell it to take no more messages from the common queue."""
        with Celery(broker=self._broker_url, set_as_current=False) as app:
            node = _node(self._broker_url, self.pid)
            assert app.control.cancel_consumer(QUEUE, destination=[node], reply=True, timeout=_ANSWER_WITHIN)

    def stop_hearing(self) -> None:
        """Let all of its present connections to the broker carry no more data."""
        assert self.proxy.freeze() > 1

    def _changed(self, pids: Mapping[str, int]) -> None:
        self._pids = pids


def taken_by(broker_url: str, pid: int | None) -> int:
    """Return how many messages of the common queue a worker process has taken."""
    with Celery(broker=broker_url, set_as_current=False) as app:
        stats = app.control.inspect(timeout=_ANSWER_WITHIN).stats() or {}
    totals = [stat["total"] for node, stat in stats.items() if node.startswith(f"oracode-{pid}@")]
    return sum(times for total in totals for task, times in total.items() if task != SELF_PING)


def one_stalled_of_two(machine: Machine, broker_url: str) -> tuple[Row, set[str]]:
    """Stall the second worker in two ways; each time it must be noticed, although the queue moves."""
    row = Row("one of two workers stalled, two ways")
    second = SecondWorker(machine, broker_url)
    traffic = Traffic(machine)
    ways: dict[str, Callable[[], None]] = {
        "takes nothing": second.stop_taking,
        "its connections died": second.stop_hearing,
    }
    try:
        # Sweeps, one a second, may all go to one of the two for minutes: the worker that waited longest gets the next.
        traffic.start()
        second.start()
        for name, way in ways.items():
            first, stalled = machine.run()["pids"]["worker"], second.pid
            way()
            stalled_since, by_both = time.monotonic(), taken_by(broker_url, first)
            before = second.taken()

            def takes_again(stalled: int | None = stalled, before: int = before) -> bool:
                return second.taken() > (before if second.pid == stalled else 0)

            wait_until(takes_again, within=2 * WITHIN, what=f"a worker that was stalled ({name}) takes its share again")
            took = time.monotonic() - stalled_since
            row.times += 1
            row.seconds.append(took)
            how = "came back by itself" if second.pid == stalled else "ended itself and was started anew"
            row.notes.append(f"{name}: {how}, {took:.1f} s")
            if machine.run()["pids"]["worker"] != first or taken_by(broker_url, first) <= by_both:
                row.broken.append(f"the other one stopped as well ({name})")
        tally = traffic.stop()
    finally:
        second.stop()
    row.lost, row.twice = tally.lost, tally.twice
    row.notes.append(f"under way: {tally.events} webhooks and {tally.bookings} bookings that were accepted")
    return row, traffic.said


def _node(broker_url: str, pid: int | None) -> str:
    with Celery(broker=broker_url, set_as_current=False) as app:
        nodes = app.control.inspect(timeout=_ANSWER_WITHIN).stats() or {}
    return next(node for node in nodes if node.startswith(f"oracode-{pid}@"))
