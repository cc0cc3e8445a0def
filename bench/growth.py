"""Growth: the same work at 1×, 10× and 100× of bookings, doors, events and ledger size; time and bytes for each.

Ten times the work may cost ten times as much. But the cost of one look-up, sweep or new booking must not depend on the
size of the ledger. The use cases run here as the worker assembles them, in one thread, on a real data server.
"""

import json
import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from statistics import median
from typing import Any, Final
from zlib import crc32

from pydantic import SecretStr

from bench import filler
from bench.creates import booking
from bench.data_server import DataServer, fresh_server
from bench.events import fill
from bench.matching import device
from bench.statistics import growth_of_one, growth_of_total
from bench.suite import Options, Outcome
from bench.system import BOOKING_STREAM, EVENT_STREAM, Sandbox, age_the_ledger, ledger_of, sandbox
from bench.table import table
from bench.targets import Target
from shared import redis_keys
from shared.clock import system_clock
from shared.contracts import BOOKING_FIELD
from shared.garbage_collection import freeze_loaded_objects
from shared.ledger.due_set import DueSet, door_item
from shared.settings import Settings
from worker.assembly import Handlers, build_handlers
from worker.ports import open_ports

_SWEEP: Final = 200
"""How many doors are due in the sweep that is timed."""


@dataclass(frozen=True, slots=True)
class Curve:
    """The cost of one kind of work by size: milliseconds, bytes in Redis (0 if it leaves none), and the judgement."""

    name: str
    milliseconds: dict[int, float]
    redis_bytes: dict[int, float]
    of_one: bool

    @property
    def factor(self) -> float:
        """The cost of one at the largest size, divided by that at the smallest."""
        return (growth_of_one if self.of_one else growth_of_total)(self.milliseconds).factor


def run(options: Options) -> Outcome:
    """Measure every curve."""
    small = (10, 100, 1_000) if options.quick else (100, 1_000, 10_000)
    events = (200, 2_000, 20_000) if options.quick else (1_000, 10_000, 100_000)
    ledger = (100, 1_000, 10_000) if options.quick else (10_000, 100_000, 1_000_000)
    curves = [
        by_size("bookings applied and planned", small, bookings_cost, options),
        by_size("doors read", small, doors_cost, options),
        by_size("events recorded", events, events_cost, options),
        *ledger_curves(ledger, options),
    ]
    targets = tuple(
        Target(
            f"growth: {curve.name}, {max(curve.milliseconds):,} / {min(curve.milliseconds):,}",
            curve.factor,
            "at most",
            1.2,
            "×",
        )
        for curve in curves
    )
    rows = [
        (
            f"{curve.name}, {size:,}",
            curve.milliseconds[size],
            curve.milliseconds[size] / (1 if curve.of_one else size) * 1e3,
            curve.redis_bytes.get(size, 0) / size or None,
        )
        for curve in curves
        for size in curve.milliseconds
    ]
    figures: dict[str, Any] = {
        curve.name: {
            "of_one": curve.of_one,
            "milliseconds": {str(size): each for size, each in curve.milliseconds.items()},
            "redis_bytes": {str(size): each for size, each in curve.redis_bytes.items()},
            "factor": curve.factor,
        }
        for curve in curves
    }
    head = ("growth", "ms", "µs each", "Redis bytes each")
    return Outcome(figures=figures, targets=targets, text=table(head, rows))


def by_size(
    name: str, sizes: tuple[int, ...], cost: Callable[[DataServer, int], tuple[float, float]], options: Options
) -> Curve:
    """Measure one kind of work, each size on an empty server. The sizes take turns; the figures are medians."""
    found: dict[int, list[tuple[float, float]]] = {size: [] for size in sizes}
    # The worker does the same when it is ready.
    freeze_loaded_objects()
    for _ in range(options.rounds):
        for size in sizes:
            with fresh_server() as server:
                found[size].append(cost(server, size))
    milliseconds = {size: median(each for each, _ in of_size) for size, of_size in found.items()}
    for size in sizes:
        options.say(f"{name}, {size:,}: {milliseconds[size]:,.0f} ms")
    taken = {size: median(each for _, each in of_size) for size, of_size in found.items()}
    return Curve(name, milliseconds, taken, of_one=False)


