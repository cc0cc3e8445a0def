"""Bookings are found by what people look for, and never where they aren't any more."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from shared import redis_keys
from shared.clock import system_clock
from shared.domain.booking.record import Booking, Change, State
from shared.ledger.booking_filter import BookingFilter
from shared.ledger.booking_index_repair import BookingIndexRepair
from shared.ledger.booking_indexes import shed_expired
from shared.ledger.booking_search import BookingSearch, Found
from tests.console.bookings import DOOR, book, ledger_of

DAY = timedelta(days=1)


def search(redis: Redis) -> BookingSearch:
    """Return the search."""
    return BookingSearch(redis)


def ids(found: Found) -> list[str]:
    """Return which bookings were found, in their order."""
    return [booking.booking_id for booking in found.bookings]


def state(redis: Redis, booking: Booking, to: State, reason: str = "") -> Booking:
    """Move a booking as a transition does."""
    return ledger_of(redis).record(booking, lambda it: Change(replace(it, state=to, reason=reason)))


def test_by_state_reason_word_door_and_check_in(redis_client: Redis) -> None:
    """Each alone, and together."""
    book(redis_client, "BK-1", hours=30, label="Room 101 | Smith")
    book(redis_client, "BK-2", hours=10, state=State.WAITING, reason="no_slot", device_id="door-2")
    book(redis_client, "bk-30", hours=80, state=State.WAITING, reason="no_slot", label="Smithy")
    it, now = search(redis_client), system_clock()
    assert ids(it.find(BookingFilter())) == ["BK-2", "BK-1", "bk-30"]
    assert ids(it.find(BookingFilter(), latest_first=True)) == ["bk-30", "BK-1", "BK-2"]
    assert ids(it.find(BookingFilter(state="waiting"))) == ["BK-2", "bk-30"]
    assert ids(it.find(BookingFilter(reason="no_slot"))) == ["BK-2", "bk-30"]
    assert ids(it.find(BookingFilter(word="bk-3"))) == ["bk-30"]
    assert ids(it.find(BookingFilter(word="SMITH"))) == ["BK-1", "bk-30"]
    assert ids(it.find(BookingFilter(device_ids=("door-2",)))) == ["BK-2"]
    assert ids(it.find(BookingFilter(check_in_from=now + DAY, check_in_to=now + 2 * DAY))) == ["BK-1"]
    assert ids(it.find(BookingFilter(state="waiting", word="smith", check_in_from=now + 2 * DAY))) == ["bk-30"]
    assert ids(it.find(BookingFilter(device_ids=()))) == []
    assert it.find(BookingFilter()).counts == {"ready": 1, "waiting": 2}
    assert it.find(BookingFilter(word="smith", state="ready")).counts == {"ready": 1, "waiting": 1}
    assert it.reasons() == ["no_slot"]


def test_a_booking_that_moves_is_found_where_it_is(redis_client: Redis) -> None:
    """State and reason change with the record, in one step."""
    booking = book(redis_client, "BK-1", state=State.WAITING, reason="no_slot")
    state(redis_client, booking, State.READY)
    it = search(redis_client)
    assert ids(it.find(BookingFilter(state="waiting"))) == ids(it.find(BookingFilter(reason="no_slot"))) == []
    assert it.find(BookingFilter()).counts == {"ready": 1}
    assert it.reasons() == []


def test_who_was_overtaken_leaves_no_place(redis_client: Redis) -> None:
    """A writer that lost the race has moved nothing, and goes on from what the other wrote."""
    booking = book(redis_client, "BK-1", state=State.WAITING, reason="no_slot")
    tries: list[str] = []

    def slow(it: Booking) -> Change:
        if not tries:
            tries.append("overtaken")
            state(redis_client, booking, State.FAILED, "too_long")
        return Change(replace(it, label="late"))

    ledger_of(redis_client).record(booking, slow)
    it = search(redis_client)
    assert it.find(BookingFilter()).counts == {"failed": 1}
    assert ids(it.find(BookingFilter(reason="too_long"))) == ids(it.find(BookingFilter(word="late"))) == ["BK-1"]


@pytest.mark.parametrize("latest_first", [False, True])
def test_pages_hold_each_booking_once(redis_client: Redis, latest_first: bool) -> None:  # noqa: FBT001 - a case
    """Also where many have one check-in, and whichever index leads."""
    for number in range(12):
        book(redis_client, f"BK-{number:02}", hours=24 if number < 7 else 30 + number)
    for wanted in (BookingFilter(), BookingFilter(state="ready"), BookingFilter(word="bk")):
        seen: list[str] = []
        cursor = ""
        while True:
            found = search(redis_client).find(wanted, latest_first=latest_first, cursor=cursor, limit=5)
            seen += ids(found)
            cursor = found.cursor
            if not cursor:
                break
        assert seen == sorted(seen, reverse=latest_first)
        assert len(seen) == 12
    with pytest.raises(ValueError, match=r"cursor|float"):
        search(redis_client).find(BookingFilter(), cursor="nonsense")


def test_what_an_older_version_wrote_is_filled_in_once(redis_client: Redis) -> None:
    """As after an update: the records are there, and the indexes aren't."""
    book(redis_client, "BK-1", label="Smith")
    for key in redis_client.scan_iter("oracode:bookings-of:*"):
        redis_client.delete(key)
    it, repair = search(redis_client), BookingIndexRepair(redis_client, ledger_of(redis_client))
    assert ids(it.find(BookingFilter())) == []
    assert repair.fill() == 1
    assert ids(it.find(BookingFilter(word="smith"))) == ids(it.find(BookingFilter(state="ready"))) == ["BK-1"]
    assert repair.fill() == 0


