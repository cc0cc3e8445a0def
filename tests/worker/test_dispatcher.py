"""Entries that come back: tried alone, counted only if a worker got them, and parked in the end."""

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from kombu.exceptions import OperationalError
from redis import Redis

from shared.replicas import begin_step
from shared.streams import GROUP, acknowledge, ensure_group
from tests.support.waiting import wait_until
from worker.consumers.quarantine_entries import MOST_DELIVERIES
from worker.consumers.stream_reader import StreamReader

STREAM = "booking-created"


class Stage:
    """A stream, its reader without idle time, and the entries that it dispatched or parked."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.sent: list[list[str]] = []
        self.parked: dict[str, Mapping[str, str]] = {}
        self.while_sending: Callable[[list[str]], None] = lambda _: None
        ensure_group(redis, STREAM)
        self.reader = self.new_reader()

    def new_reader(
        self, reclaim_after: timedelta = timedelta(), reclaim_every: timedelta | None = None
    ) -> StreamReader:
        """Return a reader without any state, as in a worker that was just started."""
        return StreamReader(
            redis=self.redis,
            stream=STREAM,
            count=2,
            most_under_way=100,
            reclaim_after=reclaim_after,
            reclaim_every=reclaim_every,
            send=self._send,
            park=self.parked.__setitem__,
        )

    def add(self, number: int) -> list[str]:
        """Append entries and dispatch them for the first time."""
        added = [str(self.redis.xadd(STREAM, {"message": f"{{{each}}}"})) for each in range(number)]
        self.redis.xreadgroup(GROUP, "dispatcher", {STREAM: ">"})
        return added

    def rounds(self, number: int, *, killed_by: str = "") -> None:
        """Reclaim so many times. A task with `killed_by` ends its worker and the reader; other tasks succeed."""
        step = begin_step(self.redis)
        self.while_sending = lambda ids: None if killed_by in ids else acknowledge(self.redis, STREAM, ids, step=step)
        for _ in range(number):
            self.sent.clear()
            self.reader.quarantine.reclaim()
            while self.reader.quarantine._suspects and not self._is_sent(killed_by):
                self.reader.quarantine.try_suspect()
            if self._is_sent(killed_by):
                self.reader = self.new_reader()

    def _is_sent(self, entry_id: str) -> bool:
        return any(entry_id in together for together in self.sent)

    def _send(self, entry_ids: list[str]) -> None:
        self.while_sending(entry_ids)
        self.sent.append(entry_ids)


@pytest.fixture
def stage(redis_client: Redis) -> Stage:
    """Return a stage on an empty server."""
    return Stage(redis_client)


def pending(redis: Redis) -> dict[str, int]:
    """Return the pending entries, and how often each was dispatched."""
    found: Any = redis.xpending_range(STREAM, GROUP, "-", "+", 100)
    return {each["message_id"]: each["times_delivered"] for each in found}


def test_an_entry_that_kills_its_worker_is_parked_alone(stage: Stage) -> None:
    """After a few deaths it is on the parked list with its content; the entries beside it are done long before."""
    beside, poison, _, *_ = stage.add(5)
    stage.rounds(1, killed_by=poison)
    assert set(pending(stage.redis)) == {beside, poison}
    stage.rounds(1, killed_by=poison)
    assert set(pending(stage.redis)) == {poison}
    stage.rounds(MOST_DELIVERIES - 2, killed_by=poison)
    assert (stage.parked, stage.sent) == ({poison: {"message": "{1}"}}, [])
    assert pending(stage.redis) == {}
    assert stage.redis.xlen(STREAM) == 0


def test_entries_that_are_late_for_the_first_time_go_together(stage: Stage) -> None:
    """Where all work is late, a task for each would make it later still; the second time each goes alone."""
    entries = stage.add(5)
    stage.reader.quarantine.reclaim()
    assert stage.sent == [entries[:2], entries[2:4], entries[4:]]
    stage.sent.clear()
    stage.reader.quarantine.reclaim()
    assert stage.sent == [[each] for each in entries]


def test_other_suspects_are_done_before_the_culprit_is_tried_again(stage: Stage) -> None:
    """Entries that came back as often as the culprit are tried one by one, each when the one before is done."""
    entries = stage.add(6)
    for _ in range(2):
        stage.reader.quarantine.reclaim()
    assert set(pending(stage.redis).values()) == {3}
    stage.sent.clear()
    stage.reader.quarantine.reclaim()
    assert stage.sent == []
    for number, entry_id in enumerate(entries, start=1):
        stage.reader.quarantine.try_suspect()
        stage.reader.quarantine.try_suspect()
        assert stage.sent == [[each] for each in entries[:number]]
        acknowledge(stage.redis, STREAM, [entry_id], step=begin_step(stage.redis))


def test_an_entry_that_no_worker_got_is_not_counted(stage: Stage) -> None:
    """While the broker is away, no number of tries makes an entry a suspect."""
    (entry_id,) = stage.add(1)

    def is_away(_: list[str]) -> None:
        raise OperationalError("away")

    stage.while_sending = is_away
    for _ in range(3 * MOST_DELIVERIES):
        with pytest.raises(OperationalError):
            stage.reader.quarantine.reclaim()
    assert pending(stage.redis) == {entry_id: 1}
    stage.rounds(1)
    assert (stage.parked, pending(stage.redis)) == ({}, {})


def test_a_deleted_entry_leaves_the_group(stage: Stage) -> None:
    """An entry that was deleted from the stream isn't dispatched for ever."""
    (entry_id,) = stage.add(1)
    stage.redis.xdel(STREAM, entry_id)
    stage.reader.quarantine.reclaim()
    assert (stage.sent, stage.parked, pending(stage.redis)) == ([], {}, {})


def test_entries_that_were_read_while_the_broker_was_away_go_first(stage: Stage) -> None:
    """They don't have to be idle until they are reclaimed."""
    stage.redis.xadd(STREAM, {"message": "{}"})

    def is_away(_: list[str]) -> None:
        stage.while_sending = lambda _: None
        raise OperationalError("away")

    stage.while_sending = is_away
    reader, stopping = stage.new_reader(reclaim_after=timedelta(hours=1)), threading.Event()
    thread = threading.Thread(target=reader.run, args=(stopping,))
    thread.start()
    wait_until(lambda: len(stage.sent) == 1, within=5, what="sent")
    stopping.set()
    thread.join(5)
    assert stage.sent == [list(pending(stage.redis))]


def test_what_was_left_may_be_looked_for_more_often(stage: Stage) -> None:
    """An entry that a dead worker took is handed over once it is idle for long enough, not at the next half of it."""
    (entry_id,) = stage.add(1)
    idle = timedelta(seconds=100)
    reader, stopping = stage.new_reader(reclaim_after=idle, reclaim_every=timedelta(seconds=0.05)), threading.Event()
    thread = threading.Thread(target=reader.run, args=(stopping,))
    thread.start()
    try:
        wait_until(lambda: stage.redis.xpending(STREAM, GROUP)["pending"] == 1, what="taken")
        assert stage.sent == []
        stage.redis.xclaim(STREAM, GROUP, "dispatcher", 0, [entry_id], idle=100_000, justid=True)
        wait_until(lambda: stage.sent == [[entry_id]], within=10, what="handed over")
    finally:
        stopping.set()
        thread.join(5)
