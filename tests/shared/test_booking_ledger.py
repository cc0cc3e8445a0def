"""The booking ledger: nothing is lost between workers, and every booking is found again."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from redis import Redis

from shared import redis_keys
from shared.domain.bookings import Stay, WallTime
from shared.domain.lifecycle import Superseded, fails, schedules
from shared.domain.records import Booking, Change, HistoryEntry
from shared.ledger.bookings import Owner, UnknownBooking
from shared.ledger.due import door_item
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
    written = ledger.create_or_update("BK-1", lambda _: Change(it))
    assert written.version == 1
    assert ledger.get("BK-1") == written == replace(it, version=1)


def test_an_unknown_booking(redis_client: Redis) -> None:
    """An error of its own, on reading and on changing."""
    ledger = booking_ledger(redis_client)
    with pytest.raises(UnknownBooking):
        ledger.get("BK-404")
    seen = ledger.create_or_update("BK-1", lambda _: Change(booking()))
    redis_client.flushall()
    with pytest.raises(UnknownBooking):
        ledger.update(seen, lambda it: labelled(it, "x"))
    assert redis_client.exists(redis_keys.booking_record("BK-1")) == 0


def test_a_transition_that_refuses_writes_nothing(redis_client: Redis) -> None:
    """What it raises goes through."""
    ledger = booking_ledger(redis_client)

    def refuse(_: Booking | None) -> Change:
        raise Superseded

    with pytest.raises(Superseded):
        ledger.create_or_update("BK-1", refuse)
    assert redis_client.dbsize() == 0


def test_a_transition_is_repeated_on_the_newer_record(redis_client: Redis) -> None:
    """Whoever was overtaken between reading and writing sees what the other wrote."""
    mine, theirs = booking_ledger(redis_client), booking_ledger(redis_client)
    start = mine.create_or_update("BK-1", lambda _: Change(booking()))
    seen = []

    def write_first() -> None:
        theirs.update(start, lambda it: labelled(it, "theirs "))

    overtake = once(write_first)

    def transition(it: Booking) -> Change:
        seen.append(it.label)
        overtake()
        return labelled(it, "mine")

    assert mine.update(start, transition).label == "theirs mine"
    assert seen == [None, "theirs "]
    assert [entry.text for entry in mine.history("BK-1")] == ["theirs ", "mine"]


def test_many_workers_on_one_booking_lose_nothing(redis_client: Redis) -> None:
    """Forty changes by eight workers at once: forty changes and forty lines of history."""
    ledger = booking_ledger(redis_client)
    start = ledger.create_or_update("BK-1", lambda _: Change(booking()))
    together = Barrier(8)

    def work(_: int) -> None:
        together.wait(10)
        for _ in range(5):
            ledger.update(start, lambda it: labelled(it, "x"))

    with ThreadPoolExecutor(8) as workers:
        list(workers.map(work, range(8)))
    assert ledger.get("BK-1").label == "x" * 40
    assert len(ledger.history("BK-1")) == 40


def test_a_changed_door_is_due_within_a_lease(redis_client: Redis) -> None:
    """Whatever happens to the worker after the write; a door that didn't change stays where it is."""
    ledger = booking_ledger(redis_client)
    start = ledger.create_or_update("BK-1", lambda _: accepted(doors=(DOOR, SECOND)))
    assert due_at(redis_client, MEMBER) == NOW + LEASE

    due_set(redis_client).set([(door_item("BK-1", DOOR), None), (door_item("BK-1", SECOND), None)])
    ledger.update(start, lambda it: Change(with_door(it, reason="changed")))
    assert due_at(redis_client, MEMBER) == NOW + LEASE
    assert due_at(redis_client, door_item("BK-1", SECOND).encoded()) is None


def test_the_exact_time_is_the_records(redis_client: Redis) -> None:
    """`set_due_time` takes it from the record; without a time, or a booking, the door leaves the due-set."""
    ledger = booking_ledger(redis_client)
    later = NOW + timedelta(days=3)
    start = ledger.create_or_update("BK-1", lambda _: Change(with_door(booking(), due_at=later)))
    ledger.set_due_time("BK-1", DOOR)
    assert due_at(redis_client, MEMBER) == later

    ledger.update(start, lambda it: Change(with_door(it, due_at=None)))
    ledger.set_due_time("BK-1", DOOR)
    ledger.set_due_time("BK-404", DOOR)
    assert redis_client.zcard("oracode:due") == 0


def test_a_slow_worker_does_not_overwrite_a_newer_time(redis_client: Redis) -> None:
    """If the record moves on between reading its time and setting it, the newer time is what stands."""
    earlier, later = NOW + timedelta(minutes=1), NOW + timedelta(days=1)
    ledger = booking_ledger(redis_client)
    start = ledger.create_or_update("BK-1", lambda _: Change(with_door(booking(), due_at=later)))

    def move() -> None:
        ledger.update(start, lambda it: Change(with_door(it, due_at=earlier)))
        booking_ledger(redis_client).set_due_time("BK-1", DOOR)

    overtake = once(move)

    class SlowRedis(Redis):
        """A client that is overtaken, once, when it is about to write."""

        def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Any:  # noqa: FBT001, FBT002
            """Return a pipeline, too late."""
            overtake()
            return super().pipeline(transaction, shard_hint)

    slow = SlowRedis(connection_pool=redis_client.connection_pool)
    booking_ledger(slow).set_due_time("BK-1", DOOR)
    assert due_at(redis_client, MEMBER) == earlier


