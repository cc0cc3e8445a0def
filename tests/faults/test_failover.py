"""The primary data server dies under load: everything follows by itself, nothing is lost or made twice."""

from pathlib import Path

from tests.faults.failing_over import FOLLOWS_WITHIN, fail_over, kill
from tests.support.waiting import PATIENCE


def test_a_primary_that_is_killed_under_load(tmp_path: Path) -> None:
    """With SYNC_REPLICAS=1 everything that was accepted is kept; no process is restarted; each booking has one code."""
    row, took = fail_over(tmp_path, kill, sync_replicas=1)
    print(*row.notes, sep="\n")
    assert (row.lost, row.twice) == ([], [])
    assert max(took["web accepts"], took["worker records"]) < PATIENCE * FOLLOWS_WITHIN, took
