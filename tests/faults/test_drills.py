"""The short form of the drills: a full disk, a data server that is gone for a while, one stalled worker of two."""

from collections.abc import Iterator

import pytest

from tests.faults.drills import data_server_away, disk_full
from tests.faults.secrets_search import search_secrets
from tests.faults.stages import SETTINGS, SHORT
from tests.faults.stalled_worker import one_stalled_of_two
from tests.faults.table import Row, table
from tests.support.machine import Machine
from tests.support.small_disk import NoSmallDisk, SmallDisk

_MEGABYTES = 64


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk | NoSmallDisk]:
    """Mount a disk that can be filled, or return why none can be mounted."""
    try:
        mounted = SmallDisk(tmp_path_factory.mktemp("drills") / "disk", _MEGABYTES)
    except NoSmallDisk as why:
        yield why
        return
    yield mounted
    mounted.close()


@pytest.fixture(scope="module")
def machine(disk: SmallDisk | NoSmallDisk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Run everything once, on the small disk if there is one."""
    elsewhere = tmp_path_factory.mktemp("drills")
    running = disk.machine("data", SETTINGS) if isinstance(disk, SmallDisk) else Machine(elsewhere / "data", SETTINGS)
    running.start()
    yield running
    running.stop()


def check(row: Row) -> None:
    """Fail with the table if a promise wasn't kept."""
    print("\n".join(table([row])))
    assert row.is_clean(), "\n".join(table([row]))
    assert row.seconds


def test_a_full_disk_only_costs_time(machine: Machine, disk: SmallDisk | NoSmallDisk) -> None:
    """503 meanwhile, even if no log line can be written. With space everything goes on: nothing lost, nothing twice."""
    if isinstance(disk, NoSmallDisk):
        pytest.skip(f"A FULL DISK WAS NOT TRIED: {disk}")
    assert "disk: " in machine.oracode("doctor").stdout
    row, said = disk_full(machine, disk, SHORT.full)
    check(row)
    check_secrets = search_secrets(machine, said=said, bookings=())
    assert check_secrets.is_clean(), table([check_secrets])
    assert any("found in 4" in note for note in check_secrets.notes)


def test_everything_waits_for_a_data_server_that_is_gone(machine: Machine) -> None:
    """503 with Retry-After; `worker` and `beat` wait quietly, and all works within 15 s of its return."""
    row, _ = data_server_away(machine, SHORT.gone)
    check(row)


def test_one_stalled_worker_of_two_is_noticed(machine: Machine) -> None:
    """The other one empties the queue meanwhile. The stalled one notices it by itself, and is replaced in time."""
    row, _ = one_stalled_of_two(machine, machine.run()["redis_url"])
    check(row)
    assert row.times == 2
