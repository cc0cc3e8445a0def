"""More processes on one data server: two of each kind beside one, as far as this machine can show it.

A machine of two cores is soon fully used. So two questions are measured separately. Do more processes do more work?
Workers do even here, because they mostly wait for Seam. And does the data server need more CPU for one webhook or
booking then? On a bigger machine that is the first limit.
"""

from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Final

from bench.creates import LATENCY, done, publish
from bench.data_server import fresh_server
from bench.load_process import load
from bench.processes import scratch
from bench.statistics import Spread
from bench.suite import Options, Outcome
from bench.system import age_the_ledger, sandbox, worker
from bench.table import table
from bench.targets import Target
from bench.variants import OURS, VARIANTS
from bench.waiting import wait_until
from deploy.local.ports import free_port

_SLOTS: Final = "8"
"""Tasks that each worker runs at a time: few, so that waiting for Seam limits it, as on a host of its own."""


def run(options: Options) -> Outcome:
    """Measure one and two of each, taking turns."""
    webs: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    workers: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    for _ in range(options.rounds):
        for amount in (1, 2):
            webs[amount].append(with_webs(amount, 2 if options.quick else 4))
            workers[amount].append(with_workers(amount, 40 if options.quick else 200))
            options.say(
                f"{amount} web: {webs[amount][-1]['rate']:,.0f}/s; {amount} worker: {workers[amount][-1]['rate']:.1f}/s"
            )
    web, work = middle(webs), middle(workers)
    targets = (
        Target("scaling: bookings a second, 2 workers / 1", work[2]["rate"] / work[1]["rate"], "at least", 1.7, "×"),
        Target("scaling: redis CPU a booking, 2 / 1", work[2]["redis"] / work[1]["redis"], "at most", 1.3, "×"),
        Target("scaling: redis CPU a webhook, 2 / 1", web[2]["redis"] / web[1]["redis"], "at most", 1.5, "×"),
        Target("scaling: webhooks taken by the less busy of 2 web", web[2]["least"], "at least", 0.2, ""),
    )
    rows = [
        (f"{amount} {name}", found[amount]["rate"], found[amount]["own"], found[amount]["redis"])
        for name, found in (("web", web), ("worker", work))
        for amount in (1, 2)
    ]
    head = ("scaling on one data server", "a second", "own CPU µs each", "redis CPU µs each")
    figures: dict[str, Any] = {
        "web": {str(each): web[each] for each in web},
        "worker": {str(each): work[each] for each in work},
    }
    return Outcome(figures=figures, targets=targets, text=table(head, rows))


def middle(rounds: dict[int, list[dict[str, float]]]) -> dict[int, dict[str, float]]:
    """Return the medians."""
    return {
        amount: {name: Spread.of([each[name] for each in found]).median for name in found[0]}
        for amount, found in rounds.items()
    }


def with_webs(amount: int, seconds: float) -> dict[str, float]:
    """Return how many webhooks so many web processes on one port accept; they may use all cores."""
    ours = next(each for each in VARIANTS if each.name == OURS)
    sharing = replace(ours, environment=lambda *asked: {**ours.environment(*asked), "SHARE_PORT": "true"})
    port = free_port()
    with ExitStack() as stack:
        folder = stack.enter_context(scratch())
        server = stack.enter_context(fresh_server())
        webs = [stack.enter_context(sharing.start(server, port, core=None)) for _ in range(amount)]
        load(port, connections=64, seconds=1, amount=20_000, folder=folder)
        before, redis_before = [web.usage().cpu_seconds for web in webs], server.process.usage().cpu_seconds
        report = load(port, connections=64, seconds=seconds, amount=int(40_000 * seconds), folder=folder)
        used = [web.usage().cpu_seconds - was for web, was in zip(webs, before, strict=True)]
        redis_used = server.process.usage().cpu_seconds - redis_before
    if set(report.by_status) != {"202"} or report.broken:
        raise ValueError(f"{report.by_status}, {report.broken} broken")
    return {
        "rate": report.rate,
        "own": sum(used) / report.answers * 1e6,
        "redis": redis_used / report.answers * 1e6,
        "least": min(used) / sum(used),
    }


def with_workers(amount: int, bookings: int) -> dict[str, float]:
    """Return how many bookings a second so many workers take to their codes."""
    with ExitStack() as stack:
        server = stack.enter_context(fresh_server())
        seam = stack.enter_context(sandbox(latency=LATENCY))
        redis = stack.enter_context(server.client())
        doors = seam.add_doors(bookings, prefix=3)
        age_the_ledger(redis)
        settings = {"WORKER_CONCURRENCY": _SLOTS}
        workers = [
            stack.enter_context(worker(server, seam.url, core=None, settings=settings, name=f"worker-{number}"))
            for number in range(amount)
        ]
        # Every worker has done some work before the time is measured.
        publish(redis, doors, 4 * amount, "WARM")
        wait_until(lambda: done(seam.calls()) >= 4 * amount, within=60, what="first bookings")
        used, redis_used = sum(each.usage().cpu_seconds for each in workers), server.process.usage().cpu_seconds
        publish(redis, doors, bookings, "BK")
        seconds = wait_until(
            lambda: done(seam.calls()) >= bookings + 4 * amount, within=240, what="all codes", every=0.1
        )
        used = sum(each.usage().cpu_seconds for each in workers) - used
        redis_used = server.process.usage().cpu_seconds - redis_used
    return {"rate": bookings / seconds, "own": used / bookings * 1e6, "redis": redis_used / bookings * 1e6}
