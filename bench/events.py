"""Events from the webhook to the ledger: our batches against one Celery task for each event; and draining a backlog.

Both systems have the same layout: web on one core; worker, data server and load generator on the other.
"""

import json
import time
from contextlib import ExitStack
from typing import Any, Final

from redis import Redis

from bench.data_server import DataServer, fresh_server
from bench.load_process import load
from bench.processes import OTHER_CORE, Sampled, Started, scratch
from bench.statistics import Spread, growth_of_total
from bench.suite import Options, Outcome
from bench.system import EVENT_STREAM, worker
from bench.table import table
from bench.targets import Target, ratio
from bench.variants import FLASK, OURS, PEERS, VARIANTS, no_peers, peer_settings
from bench.waiting import wait_until
from bench.webhooks import event
from deploy.local.ports import free_port
from shared import redis_keys
from shared.contracts import EVENT_FIELD

_NO_SEAM: Final = "http://127.0.0.1:9"
"""Nothing listens there. It isn't called: events of codes that belong to no booking prompt no look."""
_FILL_AT_ONCE: Final = 2_000
# As many as a batch has events, so that each batch of any backlog has events of the same number of codes.
_FILL_CODES: Final = 200


def run(options: Options) -> Outcome:
    """Measure both systems and the backlog."""
    ours, peer = [], []
    why = no_peers()
    for number in range(options.rounds):
        ours.append(ours_end_to_end(3_000 if options.quick else 20_000))
        options.say(f"round {number + 1}: ours: {ours[-1]:,.0f} events/s accepted and recorded")
        if not why:
            peer.append(peer_end_to_end(600 if options.quick else 4_000))
            options.say(f"round {number + 1}: one delay() an event: {peer[-1]:,.0f} events/s")
    if why:
        options.say(f"*** SKIPPED: one delay() an event: {why} ***")
    drains = {
        size: drained(size, options) for size in ((500, 2_000, 5_000) if options.quick else (1_000, 10_000, 100_000))
    }
    ours_rate = Spread.of(ours).median
    peer_rate = Spread.of(peer).median if peer else None
    largest = max(drains)
    growth = growth_of_total({size: each["seconds"] for size, each in drains.items()})
    targets = (
        Target(
            "events: accepted and recorded, against one delay() each",
            ratio(ours_rate, peer_rate),
            "at least",
            3,
            "×",
            why,
        ),
        Target(
            f"events: memory while {largest:,} drain, end / start", drains[largest]["rss_growth"], "at most", 1.2, "×"
        ),
        Target("events: time of one in a backlog, largest / smallest", growth.factor, "at most", 1.2, "×"),
    )
    rows: list[tuple[object, ...]] = [("accepted and recorded by us", ours_rate, None, None)]
    rows.append(("one delay() an event", peer_rate, None, None))
    rows += [
        (f"backlog of {size:,}", size / each["seconds"], each["rss_mib"], each["worker_cpu"])
        for size, each in drains.items()
    ]
    figures: dict[str, Any] = {
        "ours_per_second": ours_rate,
        "peer_per_second": peer_rate,
        "drains": {str(size): each for size, each in drains.items()},
        "worker_cpu": drains[largest]["worker_cpu"],
        "redis_cpu": drains[largest]["redis_cpu"],
        "bytes_an_event": drains[largest]["bytes_an_event"],
        "bytes_a_mark": bytes_a_mark(),
    }
    text = table(("events, end to end", "a second", "most MiB", "worker µs each"), rows)
    return Outcome(figures=figures, targets=targets, text=text)


def ours_end_to_end(amount: int) -> float:
    """Return how many events a second are accepted by our web process and recorded by our worker."""
    variant = next(each for each in VARIANTS if each.name == OURS)
    port = free_port()
    with (
        fresh_server() as server,
        variant.start(server, port),
        worker(server, _NO_SEAM, core=OTHER_CORE),
        server.client() as redis,
    ):
        return end_to_end(port, amount, lambda: redis.xlen(EVENT_STREAM) == 0)


