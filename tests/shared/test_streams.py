"""Streams: appended once, many in one step, acknowledged any number of times."""

from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from shared.redis_keys import SEEN_FOR
from shared.replicas import begin_step
from shared.streams import APPEND_ONCE_SCRIPT, GROUP, OutcomeStream, acknowledge, ensure_group

STREAM = "access-code-outcomes"


def append(redis: Redis, *messages: tuple[str, str]) -> list[int]:
    """Append (mark, message) pairs in one call."""
    args: list[str | int] = [60, "message", "now", *(message for _, message in messages)]
    keys = [STREAM, *(f"{{{STREAM}}}:seen:{mark}" for mark, _ in messages)]
    answers: str = redis.register_script(APPEND_ONCE_SCRIPT)(keys=keys, args=args)
    return list(map(int, answers))


def entries_of(redis: Redis) -> list[dict[str, str]]:
    """Return the stream's entries."""
    found: Any = redis.xrange(STREAM)
    return [fields for _, fields in found]


def test_a_message_is_appended_once(redis_client: Redis) -> None:
    """The same id again changes nothing, whatever the message says."""
    outcomes = OutcomeStream(redis_client, STREAM)
    assert [outcomes.publish("BK-1/1", "one"), outcomes.publish("BK-1/1", "two")] == [True, False]
    assert outcomes.publish("BK-1/2", "three") is True
    assert entries_of(redis_client) == [{"message": "one"}, {"message": "three"}]


def test_what_was_seen_is_forgotten_after_three_days(redis_client: Redis) -> None:
    """Longer than any sender repeats, and not for ever."""
    OutcomeStream(redis_client, STREAM).publish("BK-1/1", "one")
    (mark,) = redis_client.scan_iter("*:seen:*")
    left = redis_client.ttl(mark)
    assert SEEN_FOR.total_seconds() - 60 < left <= SEEN_FOR.total_seconds()


def test_many_in_one_call_are_judged_one_by_one(redis_client: Redis) -> None:
    """New ones are appended in their order; repeats, within the call too, are not."""
    assert append(redis_client, ("a", "1")) == [1]
    assert append(redis_client, ("b", "2"), ("a", "x"), ("c", "3"), ("b", "x")) == [1, 0, 1, 0]
    assert [fields["message"] for fields in entries_of(redis_client)] == ["1", "2", "3"]
    assert all(fields["received_at"] == "now" for fields in entries_of(redis_client))


def test_a_mark_is_never_without_its_entry(redis_client: Redis) -> None:
    """Where the entry can't be written, the call fails and says nothing was taken."""
    redis_client.set(STREAM, "in the way")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        append(redis_client, ("a", "1"))
    redis_client.delete(STREAM)
    assert append(redis_client, ("a", "1")) == [1]


def test_acknowledging_takes_an_entry_out_once(redis_client: Redis) -> None:
    """Out of the group and out of the stream; again, or for entries that never were, it does nothing."""
    step = begin_step(redis_client)
    ensure_group(redis_client, STREAM)
    first, second = (str(redis_client.xadd(STREAM, {"message": each})) for each in ("one", "two"))
    redis_client.xreadgroup(GROUP, "reader", {STREAM: ">"})

    for _ in range(2):
        acknowledge(redis_client, STREAM, [first, "1-1"], step=step)
        pending: Any = redis_client.xpending(STREAM, GROUP)
        assert (pending["pending"], entries_of(redis_client)) == (1, [{"message": "two"}])
    acknowledge(redis_client, STREAM, [], step=step)
    acknowledge(redis_client, STREAM, [second], step=step)
    assert redis_client.xlen(STREAM) == 0


def test_the_group_starts_at_the_very_beginning(redis_client: Redis) -> None:
    """What was appended before anybody read is read too; making the group twice changes nothing."""
    redis_client.xadd(STREAM, {"message": "early"})
    for _ in range(2):
        ensure_group(redis_client, STREAM)
    found: Any = redis_client.xreadgroup(GROUP, "reader", {STREAM: ">"})
    assert "early" in str(found)
    assert not redis_client.xreadgroup(GROUP, "reader", {STREAM: ">"})
