"""The booking ledger: nothing is lost between workers, and every booking is found again."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from redis import Redis

from shared import redis_keys
from shared.domain.booking.fence import SeenDoor
from shared.domain.booking.record import Booking, Change, HistoryEntry, Notice
from shared.domain.booking.transitions import StaleRead, Superseded, fail, schedule
from shared.domain.stay.stay import Stay, WallTime
from shared.ledger.bookings import Owner, UnknownBooking
from shared.ledger.due_set import conflicts_item, door_item
from tests.shared.ledgers import LEASE, RETENTION, at, booking_ledger, due_at, due_set, once
from tests.shared.stories import CHECK_IN, CHECK_OUT, DOOR, NOW, SECOND, accepted, booking, code, issued, with_door

MEMBER = door_item("BK-1", DOOR).encoded()


def labelled(it: Booking, label: str) -> Change:
    """Return the smallest change there is."""
    return Change(replace(it, label=f"{it.label or ''}{label}"), (HistoryEntry(at=NOW, what="x.y", text=label),))


def test_a_booking_is_read_as_it_was_written(redis_client: Redis) -> None:
    """With all that hangs on it."""
    ledger = booking_ledger(redis_client)
    it = with_door(issued(DOOR, SECOND), residual=(code("c-old"),))
    written = ledger.record_message("BK-1", lambda _: Change(it))
    assert written.version == 1
    assert ledger.get("BK-1") == written == replace(it, version=1)


def test_an_unknown_booking(redis_client: Redis) -> None:
    """An error of its own, on reading and on changing."""
    ledger = booking_ledger(redis_client)
    with pytest.raises(UnknownBooking):
        ledger.get("BK-404")
    seen = ledger.record_message("BK-1", lambda _: Change(booking()))
    redis_client.flushall()
    with pytest.raises(UnknownBooking):
        ledger.record(seen, lambda it: labelled(it, "x"))
    assert redis_client.exists(redis_keys.booking_record("BK-1")) == 0


def test_a_transition_that_refuses_writes_nothing(redis_client: Redis) -> None:
    """What it raises goes through."""
    ledger = booking_ledger(redis_client)

    def refuse(_: Booking | None) -> Change:
        raise Superseded

    with pytest.raises(Superseded):
        ledger.record_message("BK-1", refuse)
    assert redis_client.dbsize() == 0


def test_a_transition_is_repeated_on_the_newer_record(redis_client: Redis) -> None:
    """Whoever was out of date between reading and writing sees what the other wrote."""
    mine, theirs = booking_ledger(redis_client), booking_ledger(redis_client)
    start = mine.record_message("BK-1", lambda _: Change(booking()))
    seen = []

    def write_first() -> None:
        theirs.record(start, lambda it: labelled(it, "theirs "))

    overtake = once(write_first)

    def transition(it: Booking) -> Change:
        seen.append(it.label)
        overtake()
        return labelled(it, "mine")

    assert mine.record(start, transition).label == "theirs mine"
    assert seen == [None, "theirs "]
    assert [entry.text for entry in mine.history("BK-1")] == ["theirs ", "mine"]


def test_many_workers_on_one_booking_lose_nothing(redis_client: Redis) -> None:
    """Forty changes by eight workers at once: forty changes and forty lines of history."""
    ledger = booking_ledger(redis_client)
    start = ledger.record_message("BK-1", lambda _: Change(booking()))
    together = Barrier(8)

    def work(_: int) -> None:
        together.wait(10)
        for _ in range(5):
            ledger.record(start, lambda it: labelled(it, "x"))

    with ThreadPoolExecutor(8) as workers:
        list(workers.map(work, range(8)))
    assert ledger.get("BK-1").label == "x" * 40
    assert len(ledger.history("BK-1")) == 40


def test_a_decision_on_a_door_that_has_changed_is_not_written(redis_client: Redis) -> None:
    """Neither on another door's record, nor on another revision: whoever decided must look again."""
    ledger = booking_ledger(redis_client)
    start = ledger.record_message("BK-1", lambda _: accepted(doors=(DOOR, SECOND)))
    ledger.record(start, lambda it: Change(with_door(it, name="Front door")))
    with pytest.raises(StaleRead):
        ledger.transition(SeenDoor(start, DOOR), lambda it: labelled(it, "x"))
    # The other door is as it was.
    seen = ledger.transition(SeenDoor(start, SECOND), lambda it: labelled(it, "x"))
    for change in ({"revision": 7}, {"cancelled": True}):
        before = ledger.record(seen, partial(_replaced, change=change))
        with pytest.raises(StaleRead):
            ledger.transition(SeenDoor(seen, SECOND), lambda it: labelled(it, "y"))
        seen = before
    assert ledger.get("BK-1").label == "x"


def _due(it: Booking, moment: datetime | None) -> Change:
    return Change(with_door(it, due_at=moment))


def _replaced(it: Booking, change: dict[str, Any]) -> Change:
    return Change(replace(it, **change))


