"""The booking ledger: when a door is looked at next, and when a booking's outbox is published."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from redis import Redis

from shared.domain.booking.record import Booking, Change, Notice
from shared.domain.booking.seen_door import SeenDoor
from shared.domain.booking.transitions import Superseded, fail
from shared.ledger.due_set import conflicts_item, door_item
from tests.shared.ledger_changes import MEMBER, labelled
from tests.shared.ledgers import LEASE, booking_ledger, due_at, due_set, once
from tests.shared.stories import DOOR, NOW, SECOND, accepted, booking, with_door


def _due(it: Booking, moment: datetime | None) -> Change:
    return Change(with_door(it, due_at=moment))


def test_a_door_that_is_worked_on_is_due_again_after_a_lease(redis_client: Redis) -> None:
    """No other worker takes it earlier, whatever its record says. A later time in the record is kept."""
    ledger = booking_ledger(redis_client)
    start = ledger.record_message("BK-1", lambda _: accepted(doors=(DOOR, SECOND)))
    assert [due_at(redis_client, door_item("BK-1", key).encoded()) for key in (DOOR, SECOND)] == [NOW + LEASE] * 2
    later = NOW + timedelta(days=3)
    soon = NOW + timedelta(seconds=15)
    for moment, expected in ((NOW, NOW + LEASE), (soon, NOW + LEASE), (later, later), (None, None)):
        start = ledger.transition(SeenDoor(start, DOOR), partial(_due, moment=moment))
        assert due_at(redis_client, MEMBER) == expected


def test_a_fact_puts_a_door_at_its_time_at_once(redis_client: Redis) -> None:
    """In the same step as the record; a door whose time is the same stays where it is in the due-set."""
    ledger = booking_ledger(redis_client)
    start = ledger.record_message("BK-1", lambda _: accepted(doors=(DOOR, SECOND)))
    soon = NOW + timedelta(seconds=1)
    start = ledger.record(start, lambda it: Change(with_door(it, due_at=soon)))
    assert due_at(redis_client, MEMBER) == soon
    assert due_at(redis_client, door_item("BK-1", SECOND).encoded()) == NOW + LEASE
    start = ledger.record(start, lambda it: Change(with_door(it, name="Front door")))
    assert due_at(redis_client, MEMBER) == soon
    ledger.record(start, lambda it: Change(with_door(it, due_at=None)))
    assert due_at(redis_client, MEMBER) is None


def test_a_write_that_came_too_late_moves_nothing_in_the_due_set(redis_client: Redis) -> None:
    """The times are written together with the record, or not at all."""
    mine, theirs = booking_ledger(redis_client), booking_ledger(redis_client)
    start = mine.record_message("BK-1", lambda _: Change(booking()))
    far = NOW + timedelta(days=9)

    def write_first() -> None:
        theirs.record(start, lambda it: labelled(it, "theirs"))

    overtake = once(write_first)

    def transition(it: Booking) -> Change:
        if it.label is not None:
            raise Superseded
        overtake()
        return Change(with_door(it, due_at=far))

    with pytest.raises(Superseded):
        mine.record(start, transition)
    assert due_at(redis_client, MEMBER) == NOW + LEASE


class Deliveries:
    """An outbox that remembers, and is away for as long as it is told to be."""

    def __init__(self) -> None:
        self.got: list[Notice] = []
        self.is_away = False

    def publish(self, booking_id: str, notice: Notice) -> None:
        """Take a notice."""
        if self.is_away:
            raise ConnectionError(booking_id)
        self.got.append(notice)


def test_what_is_to_be_told_is_published_with_the_write(redis_client: Redis) -> None:
    """Each notice once, and the record's outbox is then empty."""
    deliveries = Deliveries()
    ledger = booking_ledger(redis_client, outbox=deliveries)
    start = ledger.record_message("BK-1", lambda _: accepted())
    refused = partial(fail, key=DOOR, revision=start.revision, reason="too_long", detail="", facts={}, now=NOW)
    after = ledger.transition(SeenDoor(start, DOOR), refused)
    assert [notice.kind for notice in deliveries.got] == ["outcome", "alert"]
    assert after.outbox == ledger.get("BK-1").outbox == ()
    assert due_at(redis_client, door_item("BK-1", "").encoded()) is None


def test_what_could_not_be_published_comes_back_after_a_lease(redis_client: Redis) -> None:
    """Whether the worker was killed or the stream was away: the record still has the notice, and the booking is due."""
    deliveries = Deliveries()
    ledger = booking_ledger(redis_client, outbox=deliveries)
    start = ledger.record_message("BK-1", lambda _: accepted())
    deliveries.is_away = True
    refused = partial(fail, key=DOOR, revision=start.revision, reason="too_long", detail="", facts={}, now=NOW)
    with pytest.raises(ConnectionError):
        ledger.transition(SeenDoor(start, DOOR), refused)
    assert len(ledger.get("BK-1").outbox) == 2
    assert due_at(redis_client, door_item("BK-1", "").encoded()) == NOW + LEASE
    deliveries.is_away = False
    ledger.publish(ledger.get("BK-1"))
    assert [notice.kind for notice in deliveries.got] == ["outcome", "alert"]
    assert due_at(redis_client, door_item("BK-1", "").encoded()) is None


def test_the_exact_time_is_the_records(redis_client: Redis) -> None:
    """`release` takes it from the record; without a time, or a booking, the door leaves the due-set."""
    ledger = booking_ledger(redis_client)
    later = NOW + timedelta(days=3)
    start = ledger.record_message("BK-1", lambda _: Change(with_door(booking(), due_at=later)))
    due_set(redis_client).set([(door_item("BK-1", DOOR), NOW)])
    ledger.release("BK-1", DOOR)
    assert due_at(redis_client, MEMBER) == later

    start = ledger.record(start, lambda it: Change(with_door(it, due_at=None)))
    due_set(redis_client).set([(door_item("BK-1", DOOR), NOW), (door_item("BK-404", DOOR), NOW)])
    ledger.release("BK-1", DOOR)
    ledger.release("BK-404", DOOR)
    assert redis_client.zrange("oracode:due", 0, -1) == [conflicts_item(DOOR).encoded()]


def test_a_slow_worker_does_not_overwrite_a_newer_time(redis_client: Redis) -> None:
    """If the record changes between reading its time and setting it, the newer time stays in the due-set."""
    earlier, later = NOW + timedelta(minutes=1), NOW + timedelta(days=1)
    ledger = booking_ledger(redis_client)
    start = ledger.record_message("BK-1", lambda _: Change(with_door(booking(), due_at=later)))

    def move() -> None:
        ledger.record(start, lambda it: Change(with_door(it, due_at=earlier)))
        booking_ledger(redis_client).release("BK-1", DOOR)

    overtake = once(move)

    class SlowRedis(Redis):
        """A client that is out of date, once, when it is about to write."""

        def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Any:  # noqa: FBT001, FBT002
            """Return a pipeline, too late."""
            overtake()
            return super().pipeline(transaction, shard_hint)

    slow = SlowRedis(connection_pool=redis_client.connection_pool)
    booking_ledger(slow).release("BK-1", DOOR)
    assert due_at(redis_client, MEMBER) == earlier
