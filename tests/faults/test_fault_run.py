"""The short form of the fault run: real processes, killed at random, with a Seam that fails after the effect."""

from pathlib import Path

from tests.faults.fault_run import SETTINGS, FaultRun
from tests.support.machine import Machine


def test_one_code_a_door_whatever_is_killed(tmp_path: Path) -> None:
    """Nothing is missing, nothing comes twice, nothing stays in doubt."""
    machine = Machine(tmp_path / "data", SETTINGS)
    machine.start()
    try:
        result = FaultRun(machine, bookings=60, doors=12, seconds=15, seed=7).run(("worker", "redis", "beat", "web"))
    finally:
        machine.stop()
    print("\n".join(result.lines()))
    assert result.is_clean(), "\n".join(result.lines())
    assert sum(result.kills.values()) > 1
    assert sum(result.faults.values()) > 1
