"""A drain that is cut: calls to Seam hang for longer than a worker may take to end."""

from pathlib import Path

from tests.faults import draining
from tests.faults.table import table
from tests.support.machine import Machine


def test_a_drain_ends_in_time_and_a_successor_finishes(tmp_path: Path) -> None:
    """The worker is gone after 25 s; what hung, and what waited behind it, is done by the next: no code twice."""
    machine = Machine(tmp_path / "data", draining.SETTINGS)
    machine.start()
    try:
        row, _ = draining.drain_cut(machine)
    finally:
        machine.stop()
    print("\n".join(table([row])))
    assert row.is_clean(), "\n".join(table([row]))