def test_a_door_in_hand_comes_back_after_a_lease(redis_client: Redis) -> None:
    """Nobody else takes it before, whatever its record says; a time that is later stands."""
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
    """The times are written with the record or not at all."""
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
    """Once, and the record has nothing left to tell."""
    deliveries = Deliveries()
    ledger = booking_ledger(redis_client, outbox=deliveries)
    start = ledger.record_message("BK-1", lambda _: accepted())
    refused = partial(fail, key=DOOR, revision=start.revision, reason="too_long", detail="", facts={}, now=NOW)
    after = ledger.transition(SeenDoor(start, DOOR), refused)
    assert [notice.kind for notice in deliveries.got] == ["outcome", "alert"]
    assert after.outbox == ledger.get("BK-1").outbox == ()
    assert due_at(redis_client, door_item("BK-1", "").encoded()) is None


def test_what_could_not_be_published_comes_back_after_a_lease(redis_client: Redis) -> None:
    """Whether its worker was killed or the stream was away: the record still has it, and the due-set the booking."""
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
    """If the record moves on between reading its time and setting it, the newer time is what stands."""
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


def test_a_code_leads_to_its_booking(redis_client: Redis) -> None:
    """Codes at hand and codes of earlier revisions; None for codes that are not ours."""
    ledger = booking_ledger(redis_client)
    it = with_door(issued(DOOR, SECOND), residual=(code("c-old"),))
    ledger.record_message("BK-1", lambda _: Change(it))

    owners = ledger.owner_of(["c-2", "c-404", "c-old", "c-1"])
    assert owners == [Owner("BK-1", SECOND), None, Owner("BK-1", DOOR), Owner("BK-1", DOOR)]
    assert ledger.owner_of([]) == []


def test_events_are_woven_into_the_story_by_time(redis_client: Redis) -> None:
    """Those that came before the code was known too; one without a readable time is no obstacle."""
    ledger = booking_ledger(redis_client)
    early = {"event_id": "e-1", "event_type": "access_code.created", "occurred_at": "2036-11-20T00:00:00Z"}
    strange = {"event_id": "e-2", "event_type": "access_code.changed", "occurred_at": "yesterday"}
    naive = {"event_id": "e-3", "event_type": "access_code.changed", "occurred_at": "2036-11-22T00:00:00"}
    ledger.record_events([("c-1", json.dumps(each)) for each in (early, strange, naive)])
    ledger.record_message("BK-1", lambda _: Change(issued(), (HistoryEntry(at=NOW, what="code.issued", text="x"),)))

    story = [entry.what for entry in ledger.history("BK-1")]
    assert story[-4:] == ["access_code.created", "access_code.changed", "code.issued", "access_code.changed"]
    assert len(story) == 4


def event_of(number: int) -> str:
    """Return an event that happened at that minute."""
    at_ = NOW + timedelta(minutes=number)
    return json.dumps(
        {"event_id": f"e-{number}", "event_type": f"access_code.n{number}", "occurred_at": at_.isoformat()}
    )


def test_the_story_keeps_the_events_of_codes_that_are_gone(redis_client: Redis) -> None:
    """Each once, and with the door that it was of; lost codes and those taken back are no more in the record."""
    ledger = booking_ledger(redis_client)
    facts = {"access_code_id": "c-gone"}
    lines = [
        HistoryEntry(at=NOW, what=what, text="", device_id=SECOND, facts=facts)
        for what in ("code.issued", "code.adopted")
    ]
    ledger.record_message("BK-1", lambda _: Change(issued(DOOR, SECOND), tuple(lines)))
    ledger.record_events([("c-gone", event_of(1)), ("c-1", event_of(2)), ("c-404", event_of(3))])
    story = [(entry.what, entry.device_id) for entry in ledger.history("BK-1")]
    assert story[2:] == [("access_code.n1", SECOND), ("access_code.n2", DOOR)]


def test_forgetting_takes_the_events_of_every_code(redis_client: Redis) -> None:
    """Also of those that the booking has no more."""
    ledger = booking_ledger(redis_client)
    line = HistoryEntry(at=NOW, what="code.issued", text="", device_id=DOOR, facts={"access_code_id": "c-gone"})
    it = ledger.record_message("BK-1", lambda _: Change(issued(), (line,)))
    ledger.record_events([("c-gone", event_of(1)), ("c-1", event_of(2))])
    ledger.forget(it, DOOR)
    assert not redis_client.exists(redis_keys.code_events("c-gone"), redis_keys.code_events("c-1"))


def test_a_codes_events_live_as_long_as_its_booking(redis_client: Redis) -> None:
    """Three days while nobody owns the code, then with the booking; also for events that come after."""
    ledger = booking_ledger(redis_client, at(NOW))
    ledger.record_events([("c-1", "{}"), ("c-404", "{}")])
    ledger.record_message("BK-1", lambda _: Change(issued()))
    three_days = int(timedelta(days=3).total_seconds())
    assert redis_client.ttl(redis_keys.code_events("c-404")) <= three_days
    assert redis_client.expiretime(redis_keys.code_events("c-1")) == int((CHECK_OUT + 2 * RETENTION).timestamp())

    ledger.record_message("BK-1", lambda _: Change(with_door(issued(), code=code("c-9"))))
    ledger.record_events([("c-9", "{}")])
    assert redis_client.expiretime(redis_keys.code_events("c-9")) == int((CHECK_OUT + 2 * RETENTION).timestamp())


