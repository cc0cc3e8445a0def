"""What is promised is on a replica first: on a real primary and its replica, which stands still when it is told to."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from starlette.requests import Request

from receiver.inbox import Inbox
from receiver.parked_webhooks import ParkedWebhooks
from receiver.readiness import Readiness
from receiver.refusals import Unavailable
from receiver.webhook_parsing import NotAnEvent
from shared.booking_stream import BookingStream
from shared.clock import system_clock
from shared.domain.alerting.severity import Severity
from shared.ledger.due_set import DueSet
from shared.parked import Parked, ParkedList
from shared.redis_client import connect, connect_async
from shared.replicas import NotOnReplicas, are_replicas_there, begin_step, wait_for_replicas
from shared.streams import CONSUMER, GROUP, acknowledge, ensure_group
from tests.shared.ledgers import alert_ledger, booking_ledger
from tests.shared.stories import accepted
from tests.support.failover import primary_and_replica
from tests.support.server import DataServer
from tests.support.waiting import wait_until
from worker.consumers.stream_reader import StreamReader
from worker.handlers.check_replicas import CheckReplicas

STREAM = "s"


class Servers:
    """A primary, and its replica, which can stand still."""

    def __init__(self, primary: DataServer, replica: DataServer) -> None:
        self.url = primary.url
        self._replica = replica

    def client(self) -> Redis:
        """Return a client whose promises must be on one replica."""
        return connect(self.url, sync_replicas=1)

    def halt(self) -> None:
        """Let the replica stand still."""
        self._replica.send(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on, and wait until it has all."""
        self._replica.send(signal.SIGCONT)
        with_all = self.client()
        wait_until(lambda: are_replicas_there(with_all), what="the replica has all")
        with_all.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DataServer, DataServer]]:
    """Run a primary and its replica for all tests here."""
    with primary_and_replica(Path(tmp_path_factory.mktemp("replicas"))) as servers:
        yield servers


@pytest.fixture
def servers(pair: tuple[DataServer, DataServer]) -> Iterator[Servers]:
    """Lend both, empty and in step."""
    it = Servers(*pair)
    it.go_on()
    with Redis.from_url(it.url) as client:
        client.flushall()
    yield it
    it.go_on()


def test_a_barrier_holds_for_what_others_wrote(servers: Servers) -> None:
    """A connection that wrote nothing itself waits too: the server alone would wait for nothing."""
    mine, other = servers.client(), servers.client()
    wait_for_replicas(mine, begin_step(mine))
    servers.halt()
    other.set("k", "1")
    with pytest.raises(NotOnReplicas):
        wait_for_replicas(mine, begin_step(mine))
    servers.go_on()
    wait_for_replicas(mine, begin_step(mine))


def test_without_the_setting_nobody_waits(servers: Servers) -> None:
    """Not even for a replica that is there."""
    servers.halt()
    client = connect(servers.url)
    wait_for_replicas(client, begin_step(client))
    assert are_replicas_there(connect(servers.url))


def test_web_accepts_nothing_that_is_on_no_replica(servers: Servers) -> None:
    """Neither a message nor its repeat, which is in the stream already; once the replica has it, it is a repeat."""

    async def tried() -> list[object]:
        redis = connect_async(servers.url)
        inbox = Inbox(redis, stream=STREAM, field="f", clock=system_clock, sync_replicas=1)
        parked = ParkedWebhooks(redis, stream=STREAM, clock=system_clock, sync_replicas=1)
        running = asyncio.create_task(inbox.run())
        answers: list[object] = []

        async def answer(message_id: str) -> None:
            try:
                answers.append(await inbox.append(message_id, "m"))
            except Unavailable:
                answers.append("503")

        await answer("first")
        servers.halt()
        await answer("second")
        await answer("second")
        await answer("first")
        try:
            await parked.park(NotAnEvent("d", "t", "p"))
        except Unavailable:
            answers.append("503")
        await asyncio.to_thread(servers.go_on)
        await answer("second")
        await answer("third")
        running.cancel()
        await redis.aclose()
        return answers

    assert asyncio.run(tried()) == [True, "503", "503", "503", "503", False, True]


def test_web_is_not_ready_without_its_replicas(servers: Servers) -> None:
    """Nothing would be accepted."""

    async def status() -> int:
        redis = connect_async(servers.url)
        answer = await Readiness(redis, sync_replicas=1).readyz(Request({"type": "http"}))
        await redis.aclose()
        return answer.status_code

    assert asyncio.run(status()) == 200
    servers.halt()
    assert asyncio.run(status()) == 503


