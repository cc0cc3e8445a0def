"""When a live process counts as stalled: a table, and the thread that acts on it."""

import threading
from datetime import timedelta
from typing import Any, Self, cast

import pytest
from pydantic import SecretStr
from redis import Redis

from shared.contracts import QUEUE, SWEEP_DUE
from shared.liveness.watchdog import Sign, StallLimits, Watchdog, has_stalled, stalled_for
from shared.settings import Settings
from tests.support.server import DataServer
from worker.app import create_celery
from worker.broker import SteadyConnection
from worker.liveness.progress_check import Progress, QueueLength, beat_sign, self_ping_sign, worker_sign
from worker.liveness.self_ping import PingOurselves, register_self_ping

LIMITS = StallLimits(idle=timedelta(seconds=8), busy=timedelta(seconds=280))
SECOND = timedelta(seconds=1)

STUCK = Sign(moved=False, has_work=True)
MOVING = Sign(moved=True, has_work=True)
NOTHING_TO_DO = Sign(moved=False, has_work=False)
ALL_TAKEN = Sign(moved=False, has_work=True, has_room=False)


@pytest.mark.parametrize(
    ("signs", "stalled_after"),
    [
        pytest.param([STUCK] * 20, 8, id="work waits and nobody moves"),
        pytest.param([STUCK] * 7 + [MOVING] + [STUCK] * 7, None, id="moves now and then"),
        pytest.param([STUCK] * 7 + [NOTHING_TO_DO] + [STUCK] * 7, None, id="the broker was away, or empty, in between"),
        pytest.param([NOTHING_TO_DO] * 600, None, id="nothing to do, or no broker, for ten minutes"),
        pytest.param([MOVING] * 600, None, id="busy and moving"),
        pytest.param([ALL_TAKEN] * 279, None, id="every thread waits for Seam"),
        pytest.param([ALL_TAKEN] * 300, 280, id="every thread waits for longer than all of Seam's time-outs"),
        pytest.param([NOTHING_TO_DO] * 60 + [STUCK] * 20, 68, id="the broker is back and nothing follows"),
    ],
)
def test_when_a_process_has_stalled(signs: list[Sign], stalled_after: int | None) -> None:
    """One check a second."""
    suspected_for, found = timedelta(), None
    for number, sign in enumerate(signs, start=1):
        suspected_for = stalled_for(suspected_for, sign, SECOND)
        if has_stalled(suspected_for, sign, LIMITS):
            found = number
            break
    assert found == stalled_after


def test_a_process_that_was_stopped_as_a_whole_has_not_stalled() -> None:
    """An hour between two checks (a paused machine) counts as two seconds."""
    assert stalled_for(timedelta(), STUCK, timedelta(hours=1)) == timedelta(seconds=2)


def test_the_watchdog_ends_a_stalled_process_only() -> None:
    """It ends the process once; after it was stopped, never."""
    ended = threading.Event()
    limits = StallLimits(idle=timedelta(milliseconds=30), busy=timedelta(milliseconds=30))
    every = timedelta(milliseconds=10)
    stopped = Watchdog(lambda: STUCK, limits, end=lambda _: pytest.fail("was stopped"), every=every)
    stopped.stop()
    stopped.start()
    Watchdog(lambda: STUCK, limits, end=lambda _: ended.set(), every=every).start()
    assert ended.wait(5)


def test_signs_of_a_worker(redis_client: Redis, data_server: DataServer) -> None:
    """The broker says how much waits, and finished work is counted. While the broker is away there is no work."""
    del redis_client
    app = create_celery(Settings(redis_url=SecretStr(data_server.url)))
    progress, queue = Progress(), QueueLength(app)
    assert worker_sign(progress, queue, 2) == Sign(moved=False, has_work=False)
    app.send_task(SWEEP_DUE)
    assert queue() == 1
    assert worker_sign(progress, queue, 2) == Sign(moved=False, has_work=True)
    progress.begin()
    assert worker_sign(progress, queue, 1) == Sign(moved=True, has_work=True, has_room=False)
    progress.end()
    assert worker_sign(progress, queue, 1) == Sign(moved=True, has_work=True)
    assert worker_sign(progress, queue, 1) == Sign(moved=False, has_work=True)
    assert QUEUE in app.amqp.queues
    app.close()


