"""A step counts only on the server where it was done: its writes may be lost when another one becomes the primary.

One address leads to one server, then to another. That one has a replica, and lacks what the first one has.
"""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import RedisError

from receiver.script_connection import ScriptConnection
from shared import redis_keys
from shared.booking_stream import BookingStream
from shared.clock import system_clock
from shared.contracts import OPS_STREAM
from shared.ledger.records import RecordStore, Write
from shared.parked import ParkedList
from shared.redis_client import connect, connect_async
from shared.replay_results import ReplayResults
from shared.replicas import NotOnReplicas, are_replicas_there, begin_step, wait_for_replicas
from shared.streams import CONSUMER, GROUP, acknowledge, ensure_group
from tests.shared.ledgers import booking_ledger, due_set, once
from tests.shared.test_record_store import KEY, Note
from tests.support.failover import primary_and_replica
from tests.support.freezable_proxy import FreezableProxy
from tests.support.server import DataServer
from tests.support.waiting import wait_until
from worker.consumers.quarantine_entries import MOST_DELIVERIES, EntryQuarantine
from worker.handlers.apply_message import ApplyMessage
from worker.handlers.record_events import RecordEvents
from worker.handlers.run_ops_command import RunOpsCommand
from worker.parking import Parking

STREAM = "s"
ENTRY = "1-1"
IN_DAYS = [str(system_clock().date() + timedelta(days=days)) for days in (3, 5)]
BOOKING = json.dumps(
    {
        "booking_id": "BK-1",
        "device_ids": ["11111111-1111-1111-1111-444444444444"],
        "check_in": f"{IN_DAYS[0]}T16:00",
        "check_out": f"{IN_DAYS[1]}T10:00",
    }
)


class Address:
    """One address for two servers."""

    def __init__(self, old: DataServer, new: DataServer) -> None:
        self.old, self.new = Redis.from_url(old.url, decode_responses=True), Redis.from_url(new.url)
        self._proxy = FreezableProxy(old.port)
        self._ports = (old.port, new.port)
        self.url = old.url.replace(str(old.port), str(self._proxy.port))
        self.client = connect(self.url, sync_replicas=1)
        with_all = connect(new.url, sync_replicas=1)
        wait_until(lambda: are_replicas_there(with_all), what="the new primary's replica")
        with_all.close()
        for each in (self.old, self.new):
            each.flushall()

    def fail_over(self) -> None:
        """Let it lead to the other server."""
        self._proxy.lead_to(self._ports[1])

    def add(self, stream: str, field: str, text: str) -> None:
        """Append an entry that both have, and hand it over."""
        for each in (self.old, self.new):
            each.xadd(stream, {field: text}, id=ENTRY)
            ensure_group(each, stream)
            each.xreadgroup(GROUP, CONSUMER, {stream: ">"})

    def close(self) -> None:
        """Close all."""
        self.client.close()
        self._proxy.close()
        self.old.close()
        self.new.close()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DataServer, DataServer]]:
    """Run the two servers, and the second one's replica, for all tests here."""
    directory = Path(tmp_path_factory.mktemp("steps"))
    old = DataServer(directory / "old", password="of-both")
    old.start()
    with primary_and_replica(directory) as (new, _):
        yield old, new
    old.kill()


@pytest.fixture
def address(both: tuple[DataServer, DataServer]) -> Iterator[Address]:
    """Lend the address; it leads to the first server."""
    it = Address(*both)
    yield it
    it.close()


