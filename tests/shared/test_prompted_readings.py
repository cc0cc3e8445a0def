"""Prompted readings of doors and accounts: in the due-set, one in each interval, and none lost by a race or a kill."""

from datetime import timedelta

import pytest
from redis import Redis

from shared import redis_keys
from shared.ledger.due_set import DueItem, account_item, refresh_item
from shared.ledger.prompted_readings import PromptedReadings
from tests.shared.ledgers import LEASE, at, due_at, due_set
from tests.shared.stories import NOW

ITEMS = pytest.mark.parametrize("item", [refresh_item("d-1"), account_item("a-1")], ids=["a door", "an account"])
EVERY = timedelta(seconds=30)


def readings(redis: Redis) -> PromptedReadings:
    """Return readings that are taken every half minute at most."""
    return PromptedReadings(redis, due=due_set(redis), clock=at(NOW), at_most_every=EVERY)


@ITEMS
def test_a_prompt_makes_it_due_now(redis_client: Redis, item: DueItem) -> None:
    """Once, however often it is prompted."""
    for _ in range(3):
        readings(redis_client).prompt([item, item])
    assert due_at(redis_client, item.encoded()) == NOW
    assert redis_client.zcard(redis_keys.DUE) == 1


@ITEMS
def test_a_prompt_soon_after_a_reading_waits(redis_client: Redis, item: DueItem) -> None:
    """A storm of events costs one reading in each interval."""
    begun = readings(redis_client).begin(item)
    readings(redis_client).reschedule(item, None, begun=begun)
    readings(redis_client).prompt([item])
    due = due_at(redis_client, item.encoded())
    assert due is not None
    assert NOW + EVERY / 2 < due <= NOW + EVERY


@ITEMS
def test_a_prompt_during_a_reading_is_not_lost(redis_client: Redis, item: DueItem) -> None:
    """Seam may have answered before what the event tells of: it is asked again, after the pause."""
    readings(redis_client).prompt([item])
    due_set(redis_client).claim(NOW, 10)
    begun = readings(redis_client).begin(item)
    readings(redis_client).prompt([item])
    readings(redis_client).reschedule(item, None, begun=begun)
    due = due_at(redis_client, item.encoded())
    assert due is not None
    assert NOW < due <= NOW + EVERY


@ITEMS
def test_a_reading_that_is_done_rests(redis_client: Redis, item: DueItem) -> None:
    """Until the time that it is given, or for good."""
    readings(redis_client).prompt([item])
    begun = readings(redis_client).begin(item)
    readings(redis_client).reschedule(item, NOW + timedelta(hours=1), begun=begun)
    assert due_at(redis_client, item.encoded()) == NOW + timedelta(hours=1)
    readings(redis_client).reschedule(item, None, begun=begun)
    assert due_at(redis_client, item.encoded()) is None


@ITEMS
def test_a_reading_stays_due_when_its_worker_is_killed(redis_client: Redis, item: DueItem) -> None:
    """After a lease."""
    readings(redis_client).prompt([item])
    assert due_set(redis_client).claim(NOW, 10) == [(item, 0)]
    readings(redis_client).begin(item)
    assert due_at(redis_client, item.encoded()) == NOW + LEASE


def test_many_are_spread(redis_client: Redis) -> None:
    """The doors of a large account are not all read at once; one that is due earlier stays so."""
    items = [refresh_item(f"d-{number}") for number in range(100)]
    due_set(redis_client).set([(items[99], NOW)])
    readings(redis_client).prompt(items, within=timedelta(seconds=100))
    times = [due_at(redis_client, item.encoded()) for item in items]
    assert times[:99] == [NOW + timedelta(seconds=number) for number in range(99)]
    assert times[99] == NOW
    readings(redis_client).prompt([])
