"""The booking ledger: nothing is lost between workers, and every booking is found again."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from redis import Redis

from shared import redis_keys
from shared.domain.booking.record import Booking, Change
from shared.domain.booking.seen_door import SeenDoor
from shared.domain.booking.transitions import StaleRead, Superseded, fail, schedule
from shared.ledger.bookings import Owner, UnknownBooking
from tests.shared.ledger_changes import labelled
from tests.shared.ledgers import booking_ledger, once
from tests.shared.stories import DOOR, NOW, SECOND, accepted, booking, code, issued, with_door


def test_a_booking_is_read_as_it_was_written(redis_client: Redis) -> None:
    """With its doors, codes, residual codes and version."""
    ledger = booking_ledger(redis_client)
    it = with_door(issued(DOOR, SECOND), residual=(code("c-old"),))
    written = ledger.record_message("BK-1", lambda _: Change(it))
    assert written.version == 1
    assert ledger.get("BK-1") == written == replace(it, version=1)


def test_an_unknown_booking(redis_client: Redis) -> None:
    """Reading and changing it raise UnknownBooking, and nothing is written."""
    ledger = booking_ledger(redis_client)
    with pytest.raises(UnknownBooking):
        ledger.get("BK-404")
    seen = ledger.record_message("BK-1", lambda _: Change(booking()))
    redis_client.flushall()
    with pytest.raises(UnknownBooking):
        ledger.record(seen, lambda it: labelled(it, "x"))
    assert redis_client.exists(redis_keys.booking_record("BK-1")) == 0


def test_a_transition_that_refuses_writes_nothing(redis_client: Redis) -> None:
    """The transition's error is passed on to the caller."""
    ledger = booking_ledger(redis_client)

    def refuse(_: Booking | None) -> Change:
        raise Superseded

    with pytest.raises(Superseded):
        ledger.record_message("BK-1", refuse)
    assert redis_client.dbsize() == 0


def test_a_transition_is_repeated_on_the_newer_record(redis_client: Redis) -> None:
    """A writer that read too early computes its change again, from what the other one wrote."""
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
    """Neither if the door's record changed, nor if the revision did: the caller must read and decide again."""
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


def _replaced(it: Booking, change: dict[str, Any]) -> Change:
    return Change(replace(it, **change))


def test_a_code_leads_to_its_booking(redis_client: Redis) -> None:
    """Current codes and codes of earlier revisions; None for codes that are not ours."""
    ledger = booking_ledger(redis_client)
    it = with_door(issued(DOOR, SECOND), residual=(code("c-old"),))
    ledger.record_message("BK-1", lambda _: Change(it))

    owners = ledger.owner_of(["c-2", "c-404", "c-old", "c-1"])
    assert owners == [Owner("BK-1", SECOND), None, Owner("BK-1", DOOR), Owner("BK-1", DOOR)]
    assert ledger.owner_of([]) == []


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
