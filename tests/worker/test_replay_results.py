"""What a replayed message came to is stored before it leaves its stream."""

import json
from dataclasses import replace
from typing import Any, cast

import pytest
from redis import Redis

from shared import redis_keys
from shared.contracts import EVENT_FIELD
from shared.parked import Parked, ParkedEntry
from shared.replay_results import Replayed, ReplayResult, ReplayResults
from tests.sandbox.harness import Sandbox, in_days
from tests.worker.machine import Machine
from tests.worker.test_replayed_messages import bad


class KilledError(Exception):
    """The process ends here."""


def parked_again(machine: Machine, message: str) -> ParkedEntry:
    """Park a message as the worker does; return it."""
    machine.apply(machine.append(message))
    *_, entry = machine.parked.list()
    return entry


def replay(machine: Machine, entry: ParkedEntry, **mended: object) -> str:
    """Replay a message, with other fields where these are given; return its entry's id."""
    text = json.dumps(json.loads(entry.parked.message) | mended)
    as_mended = ParkedEntry(entry.parked_id, replace(entry.parked, message=text))
    assert machine.parked.replay(as_mended, by="olaf", is_mended=bool(mended))
    ((entry_id, _),) = cast(Any, machine.redis.xrevrange(entry.parked.stream, count=1))
    return str(entry_id)


def result_of(machine: Machine, entry: ParkedEntry) -> Replayed:
    """Return what became of a message."""
    return ReplayResults(machine.redis).of([entry.parked_id])[entry.parked_id]


def test_it_waits_until_it_is_applied(machine: Machine, sandbox: Sandbox) -> None:
    """By whom it was replayed, whether it was mended, and as which booking it is applied."""
    entry = parked_again(machine, bad(machine, sandbox))
    assert ReplayResults(machine.redis).of([entry.parked_id]) == {}
    entry_id = replay(machine, entry, check_in=in_days(2, "15:45:00"))
    waiting = result_of(machine, entry)
    assert (waiting.waits, waiting.result, waiting.by, waiting.is_mended) == (True, None, "olaf", True)
    booking = machine.apply(entry_id)
    assert booking is not None
    after = result_of(machine, entry)
    assert not after.waits
    assert after.result == ReplayResult(end="applied", booking_id=booking.booking_id, revision=0)
    assert abs((after.replayed_at - machine.clock()).total_seconds()) < 60
    for key in (
        redis_keys.replay_note(entry.parked_id),
        redis_keys.replay_result("booking-created", entry_id),
    ):
        assert 0 < int(cast(Any, machine.redis.ttl(key))) <= redis_keys.REPLAYS_FOR.total_seconds()


def test_it_is_parked_again(machine: Machine, sandbox: Sandbox) -> None:
    """The result names the new entry of the list, the booking and the problems; these stay after a discard."""
    entry = parked_again(machine, bad(machine, sandbox))
    machine.apply(replay(machine, entry))
    (again,) = machine.parked.list()
    booking_id = json.loads(entry.parked.message)["booking_id"]
    machine.parked.discard(again)
    assert result_of(machine, entry).result == ReplayResult(
        end="parked", booking_id=booking_id, parked_id=again.parked_id, problems=again.parked.problems
    )


def park(machine: Machine, message: str, stream: str = "booking-created", field: str = "message") -> ParkedEntry:
    """Put a message on the list that could be used."""
    parked_id = machine.parked.park(
        Parked(stream=stream, field=field, source_id="x", message=message, problems=("x: y; z",), parked_at="")
    )
    entry = machine.parked.get(parked_id)
    assert entry is not None
    return entry