@pytest.fixture
def _fails_over_before_the_barrier(address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let another server become the primary after a step's writes, right before it waits for the replicas."""
    queue_set = Pipeline.set
    fail_over = once(address.fail_over)

    def set_later(pipeline: Pipeline, name: str, *args: Any, **options: Any) -> Any:
        if name == redis_keys.BARRIER:
            fail_over()
        return queue_set(pipeline, name, *args, **options)

    monkeypatch.setattr(Pipeline, "set", set_later)


def queued(pipeline: Pipeline) -> Pipeline:
    """Queue a read."""
    pipeline.get("outcome")
    return pipeline


COMMANDS: dict[str, Callable[[Redis], object]] = {
    "write": lambda client: client.set("outcome", "1"),
    "read": lambda client: client.get("outcome"),
    "pipeline": lambda client: queued(client.pipeline()).execute(),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_an_outcome_on_the_old_primary_takes_no_entry_out(address: Address, command: Callable[[Redis], object]) -> None:
    """Neither one that was written nor one that was found there; tried again, it counts."""
    address.add(STREAM, "f", "m")
    step = begin_step(address.client)
    command(address.client)
    address.fail_over()
    with pytest.raises(NotOnReplicas):
        acknowledge(address.client, STREAM, [ENTRY], step=step)
    assert address.new.xlen(STREAM) == 1
    step = begin_step(address.client)
    command(address.client)
    acknowledge(address.client, STREAM, [ENTRY], step=step)
    assert address.new.xlen(STREAM) == 0


def test_a_connection_that_broke_before_the_step_is_no_matter(address: Address) -> None:
    """The first command finds out, and all of the step is done on the new primary."""
    address.client.set("before", "1")
    address.fail_over()
    step = begin_step(address.client)
    address.client.set("outcome", "1")
    wait_for_replicas(address.client, step)
    assert address.new.exists("outcome")


def test_a_step_may_contain_steps(address: Address) -> None:
    """The inner one is all on the new primary, the outer one is not."""
    outer = begin_step(address.client)
    address.client.get("outcome")
    address.fail_over()
    inner = begin_step(address.client)
    address.client.set("outcome", "1")
    wait_for_replicas(address.client, inner)
    with pytest.raises(NotOnReplicas):
        wait_for_replicas(address.client, outer)


def test_another_threads_connection_is_no_matter(address: Address) -> None:
    """Each thread has its own; and no thread's barrier holds for a step of another."""
    address.fail_over()
    step = begin_step(address.client)
    address.client.set("outcome", "1")
    raised: list[type[Exception]] = []

    def elsewhere() -> None:
        address.client.get("outcome")
        try:
            wait_for_replicas(address.client, step)
        except RedisError as error:
            raised.append(type(error))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(10)
    wait_for_replicas(address.client, step)
    assert raised == [NotOnReplicas]


APPENDS: dict[str, Callable[[BookingStream], object]] = {
    "new": lambda stream: stream.append_delivered(BOOKING, is_redelivered=False),
    "again": lambda stream: stream.append_delivered(BOOKING, is_redelivered=True),
    "nonsense": lambda stream: stream.append_delivered("nonsense", is_redelivered=False),
    "nonsense again": lambda stream: stream.append_delivered("nonsense", is_redelivered=True),
}


@pytest.mark.usefixtures("_fails_over_before_the_barrier")
@pytest.mark.parametrize("append", APPENDS.values(), ids=APPENDS)
def test_a_booking_on_the_old_primary_alone_is_not_accepted(
    address: Address, append: Callable[[BookingStream], object]
) -> None:
    """By hand, or from a broker, which keeps it and has it appended again."""
    stream = BookingStream(address.client, STREAM)
    with pytest.raises(NotOnReplicas):
        append(stream)
    assert (address.old.xlen(STREAM), address.new.xlen(STREAM)) == (1, 0)


@pytest.mark.usefixtures("_fails_over_before_the_barrier")
def test_a_record_on_the_old_primary_alone_is_not_written(address: Address) -> None:
    """Also where the server had lost the script, so that it was sent a second time."""
    store = RecordStore(address.client, Note, is_promised=True)
    address.old.script_flush()
    write = Write(record=Note("one"), expires_at=system_clock() + timedelta(hours=1))
    with pytest.raises(NotOnReplicas):
        store.save(KEY, write, version=0)


def record_events(client: Redis) -> None:
    """Record the entry as an event."""
    handler = RecordEvents(
        redis=client,
        stream=STREAM,
        ledger=booking_ledger(client),
        due=due_set(client),
        parking=parking(client),
        replays=ReplayResults(client),
        look=lambda *_: None,
        prompt=lambda _: None,
        record_last_webhook=lambda _: None,
        version_skew=cast(Any, None),
        clock=system_clock,
    )
    handler([ENTRY])


def apply_message(client: Redis) -> None:
    """Apply the entry as a booking message."""
    handler = ApplyMessage(
        redis=client,
        stream=STREAM,
        ledger=booking_ledger(client),
        parking=parking(client),
        replays=ReplayResults(client),
        units={},
        status_words=(),
        clock=system_clock,
    )
    handler(ENTRY)


def run_ops_command(client: Redis) -> None:
    """Run the entry as a command, which it is not."""
    names = ("ledger", "alerts", "choose", "cancel", "change", "reissue", "parked", "test")
    handler = RunOpsCommand(redis=client, clock=system_clock, **{name: cast(Any, None) for name in names})
    handler(ENTRY)


def give_up(client: Redis) -> None:
    """Set the entry aside, as one that is handed over too often."""
    client.xclaim(STREAM, GROUP, CONSUMER, 0, [ENTRY], retrycount=MOST_DELIVERIES, justid=True)
    quarantine = EntryQuarantine(
        redis=client,
        stream=STREAM,
        count=10,
        reclaim_after=timedelta(),
        send=lambda _: None,
        park=lambda *_: None,
    )
    quarantine._dispatch([ENTRY], MOST_DELIVERIES)


def parking(client: Redis) -> Parking:
    """Return what parks messages."""
    return Parking(ParkedList(client), ReplayResults(client), due_set(client), system_clock)


EVENT = '{"event_id": "e", "event_type": "access_code.created", "access_code_id": "c"}'
STEPS: dict[str, tuple[Callable[[Redis], None], str, str, str]] = {
    "event": (record_events, STREAM, "event", EVENT),
    "command": (run_ops_command, OPS_STREAM, "command", "nonsense"),
    "given up": (give_up, STREAM, "f", "m"),
}


@pytest.mark.usefixtures("_fails_over_before_the_barrier")
@pytest.mark.parametrize(("step", "stream", "field", "text"), STEPS.values(), ids=STEPS)
def test_what_was_done_on_the_old_primary_alone_is_done_again(
    address: Address, step: Callable[[Redis], None], stream: str, field: str, text: str
) -> None:
    """The entry is still there, on the new primary."""
    address.add(stream, field, text)
    with pytest.raises(NotOnReplicas):
        step(address.client)
    assert address.new.xlen(stream) == 1
    step(address.client)
    assert address.new.xlen(stream) == 0


@pytest.mark.usefixtures("_fails_over_before_the_barrier")
def test_a_message_that_was_applied_on_the_old_primary_alone_is_applied_again(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process had applied it there: this one finds it applied, and leaves it in the stream."""
    address.add(STREAM, "message", BOOKING)
    with monkeypatch.context() as patched:
        patched.setattr("worker.handlers.apply_message.acknowledge", lambda *_, **__: None)
        other = connect(address.url)
        apply_message(other)
        other.close()
    with pytest.raises(NotOnReplicas):
        apply_message(address.client)
    assert address.new.xlen(STREAM) == 1
    apply_message(address.client)
    assert address.new.xlen(STREAM) == 0
    assert booking_ledger(address.client).get("BK-1").booking_id == "BK-1"


def test_web_waits_where_it_wrote(address: Address) -> None:
    """It doesn't connect again to wait: the server that it would reach may lack what was read before."""

    async def tried() -> None:
        redis = connect_async(address.url)
        connection = ScriptConnection(redis, "return '1'")
        await connection.run([], [])
        connection._replicas = 1
        address.fail_over()
        for _ in range(2):
            with pytest.raises(Disconnected):
                await connection.wait_for_replicas()
        await connection.close()
        await redis.aclose()

    asyncio.run(tried())
