"""Creating codes: how many bookings a second one worker takes to their codes, and how soon the create call is sent.

The worker has a core of its own; the stand-in for Seam and the data server share the other.
"""

import json
import time
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from redis import Redis

from bench import profiling
from bench.data_server import DataServer, fresh_server
from bench.processes import Sampled, Started
from bench.statistics import Spread, quantile
from bench.suite import Options, Outcome
from bench.system import BOOKING_STREAM, EVENT_STREAM, Sandbox, age_the_ledger, ledger_of, sandbox, worker
from bench.table import table
from bench.targets import Target
from bench.waiting import wait_until
from shared.clock import system_clock
from shared.contracts import BOOKING_FIELD, EVENT_FIELD
from shared.ledger.bookings import BookingLedger

LATENCY: Final = 0.3
_A_DOOR: Final = 8
"""Bookings for each door: below the ten creates a minute that Seam allows for a device."""


def run(options: Options) -> Outcome:
    """Measure the throughput, and the delay until the create call."""
    rounds = [throughput(400 if options.quick else 3_000, options) for _ in range(options.rounds)]
    delays = first_calls(8 if options.quick else 60)
    middle = {name: Spread.of([each[name] for each in rounds]) for name in rounds[0]}
    delay = quantile(delays, 0.5)
    targets = (
        Target("creates: bookings a second, one worker, Seam at 300 ms", middle["rate"].median, "at least", 100, "/s"),
        Target("creates: memory of that worker", middle["rss_mib"].median, "at most", 150, "MiB"),
        Target("creates: XADD to the create call, idle, p50", delay, "at most", 50, "ms"),
        Target("creates: stand-in for Seam, share of its core", middle["seam_cpu_share"].median, "at most", 0.85, ""),
    )
    rows = [
        ("bookings a second", middle["rate"].median, f"{middle['rate'].low:.0f} to {middle['rate'].high:.0f}"),
        ("worker CPU, ms a booking", middle["worker_cpu_ms"].median, None),
        ("redis CPU, ms a booking", middle["redis_cpu_ms"].median, None),
        ("calls to Seam a booking", middle["seam_calls"].median, None),
        ("worker CPU, ms a look at a code, its event included", middle["look_worker_cpu_ms"].median, None),
        ("redis CPU, ms a look at a code, its event included", middle["look_redis_cpu_ms"].median, None),
        ("calls to Seam a look", middle["look_calls"].median, None),
        ("worker, most MiB", middle["rss_mib"].median, None),
        ("stand-in for Seam, share of its core", middle["seam_cpu_share"].median, None),
        ("XADD to create call, ms: p50", delay, f"p99 {quantile(delays, 0.99):.0f}"),
    ]
    figures: dict[str, Any] = {
        **{name: [each.median, each.low, each.high] for name, each in middle.items()},
        "first_call_p50_ms": delay,
        "first_call_p99_ms": quantile(delays, 0.99),
    }
    head = ("creating codes, one worker on one core", "median", "spread")
    return Outcome(figures=figures, targets=targets, text=table(head, rows))