@pytest.mark.parametrize(
    ("first", "change", "why"),
    [
        (3, {}, "it was applied before"),
        (None, {"id": "another"}, "it says what is known already"),
        (3, {"id": "older", "revision": 2}, "another message of this booking counts"),
    ],
)
def test_it_changes_nothing(
    machine: Machine, sandbox: Sandbox, first: int | None, change: dict[str, Any], why: str
) -> None:
    """It was applied before, says what is known, or another counts: the result says which."""
    booking_id = machine.new_id()
    revision: dict[str, Any] = {} if first is None else {"revision": first}
    entry_id = machine.publish(booking_id, [sandbox.door()], **revision)
    ((_, fields),) = cast(Any, machine.redis.xrange("booking-created", entry_id, entry_id))
    message = json.loads(fields["message"])
    machine.apply(entry_id)
    # The story's times are those of long ago: it was not by this replay.
    key = redis_keys.booking_history(booking_id)
    lines = [json.loads(line) | {"at": "2020-01-01T00:00:00Z"} for line in cast(Any, machine.redis.lrange(key, 0, -1))]
    machine.redis.delete(key)
    machine.redis.rpush(key, *map(json.dumps, lines))
    data = message["data"] | {name: value for name, value in change.items() if name == "revision"}
    entry = park(machine, json.dumps(message | {"id": change.get("id", message["id"]), "data": data}))
    machine.apply(replay(machine, entry))
    result = result_of(machine, entry).result
    assert result is not None
    assert (result.end, result.booking_id) == ("unchanged", booking_id)
    assert result.why.startswith(why)


@pytest.mark.parametrize("killed_at", ["before the result", "after the result"])
def test_a_killed_worker_says_the_same(
    machine: Machine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    """The message is applied, and the process ends before the entry is out of its stream: the next one goes on."""
    entry = parked_again(machine, bad(machine, sandbox))
    entry_id = replay(machine, entry, check_in=in_days(2, "15:45:00"))

    def killed(*_: Any, **__: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        if killed_at == "before the result":
            patched.setattr("shared.replay_results.ReplayResults.note", killed)
        else:
            patched.setattr("worker.handlers.apply_message.acknowledge", killed)
        with pytest.raises(KilledError):
            machine.apply(entry_id)
    assert result_of(machine, entry).waits == (killed_at == "before the result")
    machine.apply(entry_id)
    result = result_of(machine, entry).result
    assert result is not None
    assert (result.end, result.revision) == ("applied", 0)


def test_an_event_is_recorded(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """For the booking of its code; one that nobody knows as well; one that is no event is parked again."""
    booking = machine.until(machine.book(sandbox.door()), "ready")
    (door,) = booking.doors
    assert door.code is not None
    event = {"event_id": "e-1", "event_type": "access_code.set_on_device", "access_code_id": door.code.access_code_id}
    entries = [
        park(machine, json.dumps(it), "seam-events", EVENT_FIELD)
        for it in (event, event | {"event_id": "e-2", "access_code_id": "nobody's"}, {"event_id": "e-3"})
    ]
    machine.handlers.record_events([replay(machine, entry) for entry in entries])
    (again,) = machine.parked.list()
    assert [result_of(machine, entry).result for entry in entries] == [
        ReplayResult(end="recorded", booking_id=booking.booking_id),
        ReplayResult(end="recorded"),
        ReplayResult(end="parked", parked_id=again.parked_id, problems=again.parked.problems),
    ]
    assert redis_client.xlen("seam-events") == 0


def test_what_another_version_did_is_not_known(machine: Machine, sandbox: Sandbox) -> None:
    """An older worker took the entry and noted nothing; a newer one means something else by what it notes."""
    entry = parked_again(machine, bad(machine, sandbox))
    entry_id = replay(machine, entry)
    machine.redis.xdel("booking-created", entry_id)
    assert (result_of(machine, entry).waits, result_of(machine, entry).result) == (False, None)
    key = redis_keys.replay_result("booking-created", entry_id)
    machine.redis.set(key, json.dumps({"schema": "2.0", "end": "applied"}))
    assert result_of(machine, entry).result is None
    machine.redis.set(key, json.dumps({"schema": "1.7", "end": "melted", "more": 1}))
    assert result_of(machine, entry).result == ReplayResult(end="melted")
