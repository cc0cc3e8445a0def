"""Periodic jobs. Each has one place in the due-set, so it survives when any process is killed.

A worker that has run a job puts it at its next time. If the worker dies, the job comes back after a lease. A data
server that came back empty gets all jobs with the next sweep.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from redis import Redis

from shared import redis_keys
from shared.clock import Clock
from shared.domain.versions import NewerVersionNeeded
from shared.ledger.due_set import DueSet, periodic_job_item
from shared.seam.errors import SeamError

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PeriodicJob:
    """A work, and when it is due again: a function of the moment at which it was done."""

    name: str
    run: Callable[[], object]
    next_at: Callable[[datetime], datetime]


def every(interval: timedelta) -> Callable[[datetime], datetime]:
    """Return the rule "so long after it was done"."""
    return lambda done_at: done_at + interval


class PeriodicJobs:
    """All periodic jobs by name. Any of them may run twice at once."""

    def __init__(self, *, redis: Redis, due: DueSet, clock: Clock, periodic_jobs: tuple[PeriodicJob, ...]) -> None:
        self._redis = redis
        self._due = due
        self._clock = clock
        self._jobs = {periodic_job.name: periodic_job for periodic_job in periodic_jobs}

    def ensure(self) -> None:
        """Give every periodic job a place in the due-set, now, where it has none."""
        now = self._clock()
        self._due.add_missing((periodic_job_item(name), now) for name in self._jobs)

    def __call__(self, name: str) -> None:
        """Run one periodic job and put it at its next time; what fails is tried again then, and a bug is logged as one.

        Raises NewerVersionNeeded, having put it at no time, where a newer process must do it.
        """
        periodic_job = self._jobs.get(name)
        if periodic_job is None:
            # A job of another version: a process that knows it gives it a place again with the next sweep. Nobody does
            # for a job of an older version, and that is right.
            self._due.set([(periodic_job_item(name), None)])
            return
        try:
            periodic_job.run()
        except NewerVersionNeeded:
            raise
        except SeamError as error:
            log.warning("periodic_job.failed", periodic_job=name, kind=type(error).__name__, error=str(error))
        except Exception:
            log.exception("periodic_job.crashed", periodic_job=name)
        else:
            self._redis.hset(redis_keys.PERIODIC_JOBS, name, self._clock().isoformat())
        self._due.set([(periodic_job_item(name), periodic_job.next_at(self._clock()))])
