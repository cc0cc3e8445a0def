"""Each arrival is counted once, with its readiness 24 hours before check-in."""

from datetime import datetime, timedelta
from functools import partial

import pytest
from redis import Redis

from shared.clock import Clock
from shared.ledger.readiness_history import AHEAD, KEPT_DAYS, ReadinessHistory
from tests.sandbox.harness import Sandbox, in_days
from tests.support.server import DataServer
from tests.worker.machine import Machine, at_once

JOB = "count_readiness"


# Half a day before the check-in of a machine's booking, at any hour of the day.
HALF_A_DAY_BEFORE = datetime.fromisoformat(in_days(2, "15:45:00")) - timedelta(hours=12)


def counted(redis: Redis, clock: Clock) -> tuple[int, int, int]:
    """Return how many were counted as ready, on their way, and at risk."""
    days = ReadinessHistory(redis).days((clock() - timedelta(days=40)).date(), (clock() + timedelta(days=9)).date())
    return sum(it.ready for it in days), sum(it.on_its_way for it in days), sum(it.at_risk for it in days)


def test_arrivals_are_counted_when_they_are_a_day_away(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """One is ready and one waits; one that is booked later isn't counted."""
    machine.handlers.periodic_jobs(JOB)
    machine.until(machine.book(sandbox.door()), "ready")
    machine.book(sandbox.door(slots=[]))
    machine.handlers.periodic_jobs(JOB)
    assert counted(redis_client, machine.clock) == (0, 0, 0)
    machine.clock.move(HALF_A_DAY_BEFORE - machine.clock())
    for _ in range(3):
        machine.handlers.periodic_jobs(JOB)
    assert counted(redis_client, machine.clock) == (1, 0, 1)
    machine.book(sandbox.door())
    machine.handlers.periodic_jobs(JOB)
    assert counted(redis_client, machine.clock) == (1, 0, 1)


def test_two_counts_at_once_count_once(
    machine: Machine, sandbox: Sandbox, data_server: DataServer, redis_client: Redis
) -> None:
    """And a count that was killed in between counts everything or nothing."""
    machine.handlers.periodic_jobs(JOB)
    machine.book(sandbox.door(slots=[]))
    machines = [Machine(redis_client, data_server.url, sandbox) for _ in range(4)]
    for one in machines:
        one.clock.move(HALF_A_DAY_BEFORE - one.clock())
    at_once(*(partial(one.handlers.periodic_jobs, JOB) for one in machines))
    assert counted(redis_client, machine.clock) == (0, 0, 1)


def test_after_a_long_pause(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """A time in which nothing was counted for over a day isn't filled in afterwards."""
    machine.handlers.periodic_jobs(JOB)
    machine.book(sandbox.door(slots=[]))
    machine.clock.move(timedelta(days=5))
    machine.handlers.periodic_jobs(JOB)
    assert counted(redis_client, machine.clock) == (0, 0, 0)


@pytest.mark.parametrize("days", [KEPT_DAYS + 2])
def test_old_days_are_dropped(machine: Machine, sandbox: Sandbox, redis_client: Redis, days: int) -> None:
    """The hash has five weeks."""
    machine.handlers.periodic_jobs(JOB)
    machine.book(sandbox.door(slots=[]))
    machine.clock.move(HALF_A_DAY_BEFORE - machine.clock())
    machine.handlers.periodic_jobs(JOB)
    assert counted(redis_client, machine.clock) == (0, 0, 1)
    machine.clock.move(timedelta(days=days))
    machine.handlers.periodic_jobs(JOB)
    assert counted(redis_client, machine.clock) == (0, 0, 0)
    until = ReadinessHistory(redis_client).counted_until()
    assert until is not None
    assert abs(until - machine.clock() - AHEAD) < timedelta(minutes=1)