def peer_end_to_end(amount: int) -> float:
    """Return the same for Flask with one task for each event and a worker with Celery's defaults."""
    variant = next(each for each in VARIANTS if each.name == FLASK)
    port = free_port()
    command = [str(PEERS / "celery"), "-A", "bench.peers.delay:queue", "worker", "--loglevel", "warning"]
    command += ["--concurrency", "2"]
    with ExitStack() as stack:
        server = stack.enter_context(fresh_server())
        stack.enter_context(variant.start(server, port))
        stack.enter_context(Started("celery", command, peer_settings(server, port), core=OTHER_CORE))
        redis = stack.enter_context(server.client())
        warm_up(port, redis)
        return end_to_end(port, amount, lambda: int(redis.get("peer:recorded") or 0) >= amount + 1)


def warm_up(port: int, redis: Redis) -> None:
    """Wait until the peer's worker has recorded a first event."""
    with scratch() as folder:
        load(port, connections=1, seconds=5, amount=1, folder=folder)
    wait_until(lambda: redis.get("peer:recorded") == "1", within=30, what="the peer's worker")


def end_to_end(port: int, amount: int, is_done: Any) -> float:
    """Send so many events and wait until the last is recorded; return events a second, from the first request on."""
    with scratch() as folder:
        # Signing, and starting the generator, don't count: the generator reports how long it ran until its last answer.
        report = load(port, connections=32, seconds=120, amount=amount, folder=folder)
        after = wait_until(is_done, within=120, what="events recorded", every=0.01)
    if report.broken or set(report.by_status) - {"202", "204"}:
        raise ValueError(f"{report.by_status}, {report.broken} broken")
    return amount / (report.seconds + after)


def drained(amount: int, options: Options) -> dict[str, float]:
    """Return the cost of recording a backlog of this size, which is there when the worker starts."""
    with fresh_server() as server:
        empty = server.used_bytes()
        fill(server, amount)
        with server.client() as redis, worker(server, _NO_SEAM) as process, Sampled(process) as sampled:
            redis_before = server.process.usage()
            before, started = process.usage(), time.monotonic()
            left = redis.xlen(EVENT_STREAM)
            wait_until(lambda: redis.xlen(EVENT_STREAM) == 0, within=600, what="the backlog to drain")
            seconds = time.monotonic() - started
            after, redis_after = process.usage(), server.process.usage()
            stories = server.used_bytes() - empty
    options.say(f"backlog of {amount:,}: {left / seconds:,.0f} events/s")
    rss = sampled.rss or [after.rss_bytes]
    tenth = max(1, len(rss) // 10)
    return {
        "seconds": seconds * amount / max(1, left),
        "worker_cpu": (after.cpu_seconds - before.cpu_seconds) / max(1, left) * 1e6,
        "redis_cpu": (redis_after.cpu_seconds - redis_before.cpu_seconds) / max(1, left) * 1e6,
        "rss_mib": max(rss) / 2**20,
        # The first samples are from a worker that is warming up; after that its memory shouldn't grow.
        "rss_growth": max(rss[-tenth:]) / max(rss[tenth : 3 * tenth] or rss),
        "bytes_an_event": stories / amount,
    }


def fill(server: DataServer, amount: int) -> None:
    """Put events into the stream as the web process does, about five for each code."""
    with server.client() as redis:
        for start in range(0, amount, _FILL_AT_ONCE):
            pipeline = redis.pipeline(transaction=False)
            for number in range(start, min(amount, start + _FILL_AT_ONCE)):
                text = json.dumps(event(number, codes=max(_FILL_CODES, amount // 5)), separators=(",", ":"))
                pipeline.xadd(EVENT_STREAM, {EVENT_FIELD: text, "received_at": "2026-11-21T10:00:00+00:00"})
            pipeline.execute()


def bytes_a_mark(amount: int = 20_000) -> float:
    """Return the bytes that are needed to remember for three days that an event was seen."""
    with fresh_server() as server, server.client() as redis:
        empty = server.used_bytes()
        pipeline = redis.pipeline(transaction=False)
        for number in range(amount):
            pipeline.set(redis_keys.seen(EVENT_STREAM, event(number)["event_id"]), "1", ex=redis_keys.SEEN_FOR)
        pipeline.execute()
        return (server.used_bytes() - empty) / amount