def test_a_booking_that_is_on_no_replica_is_not_written(servers: Servers) -> None:
    """So no call follows an intent that may be lost; the next try finds what the primary has."""
    client = servers.client()
    ledger = booking_ledger(client)
    servers.halt()
    with pytest.raises(NotOnReplicas):
        ledger.record_message("BK-1", accepted)
    servers.go_on()
    assert ledger.get("BK-1").booking_id == "BK-1"


def test_an_entry_stays_until_its_outcome_is_on_a_replica(servers: Servers) -> None:
    """It doesn't matter which process recorded the outcome."""
    client = servers.client()
    ensure_group(client, STREAM)
    entry_id = str(client.xadd(STREAM, {"f": "m"}))
    servers.halt()
    with pytest.raises(NotOnReplicas):
        acknowledge(client, STREAM, [entry_id], step=begin_step(client))
    assert client.xlen(STREAM) == 1
    servers.go_on()
    acknowledge(client, STREAM, [entry_id], step=begin_step(client))
    assert client.xlen(STREAM) == 0


def test_what_is_parked_is_on_a_replica_too(servers: Servers) -> None:
    """Its entry leaves its stream after that, perhaps by another client."""
    parked = Parked(stream=STREAM, field="f", source_id="1-1", message="m", problems=(), parked_at="now")
    found = ParkedList(servers.client())
    assert found.park(parked)
    servers.halt()
    with pytest.raises(NotOnReplicas):
        found.park(parked)


def test_what_is_published_by_hand_is_on_a_replica_too(servers: Servers) -> None:
    """Also what a broker delivered, which is acknowledged to it afterwards; and its repeat."""
    stream = BookingStream(servers.client(), STREAM)
    text = (
        '{"booking_id": "BK-1", "device_ids": ["d"], "check_in": "2026-12-01T16:00", "check_out": "2026-12-02T10:00"}'
    )
    appends: list[Callable[[], object]] = [
        lambda: stream.append_delivered(text, is_redelivered=False),
        lambda: stream.append_delivered(text, is_redelivered=True),
        lambda: stream.append_delivered("nonsense", is_redelivered=False),
        lambda: stream.append_delivered("nonsense", is_redelivered=True),
    ]
    servers.halt()
    for append in appends:
        with pytest.raises(NotOnReplicas):
            append()


def test_missing_replicas_make_nothing_look_like_poison(servers: Servers) -> None:
    """Entries that can't be done for good meanwhile are not counted as given out again."""
    client = servers.client()
    ensure_group(client, STREAM)
    client.xadd(STREAM, {"f": "m"})
    client.xreadgroup(GROUP, CONSUMER, {STREAM: ">"})
    sent: list[list[str]] = []
    reader = StreamReader(
        redis=client,
        stream=STREAM,
        count=10,
        most_under_way=10,
        reclaim_after=timedelta(),
        send=sent.append,
        park=lambda *_: None,
    )
    servers.halt()
    with pytest.raises(NotOnReplicas):
        reader.quarantine.reclaim()
    pending: Any = client.xpending_range(STREAM, GROUP, "-", "+", 10)
    assert [each["times_delivered"] for each in pending] == [1]
    servers.go_on()
    assert reader.quarantine.reclaim() == 1
    assert DueSet(client, lease=timedelta()).count(system_clock()) == (0, 0)
    assert len(sent) == 1


def test_people_are_told_that_replicas_are_missing(servers: Servers) -> None:
    """Once, loudly, and that they are back; a moment without them is no news."""
    client = servers.client()
    alerts = alert_ledger(client, clock=system_clock)
    asked: list[bool] = []

    def are_there() -> bool:
        asked.append(are_replicas_there(client))
        return asked[-1]

    check = CheckReplicas(are_there=are_there, needed=1, alerts=alerts, clock=system_clock, tries=2)
    check()
    assert (asked, list(alerts.all())) == ([True], [])
    servers.halt()
    check()
    (alert,) = alerts.all()
    assert (alert.is_open, alert.notice.problem, alert.severity) == (True, "replicas_missing", Severity.PAGE)
    servers.go_on()
    check()
    (alert,) = alerts.all()
    assert not alert.is_open
