"""Runs the drills, each on a machine that suits it, and then the search for secrets."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults import draining
from tests.faults.drills import data_server_away, disk_full
from tests.faults.secrets_search import search_secrets
from tests.faults.stalled_worker import one_stalled_of_two
from tests.faults.table import Row
from tests.support.machine import Machine
from tests.support.rabbitmq import RabbitMQ
from tests.support.small_disk import NoSmallDisk, SmallDisk

SETTINGS = {"WAITING_RETRY_EVERY": "3s", "DOOR_CACHE_FOR": "2s", "RECLAIM_AFTER": "6s", "SEAM_TIMEOUT": "2s"}
_MEGABYTES = 256

Drill = Callable[[Machine, str], tuple[Row, set[str]]]


@dataclass(frozen=True, slots=True)
class Lengths:
    """For how many seconds the disk is full, and the data server is gone."""

    full: float
    gone: float


LONG = Lengths(full=30, gone=180)
SHORT = Lengths(full=3, gone=12)


def run_drills(directory: Path, lengths: Lengths, *, broker: str = "redis") -> list[Row]:
    """Run all of them; the last row is the search for secrets after them."""
    search = Row("searched for secrets after each of these", within=None)
    drain: list[Drill] = [lambda machine, _: draining.drain_cut(machine)]
    rows = [
        *_on_a_small_disk(directory / "small", lengths, search, broker),
        *_on_any(directory / "drain", draining.SETTINGS, drain, search=search, broker=broker),
    ]
    return [*rows, search]


def outages(lengths: Lengths) -> list[Drill]:
    """Return the drills that don't need a disk of their own."""
    return [lambda machine, _: data_server_away(machine, lengths.gone), one_stalled_of_two]


def _on_a_small_disk(directory: Path, lengths: Lengths, search: Row, broker: str) -> list[Row]:
    try:
        disk = SmallDisk(directory / "disk", _MEGABYTES)
    except NoSmallDisk as why:
        untried = Row("disk full", notes=[f"NOT TRIED: {why}"])
        return [untried, *_on_any(directory, SETTINGS, outages(lengths), search=search, broker=broker)]
    drills = [lambda machine, _: disk_full(machine, disk, lengths.full), *outages(lengths)]
    try:
        return _on_any(directory, SETTINGS, drills, search=search, broker=broker, disk=disk)
    finally:
        disk.close()


def _on_any(
    directory: Path,
    settings: dict[str, str],
    drills: Iterable[Drill],
    *,
    search: Row,
    broker: str,
    disk: SmallDisk | None = None,
) -> list[Row]:
    rows: list[Row] = []
    said: set[str] = set()
    directory.mkdir(parents=True, exist_ok=True)
    with _broker(directory / "rabbitmq", broker) as node:
        more = {"CELERY_BROKER_URL": node.url} if node else {}
        machine = disk.machine("data", settings | more) if disk else Machine(directory / "data", settings | more)
        machine.start()
        try:
            broker_url = node.url if node else machine.run()["redis_url"]
            for drill in drills:
                try:
                    row, answers = drill(machine, broker_url)
                except AssertionError as failed:
                    # A wait that failed is a row of the table; the other drills run nevertheless.
                    row, answers = Row("a drill that wasn't finished", times=1, broken=[str(failed)]), set()
                rows.append(row)
                said |= answers
            found = search_secrets(machine, said=said, bookings=(), more=[directory / "rabbitmq"] if node else [])
        finally:
            machine.stop()
    search.times += 1
    search.secrets += found.secrets
    search.notes += found.notes
    search.broken += found.broken
    return rows


@contextmanager
def _broker(directory: Path, kind: str) -> Iterator[RabbitMQ | None]:
    if kind != "rabbitmq":
        yield None
        return
    node = RabbitMQ(directory)
    try:
        node.start()
        yield node
    finally:
        node.stop()