def test_everything_of_a_booking_expires_after_its_retention(redis_client: Redis) -> None:
    """Check-out plus twice the retention; the index forgets it too."""
    ledger = booking_ledger(redis_client)
    ledger.record_message("BK-1", lambda _: Change(issued(), (HistoryEntry(at=NOW, what="x.y", text=""),)))
    over_at = int((CHECK_OUT + 2 * RETENTION).timestamp())
    for key in (redis_keys.booking_record("BK-1"), redis_keys.booking_history("BK-1"), redis_keys.code_owner("c-1")):
        assert redis_client.expiretime(key) == over_at

    assert [each.booking_id for each in ledger.all()] == ["BK-1"]
    after = booking_ledger(redis_client, at(CHECK_OUT + 2 * RETENTION + timedelta(seconds=1)))
    assert list(after.all()) == []
    assert redis_client.zcard(redis_keys.BOOKINGS) == 0


def test_the_personal_parts_go_by_the_doors_own_clocks(redis_client: Redis) -> None:
    """By the last door that is left, once all are planned; the latest moment anywhere before that."""
    ledger = booking_ledger(redis_client)
    wall = Stay(check_in=WallTime(CHECK_IN.replace(tzinfo=None)), check_out=WallTime(CHECK_OUT.replace(tzinfo=None)))
    it = replace(booking(DOOR, SECOND, "d0000000-0000-0000-0000-000000000003"), stay=wall)
    anywhere = CHECK_OUT + timedelta(hours=12) + RETENTION
    assert ledger.forget_at(it) == anywhere
    it = with_door(
        with_door(it, DOOR, check_out=CHECK_OUT - timedelta(hours=9)),
        "d0000000-0000-0000-0000-000000000003",
        wanted=False,
    )
    assert ledger.forget_at(it) == anywhere
    it = with_door(it, SECOND, check_out=CHECK_OUT - timedelta(hours=8))
    assert ledger.forget_at(it) == CHECK_OUT - timedelta(hours=8) + RETENTION
    assert ledger.forget_at(replace(it, stay=None)) == NOW + RETENTION


def test_a_tombstone_expires_too(redis_client: Redis) -> None:
    """A cancellation whose booking never came is kept as long."""
    ledger = booking_ledger(redis_client)
    ledger.record_message("BK-1", lambda _: accepted(kind="cancelled"))
    assert redis_client.expiretime(redis_keys.booking_record("BK-1")) == int((NOW + 2 * RETENTION).timestamp())


def test_all_bookings_are_found_over_several_pages(redis_client: Redis) -> None:
    """Each once."""
    ledger = booking_ledger(redis_client)
    for number in range(1_003):
        redis_client.zadd(redis_keys.BOOKINGS, {f"gone-{number}": (NOW + timedelta(days=1)).timestamp()})
    for number in range(3):
        it = replace(booking(), booking_id=f"BK-{number}")
        ledger.record_message(it.booking_id, lambda _, it=it: Change(it))  # type: ignore[misc]
    assert sorted(each.booking_id for each in ledger.all()) == ["BK-0", "BK-1", "BK-2"]


def test_any_booking_id_makes_a_good_key(redis_client: Redis) -> None:
    """Braces, spaces, percent signs and other alphabets too; no two ids share a record."""
    ledger = booking_ledger(redis_client)
    ids = ["BK {1}", "BK%20{1}", "BK:1", "預約-1", "BK 1*?[a]"]
    for each in ids:
        it = replace(booking(), booking_id=each)
        ledger.record_message(each, lambda _, it=it: Change(it))  # type: ignore[misc]
    assert [ledger.get(each).booking_id for each in ids] == ids
    assert all(key.count("{") == key.count("}") == 1 for key in redis_client.scan_iter("*:record"))


def test_transitions_of_two_doors_do_not_collide(redis_client: Redis) -> None:
    """Two workers, a door each: both changes stand."""
    ledger = booking_ledger(redis_client)
    start = ledger.record_message("BK-1", lambda _: accepted(doors=(DOOR, SECOND)))
    until = NOW + timedelta(days=1)

    def put_off(_: None) -> None:
        ledger.record(start, lambda it: schedule(it, DOOR, revision=0, until=until, reason="a", facts={}, now=NOW))

    def give_up(_: None) -> None:
        ledger.record(start, lambda it: fail(it, SECOND, revision=0, reason="b", detail="", facts={}, now=NOW))

    with ThreadPoolExecutor(2) as workers:
        list(workers.map(lambda work: work(None), (put_off, give_up)))
    it = ledger.get("BK-1")
    assert (it.door(DOOR).reason, it.door(SECOND).reason, it.state) == ("a", "b", "failed")