def test_a_stale_place_shows_nothing(redis_client: Redis) -> None:
    """An older process may write a booking without its places: the record decides."""
    book(redis_client, "BK-1")
    redis_client.zadd(redis_keys.bookings_in_state("failed"), {"BK-1": 1, "BK-gone": 2})
    assert ids(search(redis_client).find(BookingFilter(state="failed"))) == []


def test_indexes_are_written_anew(redis_client: Redis) -> None:
    """Wrong entries go, missing ones come, those of bookings without a record go; the bookings stay as they are."""
    book(redis_client, "BK-1", label="Smith")
    waiting = book(redis_client, "BK-2", state=State.WAITING, reason="no_slot", hours=40)
    redis_client.zadd(redis_keys.bookings_in_state("failed"), {"BK-1": 1, "BK-gone": 2})
    redis_client.zadd(redis_keys.bookings_of_reason("no_slot"), {"BK-1": 1})
    redis_client.zadd(redis_keys.BOOKINGS_BY_WORD, {"jones\x1fBK-1": 0, "old\x1fBK-gone": 0})
    for key in (redis_keys.ARRIVALS, redis_keys.door_bookings(DOOR), redis_keys.bookings_in_state("waiting")):
        redis_client.delete(key)
    it, repair = search(redis_client), BookingIndexRepair(redis_client, ledger_of(redis_client))
    assert it.find(BookingFilter()).counts == {"failed": 2, "ready": 1}
    assert repair.rebuild() == (2, 1)
    assert it.find(BookingFilter()).counts == {"ready": 1, "waiting": 1}
    assert ids(it.find(BookingFilter(reason="no_slot"))) == ["BK-2"]
    assert ids(it.find(BookingFilter(word="smith"))) == ["BK-1"]
    assert ids(it.find(BookingFilter(word="jones"))) == ids(it.find(BookingFilter(word="old"))) == []
    assert ids(it.find(BookingFilter(device_ids=(DOOR,)))) == ["BK-1", "BK-2"]
    ledger, now = ledger_of(redis_client), system_clock()
    assert [each.booking_id for each in ledger.arriving(now, now + 3 * DAY)] == ["BK-1", "BK-2"]
    assert replace(ledger.get("BK-2"), version=0) == replace(waiting, version=0)
    assert redis_client.zrange(redis_keys.BOOKINGS_BY_WORD, 0, -1) == ["bk-1\x1fBK-1", "bk-2\x1fBK-2", "smith\x1fBK-1"]
    assert repair.rebuild() == (2, 0)


