"""The capacity model: computes from the measured costs what a number of doors needs. Pure.

`write` puts its tables into docs/capacity.md, between the marks; a test compares the page with the results.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.table import shown
from shared.settings import Settings

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "capacity.md"
BEGIN: Final = "<!-- figures: made by `make bench` from bench/results.json -->"
END: Final = "<!-- end of figures -->"
_OURS: Final = "oracode-codes (python -m receiver)"
_A_WORKER: Final = Settings.model_fields["worker_concurrency"].default
_MONTH: Final = 30 * 86_400
_GIB: Final = 2**30


@dataclass(frozen=True, slots=True)
class Assumptions:
    """How doors are used. Peak rates are `peak` times the mean."""

    bookings_a_month: float = 8
    events_a_booking: float = 6
    peak: float = 10
    months_kept: float = 4
    busy: float = 0.6
    seam_seconds: float = 0.3
    looks_later: float = 3
    redis_gib: float = 64


@dataclass(frozen=True, slots=True)
class Costs:
    """The costs of one unit of each kind of work: CPU in microseconds, bytes in Redis, calls to Seam."""

    webhook_web: float
    webhook_redis: float
    mark_bytes: float
    event_worker: float
    event_redis: float
    event_bytes: float
    booking_worker: float
    booking_redis: float
    booking_bytes: float
    booking_calls: float
    look_worker: float
    look_redis: float
    look_calls: float


@dataclass(frozen=True, slots=True)
class Needs:
    """What a number of doors needs at the peak."""

    doors: int
    bookings_a_second: float
    events_a_second: float
    web_cores: float
    worker_cores: float
    tasks_waiting: float
    seam_calls_a_second: float
    redis_cores: float
    redis_gib: float


def costs_of(results: Mapping[str, Any]) -> Costs:
    """Read the costs out of the results. Raises KeyError where a part wasn't measured."""
    parts = {name: part["figures"] for name, part in results["parts"].items()}
    ours, events, creates = parts["receiver"]["variants"][_OURS], parts["events"], parts["creates"]
    ledger = parts["growth"]["ledger: a booking looked up"]["redis_bytes"]
    largest = max(ledger, key=int)
    return Costs(
        webhook_web=ours["web_cpu"][0],
        webhook_redis=ours["redis_cpu"][0],
        mark_bytes=events["bytes_a_mark"],
        event_worker=events["worker_cpu"],
        event_redis=events["redis_cpu"],
        event_bytes=events["bytes_an_event"],
        booking_worker=creates["worker_cpu_ms"][0] * 1e3,
        booking_redis=creates["redis_cpu_ms"][0] * 1e3,
        booking_bytes=ledger[largest] / int(largest),
        booking_calls=creates["seam_calls"][0],
        # The measurement includes the event that prompted the look; that is counted separately.
        look_worker=max(0.0, creates["look_worker_cpu_ms"][0] * 1e3 - events["worker_cpu"]),
        look_redis=max(0.0, creates["look_redis_cpu_ms"][0] * 1e3 - events["redis_cpu"]),
        look_calls=creates["look_calls"][0],
    )


def needs_of(doors: int, costs: Costs, given: Assumptions) -> Needs:
    """Return what this number of doors needs."""
    bookings = doors * given.bookings_a_month / _MONTH * given.peak
    events = bookings * given.events_a_booking
    looks = bookings * given.looks_later
    calls = bookings * costs.booking_calls + looks * costs.look_calls
    worker = bookings * costs.booking_worker + looks * costs.look_worker + events * costs.event_worker
    redis = bookings * costs.booking_redis + looks * costs.look_redis
    redis += events * (costs.webhook_redis + costs.event_redis)
    kept = doors * given.bookings_a_month * given.months_kept
    # The ledger's figure includes two events for each booking.
    stories = kept * max(0.0, given.events_a_booking - 2) * costs.event_bytes
    marks = events / given.peak * 3 * 86_400 * costs.mark_bytes
    return Needs(
        doors=doors,
        bookings_a_second=bookings,
        events_a_second=events,
        web_cores=events * costs.webhook_web / 1e6 / given.busy,
        worker_cores=worker / 1e6 / given.busy,
        tasks_waiting=calls * given.seam_seconds,
        seam_calls_a_second=calls,
        redis_cores=redis / 1e6 / given.busy,
        redis_gib=(kept * costs.booking_bytes + stories + marks) / _GIB,
    )


