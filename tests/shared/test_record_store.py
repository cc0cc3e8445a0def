"""Records with a version: only whoever holds the latest may write."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from pydantic import ValidationError
from redis import Redis

from shared.clock import system_clock
from shared.domain.versions import NOT_IN_JSON, Beyond
from shared.ledger.records import Conflict, RecordStore

KEY, HISTORY = "record", "history"


@dataclass(frozen=True, slots=True)
class Note:
    """Something to store."""

    text: str
    count: int = 0
    schema: str = "1.0"
    beyond: Beyond = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


@pytest.fixture
def notes(redis_client: Redis) -> RecordStore[Note]:
    """Return an empty store."""
    return RecordStore(redis_client, Note)


def save(notes: RecordStore[Note], note: Note, version: int, *history: str) -> int:
    """Save a note that expires in an hour."""
    expires_at = system_clock() + timedelta(hours=1)
    return notes.save(KEY, note, version=version, expires_at=expires_at, history_key=HISTORY, history=history)


def test_versions_grow_with_every_write(notes: RecordStore[Note]) -> None:
    """From 0, where there is no record."""
    assert notes.load(KEY) == (None, 0)
    assert save(notes, Note("one"), 0) == 1
    assert save(notes, Note("two", 2), 1) == 2
    assert notes.load(KEY) == (Note("two", 2), 2)


@pytest.mark.parametrize("version", [0, 1, 3, 99], ids=["as if new", "overtaken", "the next", "from nowhere"])
def test_a_writer_that_was_overtaken_cannot_write(notes: RecordStore[Note], redis_client: Redis, version: int) -> None:
    """Neither the record nor its history changes."""
    save(notes, Note("one"), 0, "a")
    save(notes, Note("two"), 1, "b")
    with pytest.raises(Conflict):
        save(notes, Note("mine"), version, "mine")
    assert notes.load(KEY) == (Note("two"), 2)
    assert redis_client.lrange(HISTORY, 0, -1) == ["a", "b"]


def test_record_and_history_expire_together(notes: RecordStore[Note], redis_client: Redis) -> None:
    """At the time that the last write names, whatever the ones before said."""
    save(notes, Note("one"), 0, "a")
    notes.save(
        KEY,
        Note("two"),
        version=1,
        expires_at=system_clock() + timedelta(days=9),
        history_key=HISTORY,
        history=["b"],
    )
    for key in (KEY, HISTORY):
        assert 8 * 86_400 < redis_client.ttl(key) <= 9 * 86_400


def test_a_history_is_bounded(notes: RecordStore[Note], redis_client: Redis) -> None:
    """The newest thousand lines stay."""
    save(notes, Note("one"), 0, *map(str, range(1_200)))
    assert redis_client.llen(HISTORY) == 1_000
    assert redis_client.lindex(HISTORY, -1) == "1199"


def test_a_record_without_history_leaves_none(notes: RecordStore[Note], redis_client: Redis) -> None:
    """Alerts have no history of their own."""
    notes.save(KEY, Note("one"), version=0, expires_at=system_clock() + timedelta(hours=1))
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
