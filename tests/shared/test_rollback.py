"""Whether a ledger that may lack its last writes is noticed: on a real primary and its replica."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis

from shared import redis_keys
from shared.clock import system_clock
from shared.ledger.data_loss import LedgerEpoch
from shared.ledger.rollback import LedgerPrimary, Rollback
from shared.redis_client import connect
from tests.support.failover import primary_and_replica, said_by
from tests.support.server import DataServer
from tests.support.waiting import wait_until

SETTLE = timedelta(seconds=30)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[DataServer, DataServer]]:
    """Run a primary, and a replica that follows it."""
    with primary_and_replica(tmp_path) as servers:
        yield servers


def on(server: DataServer, *, like: LedgerPrimary | None = None) -> LedgerPrimary:
    """Return the note on a server, as a process remembers it that was on another one before."""
    it = LedgerPrimary(connect(server.url), settle=SETTLE)
    if like is not None:
        it._seen = like._seen
    return it


def promote(replica: DataServer) -> None:
    """Make it a primary, as a Sentinel does."""
    with Redis.from_url(replica.url) as client:
        client.replicaof("NO", "ONE")


def in_step(primary: DataServer, replica: DataServer) -> None:
    """Wait until the replica has all."""
    offset = said_by(primary)["master_repl_offset"]
    wait_until(lambda: said_by(replica)["slave_repl_offset"] >= offset, what="the replica has all")


def rollback_of(note: LedgerPrimary) -> Rollback:
    """Return what was noticed."""
    rollback = note.note().rollback
    assert rollback is not None
    return rollback


def test_a_restart_lacks_nothing(pair: tuple[DataServer, DataServer]) -> None:
    """A primary that comes back with its own file has another replication id, and no pause follows."""
    primary, _ = pair
    before = on(primary)
    before.note()
    replid = said_by(primary)["master_replid"]
    primary.kill()
    primary.start()
    assert said_by(primary)["master_replid"] != replid
    for note in (on(primary, like=before), on(primary)):
        assert note.note().rollback is None


def test_a_promoted_replica_is_noticed_by_every_process(pair: tuple[DataServer, DataServer]) -> None:
    """Also by one that was started since, and once: all share one pause. Nothing is known to be missing."""
    primary, replica = pair
    before = on(primary)
    noted_at = system_clock()
    before.note()
    in_step(primary, replica)
    promote(replica)
    first, second = on(replica, like=before), on(replica)
    state = first.note()
    assert SETTLE - timedelta(seconds=5) < state.pause <= SETTLE
    rollback = rollback_of(first)
    assert not rollback.is_certain
    assert not rollback.is_done
    assert abs(rollback.since - noted_at) < timedelta(seconds=3)
    assert rollback.since <= rollback.noticed_at
    assert rollback_of(second).rollback_id == rollback.rollback_id
    assert second.note().pause <= state.pause


def promoted_without_the_tail(primary: DataServer, replica: DataServer) -> tuple[LedgerPrimary, DataServer]:
    """Promote a replica that lacks the primary's last write; return who noted that write, and the replica."""
    before = on(primary)
    before.note()
    in_step(primary, replica)
    promote(replica)
    with Redis.from_url(primary.url) as client:
        client.set("an intent", "lost")
    before.note()
    return before, replica


def test_a_replica_that_lacks_a_tail_is_known_to(pair: tuple[DataServer, DataServer]) -> None:
    """The old primary was written to after the replica stopped following it, and this process saw that."""
    before, replica = promoted_without_the_tail(*pair)
    assert rollback_of(on(replica, like=before)).is_certain


def test_who_notices_first_need_not_know_what_is_missing(pair: tuple[DataServer, DataServer]) -> None:
    """A process that saw more says so later."""
    before, replica = promoted_without_the_tail(*pair)
    assert not rollback_of(on(replica)).is_certain
    assert rollback_of(on(replica, like=before)).is_certain


def test_an_older_ledger_is_noticed(redis_client: Redis, data_server: DataServer) -> None:
    """Whatever made it older, such as a restored backup: this process has seen a later note."""
    note = on(data_server)
    note.note()
    assert note.note().rollback is None
    redis_client.hset(redis_keys.PRIMARY, "count", 0)
    rollback = rollback_of(note)
    assert rollback.is_certain
    assert rollback_of(note).rollback_id == rollback.rollback_id


