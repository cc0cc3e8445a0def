"""Overload: latency stays bounded, and requests beyond the capacity are refused at once, not queued.

There are two kinds of overload: too many senders, and a slow data server (here it gets a small share of a core). Every
answer is 202 or 503. No request waits for long, and none is left without an answer.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from bench.data_server import fresh_server
from bench.load import Report
from bench.load_process import load
from bench.meanwhile import meanwhile
from bench.processes import Started, scratch
from bench.suite import Options, Outcome
from bench.table import table
from bench.targets import Target
from bench.variants import OURS, VARIANTS
from deploy.local.ports import free_port

_USUAL: Final = 32
_MANY: Final = 8_000
_PAUSE_AFTER_REFUSAL: Final = 0.5
"""Seconds after which a refused sender tries again: a tenth of what our Retry-After asks for."""
_SLICE: Final = 0.1
_RUNS_FOR: Final = 0.03


def run(options: Options) -> Outcome:
    """Measure with the usual load, with far too many senders, and with a slow data server."""
    seconds = 2 if options.quick else 5
    usual = loaded(_USUAL, seconds, slow=False)
    many = loaded(_MANY, seconds, slow=False)
    crawl = loaded(_MANY, seconds, slow=True)
    # A proxy limits the number of connections. Without one they wait in the socket's queue in the kernel.
    burst = loaded(_MANY, seconds, slow=False, accepted=False)
    found = {
        f"{_USUAL} senders": usual,
        f"{_MANY:,} senders": many,
        f"{_MANY:,} senders, slow data server": crawl,
        f"{_MANY:,} senders that connect at once": burst,
    }
    for name, report in found.items():
        options.say(f"{name}: {report.rate:,.0f}/s, {report.by_status}, p99 {report.p99:.0f} ms")
    accepted = many.by_status.get("202", 0) / many.seconds
    targets = (
        Target("overload: slowest answer to too many senders", many.slowest / 1e3, "at most", 3, "s"),
        Target("overload: slowest answer, slow data server", crawl.slowest / 1e3, "at most", 5, "s"),
        Target("overload: accepted a second, against the usual", accepted / usual.rate, "at least", 0.5, "×"),
        Target("overload: refused (503), slow data server", float(crawl.by_status.get("503", 0)), "at least", 1),
        Target("overload: senders without an answer", float(many.broken + crawl.broken + burst.broken), "at most", 0),
    )
    rows = [
        (
            name,
            report.by_status.get("202", 0) / report.seconds,
            report.by_status.get("503", 0) / report.seconds,
            report.p99_by_status.get("202"),
            report.p99_by_status.get("503"),
            report.slowest,
            report.broken,
        )
        for name, report in found.items()
    ]
    head = ("overload", "202 a second", "503 a second", "p99 of 202, ms", "p99 of 503, ms", "slowest, ms", "no answer")
    figures: dict[str, Any] = {
        name: {
            "rate": report.rate,
            "by_status": report.by_status,
            "p99_by_status": report.p99_by_status,
            "slowest_ms": report.slowest,
            "broken": report.broken,
        }
        for name, report in found.items()
    }
    return Outcome(figures=figures, targets=targets, text=table(head, rows))


def loaded(connections: int, seconds: float, *, slow: bool, accepted: bool = True) -> Report:
    """Return the answers to so many senders at once. With `accepted`, they start once it has all connections."""
    variant = next(each for each in VARIANTS if each.name == OURS)
    port = free_port()
    with scratch() as folder, fresh_server() as server, variant.start(server, port):
        amount = int(40_000 * seconds) + connections
        with crawling(server.process) if slow else nothing():
            return load(
                port,
                connections=connections,
                seconds=seconds,
                amount=amount,
                folder=folder,
                pause=_PAUSE_AFTER_REFUSAL,
                accepted=accepted,
            )


@contextmanager
def nothing() -> Iterator[None]:
    """Disturb nothing."""
    yield


@contextmanager
def crawling(process: Started) -> Iterator[None]:
    """Let a process run only for a part of each tenth of a second."""

    def hold(over: threading.Event) -> None:
        while not over.is_set():
            os.kill(process.pid, signal.SIGSTOP)
            time.sleep(_SLICE - _RUNS_FOR)
            os.kill(process.pid, signal.SIGCONT)
            time.sleep(_RUNS_FOR)

    with meanwhile(hold):
        yield
