"""Accepting a webhook: our `web` beside the bare endpoint and the peers, taking turns in one run.

The web process has one core; the data server (fsync before every answer) and the load generator share the other.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench import profiling
from bench.data_server import fresh_server
from bench.load import Report
from bench.load_process import load
from bench.processes import SERVER_CORE, Started, listens, scratch
from bench.statistics import Spread
from bench.suite import Options, Outcome
from bench.table import table
from bench.targets import Target, ratio
from bench.variants import BARE, FASTIFY, FLASK, OURS, VARIANTS, NotHere, Variant
from deploy.local.ports import free_port

CONNECTIONS: Final = 32
_FASTEST: Final = 45_000
"""Requests that are signed in advance for each second and variant: more than any of them can answer."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One round of one variant. CPU in microseconds a request."""

    rate: float
    p50: float
    p99: float
    rss_mib: float
    web_cpu: float
    redis_cpu: float
    generator_cpu_share: float


def run(options: Options) -> Outcome:
    """Measure all variants."""
    ceiling = generator_ceiling(2 if options.quick else 3)
    options.say(f"load generator alone: {ceiling.rate:,.0f} requests/s")
    rounds: dict[str, list[Measured]] = {variant.name: [] for variant in VARIANTS}
    skipped: dict[str, str] = {}
    for number in range(options.rounds):
        for variant in VARIANTS:
            if variant.name in skipped:
                continue
            try:
                measured = one_round(variant, 2 if options.quick else 5, options)
            except NotHere as why:
                skipped[variant.name] = str(why)
                options.say(f"*** SKIPPED: {variant.name}: {why} ***")
                continue
            rounds[variant.name].append(measured)
            options.say(f"round {number + 1}: {variant.name}: {measured.rate:,.0f}/s, p99 {measured.p99:.1f} ms")
    return judged(rounds, skipped, ceiling)


def generator_ceiling(seconds: float) -> Report:
    """Return the figures of the load generator with a server that does nothing."""
    port = free_port()
    command = [sys.executable, "-m", "bench.idle_server", str(port)]
    with scratch() as folder, Started("idle server", command, core=SERVER_CORE) as idle:
        idle.until(lambda: listens(port))
        return load(port, connections=CONNECTIONS, seconds=seconds, amount=int(100_000 * seconds), folder=folder)


def one_round(variant: Variant, seconds: float, options: Options) -> Measured:
    """Start a variant on an empty data server, warm it up, load it. Raises NotHere, and ValueError for refusals."""
    port = free_port()
    with scratch() as folder, fresh_server() as server, variant.start(server, port) as web:
        load(port, connections=CONNECTIONS, seconds=1, amount=_FASTEST, folder=folder)
        before, redis_before = web.usage(), server.process.usage()
        with profiling.of(web, variant.name, options, seconds):
            report = load(port, connections=CONNECTIONS, seconds=seconds, amount=int(_FASTEST * seconds), folder=folder)
        after, redis_after = web.usage(), server.process.usage()
    accepted = sum(count for status, count in report.by_status.items() if status.startswith("2"))
    if accepted != report.answers or report.broken:
        raise ValueError(f"{variant.name}: {report.by_status}, {report.broken} broken")
    return Measured(
        rate=report.rate,
        p50=report.p50,
        p99=report.p99,
        rss_mib=after.rss_bytes / 2**20,
        web_cpu=(after.cpu_seconds - before.cpu_seconds) / report.answers * 1e6,
        redis_cpu=(redis_after.cpu_seconds - redis_before.cpu_seconds) / report.answers * 1e6,
        generator_cpu_share=report.cpu_share,
    )


def judged(rounds: Mapping[str, Sequence[Measured]], skipped: Mapping[str, str], ceiling: Report) -> Outcome:
    """Return medians, spreads, ratios and verdicts."""
    middle = {
        name: {field: Spread.of([getattr(each, field) for each in found]) for field in Measured.__slots__}
        for name, found in rounds.items()
        if found
    }

    def figure(name: str, field: str) -> float | None:
        return middle[name][field].median if name in middle else None

    def times(name: str) -> float | None:
        return ratio(figure(OURS, "rate"), figure(name, "rate"))

    fastest = max((found["rate"].median for found in middle.values()), default=0.0)
    targets = (
        Target(
            "accept: rate against fastify + BullMQ (goal 1.3)",
            times(FASTIFY),
            "at least",
            1.15,
            "×",
            skipped.get(FASTIFY, ""),
        ),
        Target(
            "accept: rate against Flask + delay() (goal 15)", times(FLASK), "at least", 12, "×", skipped.get(FLASK, "")
        ),
        Target("accept: rate against a bare endpoint (goal 0.5)", times(BARE), "at least", 0.45, "×"),
        Target(
            "accept: p99 against fastify's",
            ratio(figure(OURS, "p99"), figure(FASTIFY, "p99")),
            "at most",
            1.0,
            "×",
            skipped.get(FASTIFY, ""),
        ),
        Target("accept: memory of the web process", figure(OURS, "rss_mib"), "at most", 80, "MiB"),
        Target("load generator against the fastest variant", ratio(ceiling.rate, fastest), "at least", 1.5, "×"),
    )
    rows: list[tuple[object, ...]] = [
        (
            name,
            found["rate"].median,
            f"{found['rate'].low:,.0f} to {found['rate'].high:,.0f}",
            times_bare(found["rate"].median, figure(BARE, "rate")),
            found["p50"].median,
            found["p99"].median,
            found["rss_mib"].median,
            found["web_cpu"].median,
            found["redis_cpu"].median,
            f"{found['generator_cpu_share'].median:.0%}",
        )
        for name, found in middle.items()
    ]
    rows += [(f"{name}: SKIPPED, {why}", *[None] * 9) for name, why in skipped.items()]
    head: tuple[str, ...] = (
        "accepting webhooks, 32 connections",
        "a second",
        "spread",
        "× bare",
        "p50 ms",
        "p99 ms",
        "MiB",
    )
    head += ("web µs", "redis µs", "generator CPU")
    figures: dict[str, Any] = {
        "variants": {
            name: {field: [spread.median, spread.low, spread.high] for field, spread in found.items()}
            for name, found in middle.items()
        },
        "skipped": dict(skipped),
        "generator_ceiling": ceiling.rate,
    }
    return Outcome(figures=figures, targets=targets, text=table(head, rows))


def times_bare(rate: float, bare: float | None) -> float | None:
    """Return a rate as a share of the bare endpoint's."""
    return ratio(rate, bare)