def test_a_restored_backup_is_noted_by_its_command(redis_client: Redis, data_server: DataServer) -> None:
    """From the last note in it on writes are missing for certain; creates pause; and it is dealt with as any."""
    note = on(data_server)
    with pytest.raises(ValueError, match="note"):
        note.restored()
    note.note()
    redis_client.hset(redis_keys.PRIMARY, "noted_at", 1_000_000)
    noted = on(data_server).restored()
    state = on(data_server).note()
    assert state.rollback == noted
    assert (noted.since.timestamp(), noted.is_certain, noted.is_restore, noted.is_done) == (1_000, True, True, False)
    assert SETTLE - timedelta(seconds=5) < state.pause <= SETTLE
    note.finish(noted)
    assert rollback_of(note).is_done


def test_when_a_backup_was_taken_can_be_said(redis_client: Redis, data_server: DataServer) -> None:
    """For one that holds no note; what the backup itself hadn't dealt with begins earlier still."""
    taken_at = system_clock().replace(microsecond=0) - timedelta(hours=1)
    assert on(data_server).restored(taken_at).since == taken_at
    redis_client.hset(redis_keys.PRIMARY, "since", 5_000)
    assert on(data_server).restored(taken_at).since.timestamp() == 5


def test_a_promotion_after_a_restore_is_still_a_restore(redis_client: Redis, data_server: DataServer) -> None:
    """A server that has read a snapshot looks like a replica that was promoted: people are told what it really was."""
    note = on(data_server)
    note.note()
    noted = note.restored(system_clock() - timedelta(hours=1))
    redis_client.hset(redis_keys.PRIMARY, "count", 0)
    both = rollback_of(note)
    assert both.rollback_id != noted.rollback_id
    assert (both.is_restore, both.is_certain, both.since) == (True, True, noted.since)
    note.finish(both)
    redis_client.hset(redis_keys.PRIMARY, "count", 0)
    assert not rollback_of(note).is_restore


def test_a_second_one_before_the_first_is_dealt_with(redis_client: Redis, data_server: DataServer) -> None:
    """What may be missing begins with the first; one that was dealt with doesn't count any more."""
    note = on(data_server)
    note.note()
    redis_client.hset(redis_keys.PRIMARY, mapping={"count": 0, "noted_at": 1_000})
    first = rollback_of(note)
    redis_client.hset(redis_keys.PRIMARY, "count", 0)
    second = rollback_of(note)
    assert second.rollback_id != first.rollback_id
    assert second.since == first.since
    note.finish(first)
    assert not rollback_of(note).is_done
    note.finish(second)
    assert rollback_of(note).is_done
    redis_client.hset(redis_keys.PRIMARY, "count", 0)
    assert rollback_of(note).since > first.since


def test_an_emptied_ledger_is_another_matter(redis_client: Redis, data_server: DataServer) -> None:
    """It has a new epoch, and no note to compare with."""
    note = on(data_server)
    note.note()
    redis_client.flushall()
    assert note.note().rollback is None


def test_a_server_that_does_not_say_is_used_all_the_same(redis_client: Redis, data_server: DataServer) -> None:
    """Where INFO is forbidden nothing is noticed."""
    redis_client.acl_setuser(
        "shy", enabled=True, passwords=["+shy"], keys=["*"], categories=["+@all"], commands=["-info"]
    )
    try:
        client = connect(f"redis://shy:shy@127.0.0.1:{data_server.port}/0")
        assert LedgerPrimary(client, settle=SETTLE).note().rollback is None
        client.close()
    finally:
        redis_client.acl_deluser("shy")


def test_creates_pause_and_the_ledger_counts_as_young(redis_client: Redis, data_server: DataServer) -> None:
    """For as long as a call may take whose intent was lost; and one look at Seam isn't enough for a while."""
    ids = iter("abc")
    epoch = LedgerEpoch(connect(data_server.url), settle=SETTLE, clock=system_clock, new_id=lambda: next(ids))
    assert epoch.is_settled()
    redis_client.set(redis_keys.LEDGER_EPOCH, "old@1")
    redis_client.hset(redis_keys.PRIMARY, mapping={"count": 0, "settled_at": 0})
    epoch._known = "old@1"
    settled_at = epoch.settled_at()
    assert settled_at is not None
    assert SETTLE - timedelta(seconds=5) < settled_at - system_clock() <= SETTLE
    assert not epoch.is_settled()
    assert epoch.is_young()
    redis_client.hset(redis_keys.PRIMARY, "settled_at", 0)
    assert epoch.is_settled()