def handlers_on(
    server: DataServer, seam_url: str = "http://127.0.0.1:9", lead_time: timedelta = timedelta(hours=1)
) -> Handlers:
    """Assemble the worker's use cases. With the default lead time, every code is left for later."""
    settings = Settings(
        redis_url=SecretStr(server.url),
        seam_api_key=SecretStr("seam_bench_key"),
        seam_endpoint=seam_url,
        door_cache_for=timedelta(hours=1),
        create_lead_time=lead_time,
    )
    return build_handlers(settings, open_ports(settings), channels=(), units={}, look=lambda _, __: None)


def bookings_cost(server: DataServer, amount: int) -> tuple[float, float]:
    """Return the cost of applying so many bookings and planning them for later: milliseconds, bytes."""
    handlers = handlers_on(server)
    with server.client() as redis:
        remember_doors(server, 100)
        entries = [
            str(redis.xadd(BOOKING_STREAM, {BOOKING_FIELD: booking(f"B{number}", known_door(number % 100))}))
            for number in range(amount)
        ]
        before, started = server.used_bytes(), time.perf_counter()
        for entry_id in entries:
            applied = handlers.apply_booking(entry_id)
            if applied is None:
                raise ValueError("a booking wasn't applied")
            handlers.advance_door(applied.booking_id, applied.doors[0].key)
        return (time.perf_counter() - started) * 1e3, server.used_bytes() - before


def known_door(number: int) -> str:
    """Return the id of a cached door."""
    return f"0d000000-0000-4000-8000-{number:012}"


def remember_doors(server: DataServer, amount: int) -> None:
    """Put the doors into the cache, as if Seam had just been asked."""
    with server.client() as redis:
        pipeline = redis.pipeline(transaction=False)
        for number in range(amount):
            pipeline.set(
                redis_keys.door_device(known_door(number)), json.dumps(device(3, known_door(number))), px=3_600_000
            )
        pipeline.execute()


def doors_cost(server: DataServer, amount: int) -> tuple[float, float]:
    """Return the cost of one booking on each of so many doors, with reading the doors: milliseconds, bytes."""
    handlers = handlers_on(server)
    with server.client() as redis:
        before = server.used_bytes()
        remember_doors(server, amount)
        entries = [
            str(redis.xadd(BOOKING_STREAM, {BOOKING_FIELD: booking(f"D{number}", known_door(number))}))
            for number in range(amount)
        ]
        started = time.perf_counter()
        for number, entry_id in enumerate(entries):
            handlers.apply_booking(entry_id)
            handlers.advance_door(f"D{number}", known_door(number))
        return (time.perf_counter() - started) * 1e3, server.used_bytes() - before


def events_cost(server: DataServer, amount: int) -> tuple[float, float]:
    """Return the cost of recording so many events: milliseconds, bytes."""
    handlers = handlers_on(server)
    with server.client() as redis:
        redis.xgroup_create(EVENT_STREAM, "oracode", id="0", mkstream=True)
        empty = server.used_bytes()
        fill(server, amount)
        seconds = 0.0
        while True:
            found: Any = redis.xreadgroup("oracode", "bench", {EVENT_STREAM: ">"}, count=200)
            entries = [
                entry_id
                for _, batch in (found.items() if isinstance(found, dict) else found or [])
                for entry_id in ids_of(batch)
            ]
            if not entries:
                return seconds * 1e3, server.used_bytes() - empty
            started = time.perf_counter()
            handlers.record_events(entries)
            seconds += time.perf_counter() - started


def ids_of(batch: Any) -> list[str]:
    """Return the ids of the entries; with the newer protocol, redis-py wraps them in one more list."""
    entries = batch[0] if batch and isinstance(batch[0], list) else batch
    return [str(entry_id) for entry_id, _ in entries]


