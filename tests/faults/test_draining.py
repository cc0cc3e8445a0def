"""A worker is asked to end, but its calls to Seam hang for longer than it has."""

from pathlib import Path

from tests.faults import draining
from tests.faults.table import table
from tests.support.machine import Machine


def test_a_worker_ends_in_time_and_the_next_one_finishes(tmp_path: Path) -> None:
    """The worker is gone after 25 s. The next one does the hanging calls and waiting work; no code is made twice."""
    machine = Machine(tmp_path / "data", draining.SETTINGS)
    machine.start()
    try:
        row, _ = draining.drain_cut(machine)
    finally:
        machine.stop()
    print("\n".join(table([row])))
    assert row.is_clean(), "\n".join(table([row]))
