"""A booking that kills its worker process again and again: it is parked, and the others go on meanwhile."""

import json
import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

import pytest
from redis import Redis

from deploy.local.run import PROJECT
from deploy.local.supervisor import Command, Supervisor
from shared.clock import system_clock
from shared.ledger.alerts import AlertLedger
from shared.ledger.bookings import BookingLedger
from shared.ledger.due_set import DueSet
from shared.parked import ParkedList
from tests.faults.poisoned_worker import POISON
from tests.support.rabbitmq import RabbitMQ, find_server
from tests.support.server import DataServer
from tests.support.waiting import wait_until

STREAM = "booking-created"


@pytest.fixture(params=["redis", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the broker's URL; empty if it is the data server."""
    if request.param == "redis":
        yield ""
        return
    if find_server() is None:
        pytest.skip("RABBITMQ IS NOT INSTALLED: poison was not tried on it (apt-get install rabbitmq-server)")
    node = RabbitMQ(tmp_path / "rabbitmq")
    node.start()
    yield node.url
    node.stop()


def test_poison_is_parked_and_the_others_go_on(
    redis_client: Redis, data_server: DataServer, tmp_path: Path, broker_url: str
) -> None:
    """Bookings before, beside and after it are applied; it is parked with its reason, and an alert says so."""
    environment = {
        **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")},
        "PYTHONPATH": str(PROJECT),
        "REDIS_URL": data_server.url,
        "CELERY_BROKER_URL": broker_url,
        "SEAM_API_KEY": "seam_none",
        "SEAM_ENDPOINT": "http://127.0.0.1:1",
        "RECLAIM_AFTER": "2s",
    }
    arguments = [sys.executable, "-m", "tests.faults.poisoned_worker"]
    starts: list[int] = []
    supervisor = Supervisor(tmp_path / "logs", lambda pids: starts.append(pids["worker"]))
    due = DueSet(redis_client, lease=timedelta(minutes=1))
    ledger = BookingLedger(redis_client, due=due, clock=system_clock, retention=timedelta(days=1))
    alerts = AlertLedger(redis_client, due=due, clock=system_clock, retention=timedelta(days=1))

    def applied() -> set[str]:
        return {booking.booking_id for booking in ledger.all()}

    wanted = {publish(redis_client, f"BESIDE-{number}") for number in range(10)}
    poison = publish(redis_client, POISON)
    wanted |= {publish(redis_client, f"BEHIND-{number}") for number in range(10)}
    supervisor.start(Command(name="worker", arguments=arguments, environment=environment))
    # A periodic job tells of parked messages, and beat starts it.
    beat = [sys.executable, "-m", "worker", "beat"]
    supervisor.start(Command(name="beat", arguments=beat, environment=environment))
    try:
        wait_until(lambda: applied() >= wanted, within=120, what="those beside it are applied")
        assert ParkedList(redis_client).count() == 0, "the others waited until it was parked"
        wait_until(lambda: ParkedList(redis_client).count() > 0, within=60, what="it is parked")
        (entry,) = ParkedList(redis_client).list()
        assert poison in entry.parked.message
        assert entry.parked.problems
        wait_until(lambda: any(each.is_open for each in alerts.all()), within=60, what="an alert")
        afterwards = publish(redis_client, "AFTERWARDS")
        wait_until(lambda: afterwards in applied(), within=20, what="one published afterwards is applied")
        wait_until(lambda: redis_client.xlen(STREAM) == 0, what="the stream is empty")
    finally:
        supervisor.stop()
    assert len(set(starts)) > 3, "it killed its worker"
    assert poison not in applied()


def publish(redis: Redis, booking_id: str) -> str:
    """Append a booking; return its id."""
    today = system_clock().date()
    booking = {
        "booking_id": booking_id,
        "device_ids": [str(uuid5(NAMESPACE_OID, booking_id))],
        "check_in": f"{today + timedelta(days=3)}T15:45",
        "check_out": f"{today + timedelta(days=5)}T10:15",
    }
    redis.xadd(STREAM, {"message": json.dumps(booking)})
    return booking_id
