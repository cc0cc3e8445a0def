"""Messages that were parked or refused, of guests who may come: which are told, and in which order."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from shared.clock import system_clock
from shared.domain.booking.record import Change, State
from shared.domain.entry_ids import entry_id_at
from shared.domain.messages.message import Problem
from shared.domain.messages.refused import refused_message
from shared.parked import Parked, ParkedList
from shared.refused_messages import RefusedMessages
from shared.unapplied_messages import UnappliedMessage, UnappliedMessages
from tests.console.bookings import book, ledger_of

PROBLEM = Problem("unit", "'Villa 7' is not in the doors file", "add it")


@pytest.fixture
def reader(redis_client: Redis) -> UnappliedMessages:
    """Return the reader, as the console has it."""
    parked, refused = ParkedList(redis_client), RefusedMessages(redis_client)
    return UnappliedMessages(parked=parked, refused=refused, ledger=ledger_of(redis_client))


def message_of(booking_id: str | None, hours: float | None, **fields: Any) -> str:
    """Return a message with a check-in in so many hours; None: it can't be read."""
    at = (system_clock() + timedelta(hours=hours)).isoformat() if hours is not None else "soon"
    named = {"booking_id": booking_id} if booking_id else {}
    return json.dumps(named | {"unit": "Villa 7", "check_in": at} | fields)


def park(redis: Redis, text: str, *, at: datetime | None = None) -> str:
    """Park a message of the stream that arrived at this moment, now by default."""
    at = at or system_clock()
    parked = Parked(
        stream="booking-created",
        field="message",
        source_id=entry_id_at(at),
        message=text,
        problems=(str(PROBLEM),),
        parked_at=at.isoformat(),
    )
    return ParkedList(redis).park(parked)


def refuse(redis: Redis, text: str, *, at: datetime | None = None) -> None:
    """Keep that `POST /bookings` refused a message at this moment, now by default."""
    RefusedMessages(redis).keep(refused_message(text, [PROBLEM]), at or system_clock())


def told(reader: UnappliedMessages, hours: float = 48) -> list[UnappliedMessage]:
    """Return what is told of the guests of the next hours."""
    now = system_clock()
    return list(reader.between(now - timedelta(hours=6), now + timedelta(hours=hours), now=now).messages)


def test_the_nearest_come_first_and_those_of_later_are_left_out(redis_client: Redis, reader: UnappliedMessages) -> None:
    """Parked and refused ones alike, each with what is wrong and where it stands."""
    parked_id = park(redis_client, message_of("BK-2", 20))
    park(redis_client, message_of("BK-FAR", 100))
    refuse(redis_client, message_of("BK-3", 30))
    refuse(redis_client, message_of("BK-1", 2))
    refuse(redis_client, message_of("BK-PAST", -30))
    found = told(reader)
    assert [each.booking_id for each in found] == ["BK-1", "BK-2", "BK-3"]
    assert [each.parked_id for each in found] == ["", parked_id, ""]
    assert [str(each.reason) for each in found] == ["booking_refused", "booking_parked", "booking_refused"]
    problem = "unit: 'Villa 7' is not in the doors file; add it"
    assert found[1].why == f"A message for BK-2 is parked: {problem}. For now: no code is made for it."
    assert "A message for BK-1 was refused at" in found[0].why
    assert [each.booking_id for each in reader.all(now=system_clock())] == ["BK-1", "BK-2", "BK-3", "BK-FAR", "BK-PAST"]


def test_a_local_time_counts_until_it_is_past_everywhere(redis_client: Redis, reader: UnappliedMessages) -> None:
    """Nobody knows the lock's zone: 16:00 may be still to come on the other side of the Earth."""
    wall = (system_clock() - timedelta(hours=10)).replace(tzinfo=None, microsecond=0, second=0)
    park(redis_client, json.dumps({"booking_id": "BK-1", "check_in": wall.isoformat()}))
    (found,) = told(reader)
    assert found.on_lock_clock == wall


def test_it_comes_by_what_the_ledger_knows_too(redis_client: Redis, reader: UnappliedMessages) -> None:
    """A change to another week says nothing of tonight's guest, who keeps the old code."""
    book(redis_client, "BK-1", hours=5)
    book(redis_client, "BK-2", hours=6)
    park(redis_client, message_of("BK-1", 500))
    refuse(redis_client, json.dumps({"type": "booking.cancelled", "data": {"booking_id": "BK-2"}}))
    change, cancellation = told(reader)
    assert (change.booking_id, str(change.reason), change.door and change.door.name) == (
        "BK-1",
        "change_parked",
        "Room 101",
    )
    assert "A change of BK-1 is parked" in change.why
    assert "the booking keeps its old times" in change.why
    assert "A cancellation of BK-2 was refused" in cancellation.why
    assert "the code stays valid" in cancellation.why
    assert change.time_zone == "America/Los_Angeles"