def test_what_expires_leaves_every_index(redis_client: Redis) -> None:
    """Nothing of it is left, words of its label least of all."""
    book(redis_client, "BK-1", label="Smith", state=State.WAITING, reason="no_slot")
    end = system_clock() + timedelta(days=3650)
    redis_client.delete(redis_keys.booking_record("BK-1"))
    shed_expired(redis_client, end)
    left: Any = [key for key in redis_client.scan_iter("oracode:bookings*") if "reasons" not in key]
    assert left == []


def test_a_forgotten_label_is_not_found(redis_client: Redis) -> None:
    """What is taken out of the record is taken out of the index, in the same step."""
    booking = book(redis_client, "BK-1", label="Smith")
    ledger_of(redis_client).record(booking, lambda it: Change(replace(it, label=None)))
    assert ids(search(redis_client).find(BookingFilter(word="smith"))) == []
    assert "smith" not in str(redis_client.zrange(redis_keys.BOOKINGS_BY_WORD, 0, -1)).casefold()


@pytest.mark.parametrize("word", ["", " ", "[", "(", "\x00", "\x1f", "\xff", "ß", "\ud800", "x" * 3_000, "-inf", "*"])
def test_no_word_is_an_error(redis_client: Redis, word: str) -> None:
    """Whatever somebody types; and a separator of ours finds nothing of others."""
    book(redis_client, "BK-1")
    assert len(search(redis_client).find(BookingFilter(word=word)).bookings) == (not word.strip())


def test_too_many_candidates_are_said_to_be(redis_client: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """A word that very many begin with, alone or with a door: the answer says that not all were looked at."""
    monkeypatch.setattr("shared.ledger.booking_candidates.MOST_CANDIDATES", 3)
    for number in range(5):
        book(redis_client, f"BK-{number}", state=State.WAITING, reason="no_slot")
    it = search(redis_client)
    for wanted in (
        BookingFilter(word="bk"),
        BookingFilter(word="bk", device_ids=("other",)),
        BookingFilter(device_ids=(DOOR,)),
        BookingFilter(reason="no_slot"),
    ):
        found = it.find(wanted)
        assert found.is_cut
        assert len(found.bookings) <= 3
    assert not it.find(BookingFilter(word="bk-1")).is_cut


def test_many_candidates_are_counted_as_few_are(redis_client: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the indexes of states are asked one after the other: with the same answer, for every filter."""
    standing = (State.READY, State.READY, State.WAITING, State.FAILED, State.READY)
    for number in range(20):
        to = standing[number % len(standing)]
        book(redis_client, f"BK-{number:02}", hours=30 + number, state=to, reason="no_slot" if to == "waiting" else "")
    now = system_clock()
    filters = (
        BookingFilter(word="bk"),
        BookingFilter(word="bk", state="waiting"),
        BookingFilter(word="bk", reason="no_slot"),
        BookingFilter(device_ids=(DOOR,), check_in_from=now + timedelta(hours=40)),
        BookingFilter(word="none"),
    )
    few = [search(redis_client).find(wanted) for wanted in filters]
    monkeypatch.setattr("shared.ledger.booking_candidates._FEW", 0)
    assert [search(redis_client).find(wanted) for wanted in filters] == few
    assert few[0].counts == {"ready": 12, "waiting": 4, "failed": 4}
    # A place that is missing is missed by nobody else.
    redis_client.zrem(redis_keys.bookings_in_state("failed"), "BK-03")
    assert sum(search(redis_client).find(filters[0]).counts.values()) == 19


@pytest.mark.parametrize("cursor", ["nan:BK-1", "inf:BK-1", "-inf:BK-1", "x:BK-1", "1", ":"])
def test_a_cursor_that_is_none_of_ours(redis_client: Redis, cursor: str) -> None:
    """It is refused before the data server is asked."""
    with pytest.raises(ValueError, match=r"cursor|float"):
        search(redis_client).find(BookingFilter(), cursor=cursor)
