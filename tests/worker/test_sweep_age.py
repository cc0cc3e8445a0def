"""How old a sweep may be: old enough for a queue that is slow, never so old that it claims again what waits in it."""

from datetime import timedelta

import pytest
from pydantic import SecretStr

from shared.settings import Settings
from worker.app import create_celery


@pytest.mark.parametrize(("lease", "seconds"), [(60, 30), (300, 150), (6, 5), (1, 5)])
def test_a_sweep_lasts_half_a_lease_and_at_least_five_seconds(lease: int, seconds: int) -> None:
    """The messages of `beat` expire by this; `docs/failover.md` says whose clock judges."""
    settings = Settings(redis_url=SecretStr("redis://127.0.0.1:1/0"), reclaim_after=timedelta(seconds=lease))
    (entry,) = create_celery(settings).conf.beat_schedule.values()
    assert entry["options"]["expires"] == seconds