@pytest.mark.parametrize("keep", [park, refuse])
def test_what_was_accepted_since_is_left_out(redis_client: Redis, reader: UnappliedMessages, keep: Any) -> None:
    """A later message told the booking as it is now; an earlier one didn't."""
    ledger = ledger_of(redis_client)
    earlier, later = (system_clock() + timedelta(minutes=minutes) for minutes in (-5, 5))
    for booking_id in ("BK-1", "BK-2"):
        booking = book(redis_client, booking_id, hours=5)
        ledger.record(booking, lambda it: Change(replace(it, newest_entry=entry_id_at(system_clock()))))
    keep(redis_client, message_of("BK-1", 5), at=earlier)
    keep(redis_client, message_of("BK-2", 5), at=later)
    assert [each.booking_id for each in told(reader)] == ["BK-2"]
    assert [each.booking_id for each in reader.all(now=system_clock())] == ["BK-2"]


def test_a_booking_is_told_once_a_kind(redis_client: Redis, reader: UnappliedMessages) -> None:
    """However often it was sent; the newest tells. Those that name no booking may be of different ones."""
    newest = [park(redis_client, message_of("BK-1", 5, note=number)) for number in range(5)][-1]
    park(redis_client, message_of(None, 6))
    park(redis_client, message_of(None, 7))
    found = told(reader)
    assert [each.booking_id for each in found] == ["BK-1", "", ""]
    assert found[0].parked_id == newest
    assert "A message that names no booking is parked" in found[1].why


def test_those_without_a_check_in_are_counted(redis_client: Redis, reader: UnappliedMessages) -> None:
    """Somebody may wait for what they say. Not of a booking with times of its own, nor a refusal of yesterday."""
    book(redis_client, "BK-KNOWN", hours=500, state=State.READY)
    now = system_clock()
    park(redis_client, message_of("BK-1", None))
    park(redis_client, "no JSON")
    refuse(redis_client, message_of("BK-2", None))
    assert reader.between(now, now + timedelta(hours=48), now=now).undated == 3
    park(redis_client, message_of("BK-KNOWN", None))
    refuse(redis_client, message_of("BK-3", None), at=now - timedelta(hours=30))
    park(redis_client, json.dumps({"type": "booking.cancelled", "data": {"booking_id": "BK-4"}}))
    found = reader.between(now, now + timedelta(hours=48), now=now)
    assert (found.messages, found.undated) == ((), 3)


def test_a_check_in_under_another_name_counts(redis_client: Redis, reader: UnappliedMessages) -> None:
    """The message isn't applied, but its guest comes: it is placed by that time, and not counted as one without."""
    now = system_clock()
    at = (now + timedelta(hours=3)).isoformat()
    park(redis_client, json.dumps({"booking_id": "BK-1", "checkIn": at}))
    refuse(redis_client, json.dumps({"booking_id": "BK-2", "reservation": {"arrivalDate": at}}))
    park(redis_client, json.dumps({"booking_id": "BK-3", "start": (now + timedelta(hours=100)).isoformat()}))
    found = reader.between(now, now + timedelta(hours=48), now=now)
    assert [each.booking_id for each in found.messages] == ["BK-1", "BK-2"]
    assert found.undated == 0


def test_what_was_refused_is_read_as_it_is_now(redis_client: Redis) -> None:
    """A reader remembers what it parsed, never when it came or what is gone."""
    reader, now = RefusedMessages(redis_client), system_clock()
    first = now - timedelta(days=6, hours=23)
    refuse(redis_client, message_of("BK-1", None), at=first)
    refuse(redis_client, message_of("BK-2", None), at=first)
    assert len(reader.lately(now)) == 2
    refuse(redis_client, message_of("BK-2", None), at=now)
    refuse(redis_client, message_of("BK-3", None), at=now - timedelta(hours=1))
    again = [(each.refused.booking_id, each.first_at, each.last_at) for each in reader.lately(now + timedelta(hours=2))]
    assert again == [("BK-2", first, now), ("BK-3", now - timedelta(hours=1), now - timedelta(hours=1))]
    assert reader.lately(now) == RefusedMessages(redis_client).lately(now)


def test_the_parked_list_is_read_again_once_it_changed(redis_client: Redis, reader: UnappliedMessages) -> None:
    """What was discarded is told no more, what was parked meanwhile is."""
    first = park(redis_client, message_of("BK-1", 5))
    assert [each.booking_id for each in told(reader)] == ["BK-1"]
    parked = ParkedList(redis_client)
    entry = parked.get(first)
    assert entry is not None
    parked.discard(entry)
    assert told(reader) == []
    park(redis_client, message_of("BK-2", 5))
    assert [each.booking_id for each in told(reader)] == ["BK-2"]


def test_an_event_is_nobodys(redis_client: Redis, reader: UnappliedMessages) -> None:
    """A webhook of Seam that could not be used names no guest."""
    event = Parked(
        stream="seam-events",
        field="event",
        source_id="1-1",
        message="{}",
        problems=("event_type: is missing",),
        parked_at=system_clock().isoformat(),
        kind="event",
    )
    ParkedList(redis_client).park(event)
    now = system_clock()
    found = reader.between(now, now + timedelta(hours=48), now=now)
    assert (found.messages, found.undated) == ((), 0)