def throughput(amount: int, options: Options) -> dict[str, float]:
    """Return the figures of one worker for so many bookings that come at once."""
    with fresh_server() as server, sandbox(latency=LATENCY) as seam, server.client() as redis:
        doors = seam.add_doors(-(-amount // _A_DOOR), prefix=1)
        age_the_ledger(redis)
        with worker(server, seam.url) as process, Sampled(process) as sampled:
            publish(redis, doors[:1], 1, "WARM")
            wait_until(lambda: done(seam.calls()) >= 1, within=60, what="a first booking")
            calls_before = sum(seam.calls().values())
            before, redis_before, seam_before = process.usage(), server.process.usage(), seam.process.usage()
            with profiling.of(process, "worker creates", options, 5):
                started = time.monotonic()
                publish(redis, doors, amount, "BK")
                wait_until(lambda: done(seam.calls()) >= amount + 1, within=240, what="all codes", every=0.2)
                seconds = time.monotonic() - started
            after, redis_after, seam_after = process.usage(), server.process.usage(), seam.process.usage()
            calls = sum(seam.calls().values()) - calls_before
            looks = look_again(server, seam, process, [f"BK{number}" for number in range(amount)])
    options.say(f"{amount} bookings: {amount / seconds:,.0f} a second")
    return {
        "rate": amount / seconds,
        "rss_mib": max([after.rss_bytes, *sampled.rss]) / 2**20,
        "worker_cpu_ms": (after.cpu_seconds - before.cpu_seconds) / amount * 1e3,
        "redis_cpu_ms": (redis_after.cpu_seconds - redis_before.cpu_seconds) / amount * 1e3,
        "seam_calls": calls / amount,
        "seam_cpu_share": (seam_after.cpu_seconds - seam_before.cpu_seconds) / seconds,
        **looks,
    }


def look_again(server: DataServer, seam: Sandbox, process: Started, bookings: list[str]) -> dict[str, float]:
    """Return the cost of another look at each code, prompted by an event: CPU in ms and calls to Seam for each look."""
    ledger = ledger_of(server)
    # A code exists at Seam before it is in the ledger.
    wait_until(lambda: all(code_of(ledger, each) for each in bookings), within=60, what="the ledger", every=0.5)
    codes = [code_of(ledger, each) for each in bookings]
    calls_before = sum(seam.calls().values())
    done_before = done(seam.calls())
    before, redis_before = process.usage(), server.process.usage()
    with server.client() as redis:
        pipeline = redis.pipeline(transaction=False)
        for number, code in enumerate(codes):
            prompt = {
                "event_id": f"look-{number}",
                "event_type": "access_code.changed",
                "access_code_id": code,
                "occurred_at": system_clock().isoformat(),
            }
            pipeline.xadd(EVENT_STREAM, {EVENT_FIELD: json.dumps(prompt), "received_at": system_clock().isoformat()})
        pipeline.execute()
        wait_until(lambda: done(seam.calls()) - done_before >= len(codes), within=240, what="all looks", every=0.2)
    after, redis_after = process.usage(), server.process.usage()
    return {
        "look_worker_cpu_ms": (after.cpu_seconds - before.cpu_seconds) / len(codes) * 1e3,
        "look_redis_cpu_ms": (redis_after.cpu_seconds - redis_before.cpu_seconds) / len(codes) * 1e3,
        "look_calls": (sum(seam.calls().values()) - calls_before) / len(codes),
    }


def code_of(ledger: BookingLedger, booking_id: str) -> str | None:
    """Return the id of a booking's code; None until it is in the ledger."""
    code = ledger.get(booking_id).doors[0].code
    return None if code is None else code.access_code_id


def done(calls: dict[str, int]) -> int:
    """Return how many codes have been read back, which is the last call for a booking."""
    return calls.get("/access_codes/get", 0)


def has_done(seam: Sandbox, amount: int) -> bool:
    """Say whether so many codes have been read back."""
    return done(seam.calls()) >= amount


def publish(redis: Redis, doors: list[str], amount: int, prefix: str) -> None:
    """Append bookings, spread over the doors, in one round trip. Each stay at a door begins after the one before."""
    pipeline = redis.pipeline(transaction=False)
    for number in range(amount):
        turn, door = divmod(number, len(doors))
        pipeline.xadd(BOOKING_STREAM, {BOOKING_FIELD: booking(f"{prefix}{number}", doors[door], night=turn)})
    pipeline.execute()


def booking(booking_id: str, door: str, *, night: int = 0) -> str:
    """Return a booking message of one night that fits the door's slot; its code is due at once."""
    check_in = system_clock().date() + timedelta(days=2 + night)
    return json.dumps({
        "booking_id": booking_id,
        "device_ids": [door],
        "check_in": f"{check_in}T15:45",
        "check_out": f"{check_in + timedelta(days=1)}T10:15",
    })  # fmt: skip


def first_calls(amount: int) -> list[float]:
    """Return the milliseconds from appending a booking until its create call arrives, one booking at a time.

    The stand-in for Seam answers at once and notes when a call arrives: Seam's own time isn't measured.
    """
    with fresh_server() as server, sandbox(latency=0) as seam, server.client() as redis:
        doors = seam.add_doors(amount + 3, prefix=2)
        age_the_ledger(redis)
        appended: dict[str, float] = {}
        with worker(server, seam.url):
            for number, door in enumerate(doors):
                appended[door] = system_clock().timestamp()
                publish(redis, [door], 1, f"IDLE{number}-")
                wait_until(partial(has_done, seam, number + 1), within=30, what="a code", every=0.02)
        asked = seam.ask("GET", "/sandbox/requests?path=/access_codes/create&limit=10000")["requests"]
    at = {each["device_id"]: arrival(each) for each in asked}
    return [(at[door] - appended[door]) * 1e3 for door in doors[3:]]


def arrival(asked: dict[str, Any]) -> float:
    """Return when a call arrived at the stand-in (epoch seconds)."""
    return datetime.fromisoformat(str(asked["at"])).timestamp()
