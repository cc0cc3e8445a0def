"""Records with a version: a write counts only if it was computed from the latest version."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from pydantic import ValidationError
from redis import Redis

from shared import redis_keys
from shared.clock import system_clock
from shared.domain.versions import NOT_IN_JSON, UnknownFields
from shared.ledger.records import MOST_CONFLICTS, Conflict, RecordStore, Stored, Write

KEY, HISTORY = "record", "history"


@dataclass(frozen=True, slots=True)
class Note:
    """Something to store."""

    text: str
    count: int = 0
    schema: str = "1.0"
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


@pytest.fixture
def notes(redis_client: Redis) -> RecordStore[Note]:
    """Return an empty store."""
    return RecordStore(redis_client, Note)


def save(notes: RecordStore[Note], note: Note, version: int, *history: str) -> int:
    """Save a note that expires in an hour."""
    expires_at = system_clock() + timedelta(hours=1)
    return notes.save(
        KEY, Write(record=note, expires_at=expires_at, history_key=HISTORY, history=history), version=version
    )


def test_versions_grow_with_every_write(notes: RecordStore[Note]) -> None:
    """From 0, where there is no record."""
    assert notes.load(KEY) == Stored(None, 0)
    assert save(notes, Note("one"), 0) == 1
    assert save(notes, Note("two", 2), 1) == 2
    assert notes.load(KEY) == Stored(Note("two", 2), 2)


@pytest.mark.parametrize("version", [0, 1, 3, 99], ids=["as if new", "overtaken", "the next", "from nowhere"])
def test_a_writer_that_was_overtaken_cannot_write(notes: RecordStore[Note], redis_client: Redis, version: int) -> None:
    """Neither the record nor its history changes."""
    save(notes, Note("one"), 0, "a")
    save(notes, Note("two"), 1, "b")
    with pytest.raises(Conflict):
        save(notes, Note("mine"), version, "mine")
    assert notes.load(KEY) == Stored(Note("two"), 2)
    assert redis_client.lrange(HISTORY, 0, -1) == ["a", "b"]


def test_record_and_history_expire_together(notes: RecordStore[Note], redis_client: Redis) -> None:
    """At the time that the last write names, whatever the ones before said."""
    save(notes, Note("one"), 0, "a")
    later = system_clock() + timedelta(days=9)
    notes.save(KEY, Write(record=Note("two"), expires_at=later, history_key=HISTORY, history=["b"]), version=1)
    for key in (KEY, HISTORY):
        assert 8 * 86_400 < redis_client.ttl(key) <= 9 * 86_400


def test_a_history_is_bounded(notes: RecordStore[Note], redis_client: Redis) -> None:
    """The newest thousand lines stay."""
    save(notes, Note("one"), 0, *map(str, range(1_200)))
    assert redis_client.llen(HISTORY) == 1_000
    assert redis_client.lindex(HISTORY, -1) == "1199"


def test_a_record_without_history_leaves_none(notes: RecordStore[Note], redis_client: Redis) -> None:
    """Alerts have no history of their own."""
    notes.save(KEY, Write(record=Note("one"), expires_at=system_clock() + timedelta(hours=1)), version=0)
    assert list(redis_client.scan_iter()) == [KEY]


def test_many_are_read_in_their_order(notes: RecordStore[Note]) -> None:
    """None stands for one that isn't there."""
    save(notes, Note("one"), 0)
    assert notes.load_many(["none", KEY, "none"]) == [None, Note("one"), None]
    assert notes.load_many([]) == []


def test_what_is_not_of_the_type_is_not_returned(notes: RecordStore[Note], redis_client: Redis) -> None:
    """A record that was damaged is an error, not a strange value."""
    redis_client.hset(KEY, mapping={"version": 1, "record": '{"text": 7}'})
    with pytest.raises(ValidationError):
        notes.load(KEY)


def counted(stored: Stored[Note]) -> Write[Note]:
    """Return what adds one to the note's count."""
    before = stored.record or Note("")
    expires_at = system_clock() + timedelta(hours=1)
    return Write(record=Note(before.text, before.count + 1), expires_at=expires_at)


def test_an_update_is_repeated_on_the_newer_record(notes: RecordStore[Note]) -> None:
    """The caller's own reading is tried first.

    If it is out of date, the change is computed again from the newer record.
    """
    first = notes.update(KEY, counted)
    assert first == Stored(Note("", 1), 1)
    assert notes.update(KEY, counted, seen=first) == Stored(Note("", 2), 2)
    assert notes.update(KEY, counted, seen=first) == notes.load(KEY) == Stored(Note("", 3), 3)


def test_an_update_that_changes_nothing_writes_nothing(notes: RecordStore[Note], redis_client: Redis) -> None:
    """It returns the record as it is."""
    assert notes.update(KEY, lambda _: None) == Stored(None, 0)
    assert redis_client.dbsize() == 0
    save(notes, Note("one"), 0)
    assert notes.update(KEY, lambda _: None) == Stored(Note("one"), 1)


def test_an_update_gives_up_where_others_are_always_first(notes: RecordStore[Note]) -> None:
    """After so many tries something is wrong, and it says so."""
    tries = []

    def overtaken(stored: Stored[Note]) -> Write[Note]:
        tries.append(stored.version)
        save(notes, Note("theirs"), stored.version)
        return counted(stored)

    with pytest.raises(Conflict):
        notes.update(KEY, overtaken)
    assert tries == list(range(MOST_CONFLICTS))


def test_times_in_the_due_set_are_written_with_the_record(notes: RecordStore[Note], redis_client: Redis) -> None:
    """Each member at its time, with its claims forgotten; None takes it out. Nothing of it where the write fails."""
    redis_client.zadd(redis_keys.DUE, {"gone": 5, "stays": 5})
    redis_client.hset(redis_keys.CLAIMS, mapping={"here": 3, "gone": 3, "stays": 3})
    write = Write(
        record=Note("one"),
        expires_at=system_clock() + timedelta(hours=1),
        history_key=HISTORY,
        history=["a", "b"],
        due=[("here", 7), ("gone", None)],
    )
    with pytest.raises(Conflict):
        notes.save(KEY, write, version=4)
    assert redis_client.zrange(redis_keys.DUE, 0, -1) == ["gone", "stays"]
    notes.save(KEY, write, version=0)
    assert redis_client.zrange(redis_keys.DUE, 0, -1, withscores=True) == [("stays", 5), ("here", 7)]
    assert redis_client.hkeys(redis_keys.CLAIMS) == ["stays"]
    assert redis_client.lrange(HISTORY, 0, -1) == ["a", "b"]


def test_what_stays_parsed_is_never_out_of_date(redis_client: Redis) -> None:
    """The same text is parsed once, whichever key has it; a text that is new is parsed."""
    remembering, other = RecordStore(redis_client, Note, remembered=2), RecordStore(redis_client, Note)
    save(other, Note("one"), 0)
    first = remembering.load_many([KEY])
    assert remembering.load(KEY).record is first[0]
    save(other, Note("two"), 1)
    assert remembering.load_many([KEY]) == [Note("two")]
    redis_client.delete(KEY)
    save(other, Note("three"), 0)
    assert remembering.load_many([KEY, "none"]) == [Note("three"), None]
    save(other, Note("long" * 2_000), 1)
    assert remembering.load(KEY).record == Note("long" * 2_000)
    assert remembering.load(KEY).record is not remembering.load(KEY).record
    redis_client.hset(KEY, "record", "{")
    for _ in range(2):
        with pytest.raises(ValidationError):
            remembering.load(KEY)