def test_a_code_leads_to_its_booking(redis_client: Redis) -> None:
    """Codes at hand and codes of earlier revisions; None for codes that are not ours."""
    ledger = booking_ledger(redis_client)
    it = with_door(issued(DOOR, SECOND), residual=(code("c-old"),))
    ledger.create_or_update("BK-1", lambda _: Change(it))

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
    ledger.create_or_update("BK-1", lambda _: Change(issued(), (HistoryEntry(at=NOW, what="code.issued", text="x"),)))

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
    ledger.create_or_update("BK-1", lambda _: Change(issued(DOOR, SECOND), tuple(lines)))
    ledger.record_events([("c-gone", event_of(1)), ("c-1", event_of(2)), ("c-404", event_of(3))])
    story = [(entry.what, entry.device_id) for entry in ledger.history("BK-1")]
    assert story[2:] == [("access_code.n1", SECOND), ("access_code.n2", DOOR)]


def test_forgetting_takes_the_events_of_every_code(redis_client: Redis) -> None:
    """Also of those that the booking has no more."""
    ledger = booking_ledger(redis_client)
    line = HistoryEntry(at=NOW, what="code.issued", text="", device_id=DOOR, facts={"access_code_id": "c-gone"})
    it = ledger.create_or_update("BK-1", lambda _: Change(issued(), (line,)))
    ledger.record_events([("c-gone", event_of(1)), ("c-1", event_of(2))])
    ledger.forget(it, DOOR)
    assert not redis_client.exists(redis_keys.code_events("c-gone"), redis_keys.code_events("c-1"))


def test_a_codes_events_live_as_long_as_its_booking(redis_client: Redis) -> None:
    """Three days while nobody owns the code, then with the booking; also for events that come after."""
    ledger = booking_ledger(redis_client, at(NOW))
    ledger.record_events([("c-1", "{}"), ("c-404", "{}")])
    ledger.create_or_update("BK-1", lambda _: Change(issued()))
    three_days = int(timedelta(days=3).total_seconds())
    assert redis_client.ttl(redis_keys.code_events("c-404")) <= three_days
    assert redis_client.expiretime(redis_keys.code_events("c-1")) == int((CHECK_OUT + 2 * RETENTION).timestamp())

    ledger.create_or_update("BK-1", lambda _: Change(with_door(issued(), code=code("c-9"))))
    ledger.record_events([("c-9", "{}")])
    assert redis_client.expiretime(redis_keys.code_events("c-9")) == int((CHECK_OUT + 2 * RETENTION).timestamp())


def test_everything_of_a_booking_expires_after_its_retention(redis_client: Redis) -> None:
    """Check-out plus twice the retention; the index forgets it too."""
    ledger = booking_ledger(redis_client)
    ledger.create_or_update("BK-1", lambda _: Change(issued(), (HistoryEntry(at=NOW, what="x.y", text=""),)))
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
    ledger.create_or_update("BK-1", lambda _: accepted(kind="cancelled"))
    assert redis_client.expiretime(redis_keys.booking_record("BK-1")) == int((NOW + 2 * RETENTION).timestamp())


def test_all_bookings_are_found_over_several_pages(redis_client: Redis) -> None:
    """Each once."""
    ledger = booking_ledger(redis_client)
    for number in range(1_003):
        redis_client.zadd(redis_keys.BOOKINGS, {f"gone-{number}": (NOW + timedelta(days=1)).timestamp()})
    for number in range(3):
        it = replace(booking(), booking_id=f"BK-{number}")
        ledger.create_or_update(it.booking_id, lambda _, it=it: Change(it))  # type: ignore[misc]
    assert sorted(each.booking_id for each in ledger.all()) == ["BK-0", "BK-1", "BK-2"]


def test_any_booking_id_makes_a_good_key(redis_client: Redis) -> None:
    """Braces, spaces, percent signs and other alphabets too; no two ids share a record."""
    ledger = booking_ledger(redis_client)
    ids = ["BK {1}", "BK%20{1}", "BK:1", "預約-1", "BK 1*?[a]"]
    for each in ids:
        it = replace(booking(), booking_id=each)
        ledger.create_or_update(each, lambda _, it=it: Change(it))  # type: ignore[misc]
    assert [ledger.get(each).booking_id for each in ids] == ids
    assert all(key.count("{") == key.count("}") == 1 for key in redis_client.scan_iter("*:record"))


def test_transitions_of_two_doors_do_not_collide(redis_client: Redis) -> None:
    """Two workers, a door each: both changes stand."""
    ledger = booking_ledger(redis_client)
    start = ledger.create_or_update("BK-1", lambda _: accepted(doors=(DOOR, SECOND)))
    until = NOW + timedelta(days=1)

    def schedule(_: None) -> None:
        ledger.update(start, lambda it: schedules(it, DOOR, revision=0, until=until, reason="a", facts={}, now=NOW))

    def fail(_: None) -> None:
        ledger.update(start, lambda it: fails(it, SECOND, revision=0, reason="b", detail="", facts={}, now=NOW))

    with ThreadPoolExecutor(2) as workers:
        list(workers.map(lambda work: work(None), (schedule, fail)))
    it = ledger.get("BK-1")
    assert (it.door(DOOR).reason, it.door(SECOND).reason, it.state) == ("a", "b", "failed")