def end_of_one_redis(costs: Costs, given: Assumptions) -> tuple[float, float]:
    """Return for how many doors one data server has enough CPU, and enough memory."""
    of_one_million = needs_of(1_000_000, costs, given)
    return 1e6 / of_one_million.redis_cores, 1e6 * given.redis_gib / of_one_million.redis_gib


def figures(results: Mapping[str, Any]) -> str:
    """Return the document's tables."""
    given, costs = Assumptions(), costs_of(results)
    machine = results["machine"]
    by_cpu, by_memory = end_of_one_redis(costs, given)
    rough = [name for name, part in results["parts"].items() if part.get("quick")]
    lines = [
        f"Measured {machine['measured_at'][:10]} on {machine['cores']} cores, Python {machine['python']}"
        + (f"; by a **short run**, and rough: {', '.join(rough)}." if rough else "."),
        "",
        "| one … | web CPU | worker CPU | Redis CPU | Redis bytes | calls to Seam |",
        "|---|---|---|---|---|---|",
        _row("webhook accepted", (costs.webhook_web, None, costs.webhook_redis), f"{costs.mark_bytes:.0f}, for 3 days"),
        _row("event recorded", (None, costs.event_worker, costs.event_redis), f"{costs.event_bytes:.0f}"),
        _row(
            "booking taken to its code",
            (None, costs.booking_worker, costs.booking_redis),
            f"{costs.booking_bytes:,.0f}, its code and two events included",
            shown(costs.booking_calls),
        ),
        _row(
            "code looked at again",
            (None, costs.look_worker, costs.look_redis),
            "none of its own",
            shown(costs.look_calls),
        ),
        "",
        "| at the peak hour | " + " | ".join(f"{doors:,} doors" for doors in _SIZES) + " |",
        "|---|" + "---|" * len(_SIZES),
    ]
    needs = [needs_of(doors, costs, given) for doors in _SIZES]
    lines += [f"| {what} | " + " | ".join(_plain(getattr(each, name)) for each in needs) + " |" for name, what in _ROWS]
    ends = (
        f"One Redis has CPU enough for about {_doors(by_cpu)} doors, and with {given.redis_gib:g} GiB memory enough for"
    )
    lines += ["", f"{ends} about {_doors(by_memory)}."]
    return "\n".join(lines)


_SIZES: Final = (10_000, 1_000_000, 100_000_000)
_ROWS: Final = (
    ("bookings_a_second", "bookings a second"),
    ("events_a_second", "webhooks a second"),
    ("web_cores", "cores for `web`"),
    ("worker_cores", "cores for `worker`"),
    ("tasks_waiting", f"tasks that wait for Seam ({_A_WORKER} a worker)"),
    ("seam_calls_a_second", "calls to Seam a second"),
    ("redis_cores", "cores for Redis (one is what one Redis has)"),
    ("redis_gib", "Redis memory, GiB"),
)


def filled_in(document: str, text: str) -> str:
    """Return the document with this text between its marks. Raises ValueError if they are missing."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError("docs/capacity.md has no place for figures")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def write(results: Mapping[str, Any]) -> bool:
    """Update docs/capacity.md; False if not every part was measured yet."""
    try:
        text = figures(results)
    except KeyError:
        return False
    DOCUMENT.write_text(filled_in(DOCUMENT.read_text(), text))
    return True


def _row(what: str, cpu: tuple[float | None, float | None, float | None], kept: str, calls: str = "–") -> str:
    web, worker, redis = cpu
    return f"| {what} | {_us(web)} | {_us(worker)} | {_us(redis)} | {kept} | {calls} |"


def _us(microseconds: float | None) -> str:
    if microseconds is None:
        return "–"
    return f"{shown(microseconds)} µs" if microseconds < 1_000 else f"{shown(microseconds / 1_000)} ms"


def _plain(value: float) -> str:
    return shown(round(value)) if value >= 100 else f"{value:.2g}" if value < 1 else f"{value:.1f}"


def _doors(amount: float) -> str:
    return f"{amount / 1e6:.1f} million" if amount >= 1e6 else f"{round(amount, -3):,.0f}"