def test_a_worker_that_takes_nothing_has_stalled() -> None:
    """Even if others empty the queue; unless the broker is away."""
    assert worker_sign(Progress(), lambda: 0, 2, lambda: False) == Sign(moved=False, has_work=True)
    assert worker_sign(Progress(), lambda: 0, 2, lambda: True) == Sign(moved=False, has_work=False)
    assert worker_sign(Progress(), lambda: None, 2, lambda: False) == Sign(moved=False, has_work=False)


def test_a_worker_calls_itself_in_a_queue_of_its_own(redis_client: Redis, data_server: DataServer) -> None:
    """The call waits for this process only, disappears with it, and no other worker can take it."""
    apps = [create_celery(Settings(redis_url=SecretStr(data_server.url))) for _ in range(2)]
    for app in apps:
        register_self_ping(app)
    first, second = (app.conf.own_queue.name for app in apps)
    assert first != second
    progress = Progress()
    assert self_ping_sign(progress, PingOurselves(apps[0]), 1) == Sign(moved=False, has_work=True)
    assert (redis_client.llen(first), redis_client.llen(second), redis_client.llen(QUEUE)) == (1, 0, 0)
    assert 0 < int(cast(Any, redis_client.ttl(first))) <= 120
    # Nothing is added to a list that all senders read; other workers remove the routes of dead ones.
    bound = cast(Any, redis_client.smembers(f"_kombu.binding.{QUEUE}"))
    assert not any(first in each for each in bound)
    assert redis_client.zscore("_kombu.binding_deadlines", first)
    progress.begin()
    assert self_ping_sign(progress, PingOurselves(apps[0]), 1) == Sign(moved=True, has_work=True, has_room=False)
    away = create_celery(Settings(redis_url=SecretStr("redis://127.0.0.1:1/0")))
    register_self_ping(away)
    assert self_ping_sign(progress, PingOurselves(away), 1) == Sign(moved=False, has_work=False, has_room=False)
    for app in (*apps, away):
        app.close()


def test_a_broker_that_is_away_is_tried_every_two_seconds() -> None:
    """However long it was away; the library's own pauses would grow to half a minute."""
    asked: list[dict[str, Any]] = []

    class Recording(SteadyConnection):
        def _ensure_connection(self, *_: Any, **pauses: Any) -> Self:
            asked.append(pauses)
            return self

    with Recording("memory://") as connection:
        connection.ensure_connection(None, None)
        connection.ensure_connection(interval_start=0)
    assert asked[0] == {"interval_start": 2, "interval_step": 0, "interval_max": 2}
    assert asked[1]["interval_start"] == 0
    app = create_celery(Settings(redis_url=SecretStr("redis://127.0.0.1:1/0")))
    assert isinstance(app.connection_for_read(), SteadyConnection)
    app.close()


def test_signs_of_beat(redis_client: Redis, data_server: DataServer) -> None:
    """While its broker can be reached, beat always has something to send; otherwise it has nothing."""
    del redis_client
    app = create_celery(Settings(redis_url=SecretStr(data_server.url)))
    progress = Progress()
    assert beat_sign(progress, QueueLength(app)) == Sign(moved=False, has_work=True)
    progress.tick()
    assert beat_sign(progress, QueueLength(app)).moved
    away = create_celery(Settings(redis_url=SecretStr("redis://127.0.0.1:1/0")))
    assert beat_sign(progress, QueueLength(away)) == Sign(moved=False, has_work=False)
    app.close()
    away.close()
