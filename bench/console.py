"""The console beside `web`: 20 open tabs on a full ledger while webhooks come; neither may slow the other.

Three measurements in one run: webhooks alone, tabs alone, both. `web` has one core; data server, console and both load
generators share the others. A slow machine affects all three alike, so compare figures of one run only.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench.data_server import DataServer, fresh_server
from bench.hotel import fill, touch
from bench.load import Report
from bench.load_process import load
from bench.meanwhile import meanwhile
from bench.processes import OTHER_CORE, PROJECT, Sampled, Started, listens, scratch
from bench.statistics import quantile
from bench.suite import Options, Outcome
from bench.system import EVENT_STREAM, ledger_of
from bench.table import table
from bench.targets import Target, ratio
from bench.variants import OURS, VARIANTS
from deploy.local.ports import free_port
from shared.clock import system_clock

BOOKINGS: Final = 10_000
DOORS: Final = 500
TABS: Final = 20
RATE: Final = 2_000
CONNECTIONS: Final = 32
_TOKEN: Final = "bench-0123456789-0123456789"  # noqa: S105 - of a console that lives for a minute
_WARM_UP: Final = 4
_MIB: Final = 2**20


def run(options: Options) -> Outcome:
    """Measure all three."""
    seconds, bookings = (4, 1_000) if options.quick else (20, BOOKINGS)
    with scratch() as folder, fresh_server() as server:
        fill(server, bookings=bookings, doors=DOORS)
        options.say(f"{bookings:,} bookings of {DOORS} doors are written")
        web_port, port = free_port(), free_port()
        ours = next(each for each in VARIANTS if each.name == OURS)
        with ours.start(server, web_port), console(server, port) as process:
            tabs(port, _WARM_UP)
            load(web_port, connections=CONNECTIONS, seconds=1, amount=RATE, folder=folder, rate=RATE)
            with changes(server, bookings), Sampled(process) as memory:
                alone = webhooks(server, web_port, seconds, folder)
                options.say(f"webhooks alone: {alone.rate:,.0f}/s, p50 {alone.p50:.1f} ms, p99 {alone.p99:.1f} ms")
                quiet = tabs(port, seconds)
                options.say(f"tabs alone: {described(quiet)}")
                with ThreadPoolExecutor(1) as pool:
                    browsing: Future[dict[str, Any]] = pool.submit(tabs, port, seconds)
                    beside = webhooks(server, web_port, seconds, folder)
                    busy = browsing.result()
                options.say(f"both: {beside.rate:,.0f}/s, p50 {beside.p50:.1f} ms; {described(busy)}")
    return judged(alone, beside, quiet, busy, max(memory.rss) / _MIB)


@contextmanager
def console(server: DataServer, port: int) -> Iterator[Started]:
    """Run the console, on the core that `web` isn't on."""
    environment = {
        "REDIS_URL": server.url,
        "CONSOLE_TOKENS": f"bench:operator:{_TOKEN}",
        "CONSOLE_PORT": str(port),
        "LOG_LEVEL": "warning",
    }
    with Started("console", [sys.executable, "-m", "receiver.console"], environment, core=OTHER_CORE) as process:
        yield process.until(lambda: listens(port))


@contextmanager
def changes(server: DataServer, bookings: int) -> Iterator[None]:
    """Change one booking a second while the block runs: every tab is told of it."""
    ledger = ledger_of(server)

    def work(over: threading.Event) -> None:
        number = 0
        while not over.wait(1):
            touch(ledger, number % bookings, system_clock())
            number += 1

    with meanwhile(work):
        yield


def webhooks(server: DataServer, port: int, seconds: float, folder: Path) -> Report:
    """Send webhooks at a steady rate. No worker reads their stream here, so it is emptied first."""
    with server.client() as redis:
        redis.delete(EVENT_STREAM)
    amount = int(RATE * seconds)
    return load(port, connections=CONNECTIONS, seconds=seconds, amount=amount, folder=folder, rate=RATE)


def tabs(port: int, seconds: float) -> dict[str, Any]:
    """Browse in 20 tabs; return what they saw. Raises CalledProcessError."""
    command = [sys.executable, "-m", "bench.tabs", str(port), _TOKEN, str(TABS), str(seconds)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def every(seen: dict[str, Any]) -> list[float]:
    """Return how long the first byte took, for every page that was loaded."""
    return [each for of_page in seen["first_byte_ms"].values() for each in of_page]


def described(seen: dict[str, Any]) -> str:
    """Return what the tabs saw in a few words."""
    took = every(seen)
    middle, slow = quantile(took, 0.5), quantile(took, 0.99)
    return f"{len(took)} pages, p50 {middle:.0f} ms, p99 {slow:.0f} ms, {seen['failed']} failed"


def judged(alone: Report, beside: Report, quiet: dict[str, Any], busy: dict[str, Any], memory: float) -> Outcome:
    """Return figures, targets and the table."""
    calm, loaded = every(quiet), every(busy)
    slowest_page = max(quantile(took, 0.5) for took in quiet["first_byte_ms"].values())
    targets = (
        Target("console: first byte, median of the slowest page", slowest_page, "at most", 100, "ms"),
        Target("console: first byte, p99", quantile(calm, 0.99), "at most", 300, "ms"),
        Target("console: first byte beside webhooks, p99", quantile(loaded, 0.99), "at most", 300, "ms"),
        Target("console: memory", memory, "at most", 120, "MiB"),
        Target("console: largest page", max(quiet["largest_page"], busy["largest_page"]) / 1e3, "at most", 100, "KB"),
        Target("console: pages that failed", float(quiet["failed"] + busy["failed"]), "at most", 0),
        Target("webhooks beside tabs: rate against none", ratio(beside.rate, alone.rate), "at least", 0.9, "×"),
        # The rate is fixed, so slower answers show only in the latency.
        Target("webhooks beside tabs: median against none", ratio(beside.p50, alone.p50), "at most", 1.1, "×"),
        Target(
            "tabs beside webhooks: median against none",
            ratio(quantile(loaded, 0.5), quantile(calm, 0.5)),
            "at most",
            1.1,
            "×",
        ),
    )
    rows = [
        (
            page,
            len(took),
            quantile(took, 0.5),
            quantile(took, 0.99),
            quantile(busy["first_byte_ms"].get(page, [0.0]), 0.5),
            quantile(busy["first_byte_ms"].get(page, [0.0]), 0.99),
        )
        for page, took in sorted(quiet["first_byte_ms"].items())
    ]
    head = ("console, first byte in ms, 20 tabs", "pages", "p50", "p99", "p50 beside webhooks", "p99 beside webhooks")
    figures: dict[str, Any] = {
        "webhooks_alone": {"rate": alone.rate, "p50": alone.p50, "p99": alone.p99},
        "webhooks_beside_tabs": {"rate": beside.rate, "p50": beside.p50, "p99": beside.p99},
        "first_byte_ms": {page: [p50, p99] for page, _, p50, p99, *_ in rows},
        "first_byte_ms_beside_webhooks": {page: [p50, p99] for page, _, _, _, p50, p99 in rows},
        "memory_mib": memory,
        "largest_page_bytes": max(quiet["largest_page"], busy["largest_page"]),
        "told": busy["told"],
    }
    return Outcome(figures=figures, targets=targets, text=table(head, rows))