def ledger_curves(sizes: tuple[int, ...], options: Options) -> list[Curve]:
    """Measure look-ups, sweeps and new bookings in a ledger that grows."""
    names = (
        "ledger: a booking looked up",
        "ledger: a code's owner looked up",
        "ledger: a door's bookings looked up",
        "ledger: a sweep with nothing due",
        f"ledger: a sweep with {_SWEEP} due",
        "ledger: a booking through to its code",
    )
    found: dict[str, dict[int, list[float]]] = {name: {size: [] for size in sizes} for name in names}
    taken: dict[int, float] = {}
    # All ledgers exist at once and take turns, so that other load on the machine affects them alike.
    with ExitStack() as stack:
        seam = stack.enter_context(sandbox(latency=0))
        servers = {size: stack.enter_context(fresh_server()) for size in sizes}
        for size, server in servers.items():
            made = filler.template(server)
            empty = server.used_bytes()
            filler.grow(server, made, 0, size)
            taken[size] = server.used_bytes() - empty
            options.say(f"ledger of {size:,}: {taken[size] / size:,.0f} bytes each")
        for turn in range(2 if options.quick else 6):
            for size, server in servers.items():
                costs = ledger_costs(server, seam, size, turn, options)
                for name, milliseconds in zip(names, costs, strict=True):
                    found[name][size] += milliseconds
    middle = {name: {size: median(each) for size, each in of_size.items()} for name, of_size in found.items()}
    return [Curve(name, middle[name], taken if name == names[0] else {}, of_one=True) for name in names]


def ledger_costs(server: DataServer, seam: Sandbox, size: int, turn: int, options: Options) -> list[list[float]]:
    """Return the milliseconds of many operations for each curve, in the order of the curves."""
    dice, times = random.Random(size + turn), 50
    ledger = ledger_of(server)
    with server.client() as redis:
        due = DueSet(redis, lease=timedelta(minutes=1))
        now = system_clock()
        numbers = [dice.randrange(size) for _ in range(times)]
        costs = [
            timed([partial(ledger.get, filler.booking_id(number)) for number in numbers]),
            timed([partial(ledger.owner_of, [filler.code_id(number)]) for number in numbers]),
            timed([partial(ledger.of_door, filler.door_id(number)) for number in numbers]),
            timed([partial(due.claim, now, 500)] * times),
            timed([partial(swept, due, turn, now)] * 10, setup=partial(hold_due, due, turn, now)),
        ]
        if any(ledger.get(filler.booking_id(number)).doors[0].code is None for number in numbers[:3]):
            raise ValueError("the ledger wasn't filled as it should be")
    return [*costs, through_to_its_code(server, seam, f"{size}-{turn}", 10 if options.quick else 15)]


def timed(works: Sequence[Callable[[], object]], setup: Callable[[], None] = lambda: None) -> list[float]:
    """Return the milliseconds of each call, without the first few, which are for warming up."""
    took = []
    for work in works:
        setup()
        started = time.perf_counter()
        work()
        took.append((time.perf_counter() - started) * 1e3)
    return took[max(1, len(took) // 10) :]


def hold_due(due: DueSet, number: int, now: datetime) -> None:
    """Make some doors due."""
    due.set((door_item(f"SWEPT{number}-{each}", "d"), now - timedelta(seconds=1)) for each in range(_SWEEP))


def swept(due: DueSet, number: int, now: datetime) -> None:
    """Sweep: claim exactly the doors that are due, then remove them."""
    claimed = [item for item, _ in due.claim(now, 500)]
    if {item.ids for item in claimed} != {(f"SWEPT{number}-{each}", "d") for each in range(_SWEEP)}:
        raise ValueError(f"the sweep claimed {len(claimed)}, not what was due")
    due.set((item, None) for item in claimed)


def through_to_its_code(server: DataServer, seam: Sandbox, mark: str, amount: int) -> list[float]:
    """Return the milliseconds from the message of a new booking to its code; Seam answers at once."""
    doors = seam.add_doors(amount, prefix=crc32(mark.encode()))
    handlers = handlers_on(server, seam.url, timedelta(days=14))
    took = []
    with server.client() as redis:
        age_the_ledger(redis)
        for number, door in enumerate(doors):
            entry_id = str(redis.xadd(BOOKING_STREAM, {BOOKING_FIELD: booking(f"NEW{mark}-{number}", door)}))
            started = time.perf_counter()
            applied = handlers.apply_booking(entry_id)
            if applied is None:
                raise ValueError("a booking wasn't applied")
            handlers.advance_door(applied.booking_id, door)
            took.append((time.perf_counter() - started) * 1e3)
            if ledger_of(server).get(applied.booking_id).doors[0].code is None:
                raise ValueError("a booking got no code")
    return took[2:]
